# For text, without a GAN: a third of the steps of `paper_text.py`, begun closer to where they lead.
_base_ = ["./paper_text.py"]

attributor = dict(
    input_iba=dict(initial_alpha=2.0),
    gan=dict(_delete_=True, type="SaliencyPrior", low=0.25, high=0.5),
)
attribution_cfg = dict(
    feat_iba=dict(noise="antithetic"),
    gan=dict(_delete_=True),
    input_iba=dict(opt_steps=10, noise="antithetic"),
)
