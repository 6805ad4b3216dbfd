# T or L anywhere on correlated noise, turned by quarters, or noise alone:
#   python tools/vision/train_classifier.py configs/known/tetrominoes_rotations.py --epochs 8 --lr 0.05
#   python tools/vision/train.py configs/known/tetrominoes_rotations.py \
#       --work-dir workdirs/tetrominoes_rotations
_base_ = ["../_base_/tetrominoes.py"]

_harder = dict(size=32, smoothing=2.0, places="random", empty=True)
data = dict(estimation=dict(_harder, n=4000), attribution=_harder)
attributor = dict(
    layer="layer2",
    classifier=dict(
        source="custom",
        type="ResNet",
        depth=8,
        width=16,
        num_classes=3,
        pretrained="workdirs/ckpts/known_tetrominoes_rotations.pth",
    ),
)
