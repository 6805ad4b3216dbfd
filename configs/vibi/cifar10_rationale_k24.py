_base_ = ["./cifar10_rationale_k16.py"]

explainer = dict(k=24)
