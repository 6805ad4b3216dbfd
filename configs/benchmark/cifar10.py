# Three networks on CIFAR-10's test set: convolutions with skips and without, and a transformer.
# tools/vision/train_classifier.py trains the checkpoints that their configs name.
_base_ = ["./_base_/small_images.py"]
title = "CIFAR-10"
_options = {"data.data_loader.batch_size": 10}
networks = [
    dict(
        name="ResNet-8, CIFAR-10",
        config="resnet_cifar10_test",
        cfg_options=_options,
        num_samples=250,
    ),
    dict(
        name="SmallVGG, CIFAR-10", config="vgg_cifar10_test", cfg_options=_options, num_samples=250
    ),
    dict(
        name="ViT, CIFAR-10",
        config="vit_cifar10_test",
        cfg_options=_options,
        num_samples=250,
        methods=[
            *("input_iba", "input_mask", "iba", "int_grad", "smooth_int_grad", "blur_int_grad"),
            *("expected_gradients", "smooth_grad", "gradient", "input_x_gradient"),
            *("attention_rollout", "gradient_attention", "legrad", "coiba"),
            *("occlusion", "rise", "ex_perturb", "lime", "kernel_shap", "random"),
        ],
    ),
]
