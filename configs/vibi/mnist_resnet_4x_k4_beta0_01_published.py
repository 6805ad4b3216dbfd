# The networks of published size: see docs/VIBI.md for what this costs.
_base_ = ["./mnist_resnet_4x_k4_beta0_01.py"]

explainer = dict(size="published")
approximator = dict(size="published")
training = dict(epochs=1, lr=1e-3)
