# The colour of a small patch on noise is the class, or that there is none:
#   python tools/vision/train_classifier.py configs/known/planted_patch.py --epochs 5
#   python tools/vision/train.py configs/known/planted_patch.py --work-dir workdirs/planted_patch
_base_ = ["../_base_/fast.py"]

_end = [dict(type="Normalize", mean=[0.5] * 3, std=[0.25] * 3), dict(type="ToTensorV2")]
data = dict(
    data_loader=dict(batch_size=16, shuffle=True, num_workers=0),
    estimation=dict(
        type="Planted", dataset=dict(type="NaturalNoise", n=2000, size=64, seed=0), pipeline=_end
    ),
    attribution=dict(
        type="Planted",
        dataset=dict(type="NaturalNoise", n=250, size=64, seed=1),
        pipeline=_end,
        clean=False,
    ),
)
attributor = dict(
    layer="layer1",
    classifier=dict(
        source="custom",
        type="ResNet",
        depth=8,
        width=16,
        num_classes=5,
        pretrained="workdirs/ckpts/known_planted_patch.pth",
    ),
)
