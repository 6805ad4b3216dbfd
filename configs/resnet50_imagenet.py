# ResNet-50 with the pictures prepared as for these weights of torchvision.
_base_ = ["./vgg_imagenet.py"]

_pipeline = [
    dict(type="TorchvisionPreset", weights="ResNet50_Weights.IMAGENET1K_V2"),
    dict(type="ToTensorV2"),
]
data = dict(estimation=dict(pipeline=_pipeline), attribution=dict(pipeline=_pipeline))
attributor = dict(layer="layer2", classifier=dict(type="resnet50", pretrained="IMAGENET1K_V2"))
