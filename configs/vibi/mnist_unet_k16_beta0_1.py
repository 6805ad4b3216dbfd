_base_ = ["./_base_/mnist.py"]

explainer = dict(type="Unet", k=16)
training = dict(beta=0.1)
