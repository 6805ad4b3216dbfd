_base_ = ["./_base_/mnist.py"]

explainer = dict(type="ResNet_2x", k=12)
training = dict(beta=0.01)
