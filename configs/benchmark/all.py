# Every network.
title = "All networks"
suites = [
    "efficientnet_lite0_imagenet",
    "efficientnet_lite2_imagenet",
    "efficientnet_lite0_tiny_imagenet",
    "cifar10",
    "reviews",
    "eraser",
    "known",
]
