_base_ = ["./_base_/mnist.py"]

explainer = dict(type="ResNet_4x", k=4)
training = dict(beta=0.1)
