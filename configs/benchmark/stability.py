# How much of a map is chance, or changes with the input's noise? Every sample is explained again, twelve
# times by each method.
title = "Stability"
networks = [
    dict(
        name="EfficientNet-Lite0, Tiny-ImageNet",
        config="efficientnet_lite0_tiny_imagenet",
        subset_file="benchmarks/samples/tiny_imagenet_benchmark.txt",
        examples=0,
        methods=[
            *("input_iba", "input_mask", "iba"),
            *("int_grad", "smooth_grad", "expected_gradients", "grad_cam", "random"),
        ],
        metrics=["seed_agreement", "max_sensitivity"],
    )
]
