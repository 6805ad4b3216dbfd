# The preset 'fast' for texts, for a hundredth of the cost of the published parameters;
# its numbers stand in input_iba/attribution/presets.py.
_presets = __import__("input_iba.attribution.presets", fromlist=["as_config"])
_values = _presets.as_config("fast", text=True)
attributor = _values["attributor"]
estimation_cfg = _values["estimation_cfg"]
attribution_cfg = _values["attribution_cfg"]
