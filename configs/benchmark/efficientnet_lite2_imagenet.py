# The images of the suite efficientnet_lite0_imagenet; those that this network is unsure of do not
# count.
_base_ = ["./_base_/photographs.py"]
title = "EfficientNet-Lite2 on ImageNet"
networks = [
    dict(
        name="EfficientNet-Lite2, ImageNet",
        config="efficientnet_lite2_imagenet",
        subset_file="benchmarks/samples/imagenet_benchmark.txt",
        scores_threshold=0.3,
    )
]
