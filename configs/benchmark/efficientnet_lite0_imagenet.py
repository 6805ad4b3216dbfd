# ImageNet images whose class has a probability of 0.3 or more: 102 of the 120 that are kept aside.
# benchmarks/boxes.py writes their boxes.
_base_ = ["./_base_/photographs.py"]
title = "EfficientNet-Lite0 on ImageNet"
networks = [
    dict(
        name="EfficientNet-Lite0, ImageNet",
        config="efficientnet_lite0_imagenet",
        subset_file="benchmarks/samples/imagenet_benchmark.txt",
        scores_threshold=0.3,
    )
]
