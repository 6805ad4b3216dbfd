_base_ = ["./_base_/cifar10.py"]

explainer = dict(type="Unet", k=64, width=8)
training = dict(beta=0.001)
