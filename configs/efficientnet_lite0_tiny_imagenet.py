# Tiny-ImageNet's validation pictures (64×64, enlarged to 128×128) with their true boxes, explained
# by EfficientNet-Lite0. At 128 pixels it is sure of the label (0.6 or more) for 750 of 3,000
# pictures, at 224 of half as many. Statistics come from the ImageNet photographs at that size.
_base_ = ["./efficientnet_lite0_imagenet.py"]

_normalize = [
    dict(type="Normalize", mean=[127 / 255] * 3, std=[128 / 255] * 3),
    dict(type="ToTensorV2"),
]
data = dict(
    estimation=dict(
        pipeline=[
            dict(type="SmallestMaxSize", max_size=146, interpolation="bicubic"),
            dict(type="CenterCrop", height=128, width=128),
            *_normalize,
        ]
    ),
    attribution=dict(
        img_root="data/tiny_imagenet_boxes/images/attribution/",
        annot_root="data/tiny_imagenet_boxes/annotations/attribution/",
        pipeline=[dict(type="Resize", height=128, width=128, interpolation="bicubic"), *_normalize],
    ),
)
