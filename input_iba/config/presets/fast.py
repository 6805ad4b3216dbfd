# The preset 'fast' for images, for a hundredth of the cost of the published parameters;
# its numbers stand in input_iba/attribution/presets.py.
attributor, estimation_cfg, attribution_cfg = __import__(
    "input_iba.config.presets", fromlist=["inherited"]
).inherited("fast")
