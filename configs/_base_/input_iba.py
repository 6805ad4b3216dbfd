# The name under which version 0.1.0 had the published parameters.
_base_ = ["./paper.py"]
