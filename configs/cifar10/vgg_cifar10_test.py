# tools/vision/train_classifier.py, with this config, trains the checkpoint.
_base_ = ["../_base_/cifar10.py", "../_base_/fast.py"]

attributor = dict(
    layer="features.14",
    classifier=dict(
        source="custom",
        type="SmallVGG",
        num_classes=10,
        pretrained="workdirs/ckpts/small_vgg_cifar10.pth",
    ),
)
