# The preset 'paper' for texts, as published: Zhang et al. 2021 (arXiv 2110.01471);
# its numbers stand in input_iba/attribution/presets.py.
attributor, estimation_cfg, attribution_cfg = __import__(
    "input_iba.config.presets", fromlist=["inherited"]
).inherited("paper_text")
