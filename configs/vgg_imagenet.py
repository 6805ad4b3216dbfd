_base_ = ["./_base_/imagenet.py", "./_base_/fast.py"]

attributor = dict(
    layer="features.17", classifier=dict(source="torchvision", type="vgg16", pretrained=True)
)
