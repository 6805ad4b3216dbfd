# The embedded default in one pass: an explainer learns from crops of the six photographs that come
# with packages what the optimised method finds there.
#
#     input-iba train explainer samples_amortised --work-dir workdirs/samples_amortised
#     input-iba baseline samples_amortised amortised
_base_ = ["./samples.py"]

baseline = dict(type="amortised", explainer="workdirs/samples_amortised/explainer.safetensors")
