_base_ = ["./vit_cifar10_test.py"]

data = dict(attribution=dict(img_root="data/cifar10/train/"))
