# Recommended: the black box knows hidden chunks and is in the loop; explainer and approximator
# start as its copies.
_base_ = ["./_base_/cifar10.py"]

black_box = dict(
    classifier=dict(_delete_=True, source="custom", type="ResNet", depth=8, width=32),
    epochs=8,
    lr=0.1,
    padding=4,
)
explainer = dict(_delete_=True, type="ResNet_4x", k=16, start="black_box")
approximator = dict(_delete_=True, start="black_box")
training = dict(epochs=3, batch_size=64, lr=1e-3, loss="rationale", flip=True, padding=4)
