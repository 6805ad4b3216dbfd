# Six images that come with packages: a first look that takes a minute or two.
title = "Six images that come with packages"
networks = [
    dict(
        name="EfficientNet-Lite0",
        config="samples",
        scores_threshold=0.0,
        methods=["input_iba", "input_mask", "iba", "int_grad", "grad_cam", "random"],
        metrics=[dict(type="insertion_deletion", pixel_batch_size=1792)],
    )
]
