# What does one pass say? A trained explainer beside the method that it learned from and what costs
# a pass or a few, on ImageNet images that it has not seen. It is trained by
#
#     input-iba train explainer efficientnet_lite0_imagenet --work-dir workdirs/explainer_lite0
title = "One pass"
networks = [
    dict(
        name="EfficientNet-Lite0, ImageNet",
        config="efficientnet_lite0_imagenet",
        scores_threshold=0.0,
        methods=[
            dict(type="amortised", explainer="workdirs/explainer_lite0/explainer.safetensors"),
            *("input_iba", "grad_cam", "int_grad", "smooth_grad", "input_x_gradient", "random"),
        ],
        metrics=[
            dict(type="insertion_deletion", pixel_batch_size=3136),
            "ehr",
            dict(type="ehr", name="ehr_weighted", weight=True),
            "localisation",
        ],
    )
]
