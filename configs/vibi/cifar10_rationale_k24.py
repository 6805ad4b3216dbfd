# Goes on from what cifar10_rationale_k16 has trained: --jump_start with its best.pth.
_base_ = ["./cifar10_rationale_k16.py"]

explainer = dict(k=24)
training = dict(epochs=1, lr=5e-4, temperature=0.3)
