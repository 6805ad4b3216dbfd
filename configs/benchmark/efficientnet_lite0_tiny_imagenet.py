# Small images with boxes: the class has a probability of 0.6 or more, its boxes cover 33 % at most.
_base_ = ["./_base_/enlarged_images.py"]
title = "EfficientNet-Lite0 on Tiny-ImageNet"
networks = [
    dict(
        name="EfficientNet-Lite0, Tiny-ImageNet",
        config="efficientnet_lite0_tiny_imagenet",
        subset_file="benchmarks/samples/tiny_imagenet_benchmark.txt",
    )
]
