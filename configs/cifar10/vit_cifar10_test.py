# A vision transformer of 8x8 patches; needs the extra `models` (timm).
# tools/vision/train_classifier.py, with this config, trains the checkpoint.
_base_ = ["../_base_/cifar10.py", "../_base_/fast.py"]

attributor = dict(
    layer="blocks.2",
    classifier=dict(
        source="timm",
        type="vit_tiny_patch16_224",
        img_size=32,
        patch_size=4,
        depth=6,
        embed_dim=128,
        num_heads=2,
        num_classes=10,
        pretrained="pretrained/vit_cifar10.pth",
    ),
)
