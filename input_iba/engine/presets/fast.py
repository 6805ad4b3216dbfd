# The published parameters, but for what is far cheaper with masks as faithful.
_base_ = ["./paper.py"]

attributor = dict(gan=dict(_delete_=True, type="ConstantPrior", value=0.5))
attribution_cfg = dict(
    feat_iba=dict(opt_steps=10, batch_size=10),
    gan=dict(_delete_=True),
    input_iba=dict(opt_steps=30),
)
