# A small vision transformer whose tokens are 8x8 patches of 4x4 pixels; needs the extra `models`
# (timm). On a CPU it is trained in half the time where timm does not fuse its attention, whose
# backward pass is slow there:
#   TIMM_FUSED_ATTN=0 python tools/vision/train_classifier.py configs/cifar10/vit_cifar10_test.py \
#       --epochs 7 --batch-size 64
_base_ = ["../_base_/cifar10.py", "../_base_/fast.py"]

attributor = dict(
    layer="blocks.2",
    classifier=dict(
        source="timm",
        type="vit_tiny_patch16_224",
        img_size=32,
        patch_size=4,
        depth=4,
        embed_dim=128,
        num_heads=2,
        global_pool="avg",
        num_classes=10,
        pretrained="pretrained/vit_cifar10.pth",
    ),
)
# Found on training pictures: insertion − deletion of 28 of them is 0.62, with β = 20 it is 0.39.
attribution_cfg = dict(input_iba=dict(beta=2))
