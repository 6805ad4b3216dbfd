# What do fewer steps cost? The map of the preset 'instant' beside that of 'fast', on ImageNet images.
title = "Presets"
networks = [
    dict(
        name="EfficientNet-Lite0, ImageNet",
        config="efficientnet_lite0_imagenet",
        scores_threshold=0.0,
        methods=["input_iba", dict(type="input_iba", name="instant", preset="instant")],
        metrics=[
            dict(type="insertion_deletion", pixel_batch_size=896),
            "ehr",
            dict(type="ehr", name="ehr_weighted", weight=True),
            "localisation",
        ],
    )
]
