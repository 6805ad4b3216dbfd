# tools/vision/train_classifier.py, with this config, trains the checkpoint.
_base_ = ["../_base_/cifar10.py", "../_base_/fast.py"]

attributor = dict(
    layer="layer1",
    classifier=dict(
        source="custom",
        type="ResNet",
        depth=8,
        num_classes=10,
        pretrained="workdirs/ckpts/resnet8_cifar10.pth",
    ),
)
attribution_cfg = dict(feat_iba=dict(beta=30), input_iba=dict(beta=100))
