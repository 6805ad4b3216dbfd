# The preset 'instant' for images, for at most 30 rows of the classifier;
# its numbers stand in input_iba/attribution/presets.py.
attributor, estimation_cfg, attribution_cfg = __import__(
    "input_iba.config.presets", fromlist=["inherited"]
).inherited("instant")
