# For text, without a GAN: fewer and smaller steps than those of `paper_text.py`, begun nearer to
# their end. Noise as large as each word's own embedding treats long and short
# embeddings, and those of LSTMs and transformers, alike. The narrow prior keeps the last recurrent
# layer, where all saliency lies on the last word, from favouring that word.
_base_ = ["./paper_text.py"]

attributor = dict(
    input_iba=dict(initial_alpha=2.0, relative_noise=True),
    gan=dict(_delete_=True, type="SaliencyPrior", low=0.45, high=0.5),
)
attribution_cfg = dict(
    feat_iba=dict(noise="antithetic"),
    gan=dict(_delete_=True),
    input_iba=dict(opt_steps=16, lr=0.4, lr_schedule="cosine", noise="antithetic"),
)
