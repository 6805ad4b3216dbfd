# Recommended: the black box in the loop, so that the chunks convince the black box itself.
_base_ = ["./_base_/mnist.py"]

explainer = dict(type="ResNet_4x", k=4)
training = dict(epochs=4, loss="rationale")
