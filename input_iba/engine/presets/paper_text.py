# The same for text: Zhang et al. 2021 (arXiv 2110.01471) and the code that came with it.
_base_ = ["./paper.py"]

attributor = dict(
    type="NLPAttributor",
    feat_iba=dict(type="NLPFeatureIBA", sigma=0.0),
    input_iba=dict(type="NLPInputIBA", sigma=0.0),
    gan=dict(
        type="NLPWGAN",
        generator=dict(type="NLPGenerator"),
        discriminator=dict(type="NLPDiscriminator"),
    ),
)
attribution_cfg = dict(
    feat_iba=dict(beta=15),
    gan=dict(mask_lr=0.03),
    input_iba=dict(beta=30, opt_steps=30, lr=0.5),
)
