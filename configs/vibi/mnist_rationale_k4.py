# Recommended: the black box in the loop, so that the chunks convince the black box itself; explainer
# and approximator start as its copies, and a dense layer helps to choose.
_base_ = ["./_base_/mnist.py"]

black_box = dict(epochs=4, padding=2)
explainer = dict(_delete_=True, type="ResNet_4x", k=4, start="black_box", dense=256)
approximator = dict(_delete_=True, start="black_box")
training = dict(epochs=3, batch_size=64, lr=2e-3, loss="rationale")
