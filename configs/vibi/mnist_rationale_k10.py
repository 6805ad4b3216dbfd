_base_ = ["./mnist_rationale_k4.py"]

explainer = dict(k=10)
