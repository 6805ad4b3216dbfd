# T at the top left or L at the bottom right of correlated noise:
#   python tools/vision/train_classifier.py configs/known/tetrominoes_linear.py --epochs 5
#   python tools/vision/train.py configs/known/tetrominoes_linear.py --work-dir workdirs/tetrominoes_linear
_base_ = ["../_base_/tetrominoes.py"]

attributor = dict(
    layer="features.1",
    classifier=dict(
        source="custom",
        type="ConvNet",
        in_channels=3,
        width=16,
        num_classes=2,
        pretrained="workdirs/ckpts/known_tetrominoes_linear.pth",
    ),
)
