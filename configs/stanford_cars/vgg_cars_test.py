_base_ = ["../_base_/stanford_cars.py", "../_base_/fast.py"]

attributor = dict(
    layer="features.17",
    classifier=dict(
        source="torchvision",
        type="vgg16",
        num_classes=196,
        pretrained="workdirs/ckpts/vgg16_cars.pth",
    ),
)
attribution_cfg = dict(feat_iba=dict(beta=50), input_iba=dict(beta=50))
