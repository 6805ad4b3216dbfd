# The preset 'paper' for images, as published: Zhang et al. 2021 (arXiv 2110.01471);
# its numbers stand in input_iba/attribution/presets.py.
_presets = __import__("input_iba.attribution.presets", fromlist=["as_config"])
_values = _presets.as_config("paper", text=False)
attributor = _values["attributor"]
estimation_cfg = _values["estimation_cfg"]
attribution_cfg = _values["attribution_cfg"]
