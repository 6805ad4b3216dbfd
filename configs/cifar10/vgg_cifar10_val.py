_base_ = ["./vgg_cifar10_test.py"]

data = dict(attribution=dict(img_root="data/cifar10/val/"))
