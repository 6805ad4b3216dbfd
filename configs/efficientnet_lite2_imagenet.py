# EfficientNet-Lite2, whose weights come in a package (extra `samples`): nothing is downloaded.
_base_ = ["./efficientnet_lite0_imagenet.py"]

_pipeline = [
    dict(type="SmallestMaxSize", max_size=292, interpolation="bicubic"),
    dict(type="CenterCrop", height=260, width=260),
    dict(type="Normalize", mean=[127 / 255] * 3, std=[128 / 255] * 3),
    dict(type="ToTensorV2"),
]
data = dict(estimation=dict(pipeline=_pipeline), attribution=dict(pipeline=_pipeline))
# As in Lite0 the last block at a sixteenth of the input's resolution.
attributor = dict(layer="_blocks.14", classifier=dict(type="efficientnet_lite2"))
