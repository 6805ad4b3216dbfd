# Recommended: a black box that knows hidden chunks, in the loop, and an approximator that starts
# as its copy.
_base_ = ["./_base_/cifar10.py"]

black_box = dict(
    classifier=dict(_delete_=True, source="custom", type="ResNet", depth=8, width=32),
    epochs=8,
    lr=0.1,
    padding=4,
)
explainer = dict(type="ResNet_4x", k=12)
training = dict(epochs=8, black_box_weight=1.0)
