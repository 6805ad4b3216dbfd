_base_ = ["./_base_/cifar10.py"]

explainer = dict(type="ResNet_4x", k=12)
training = dict(beta=0.0)
