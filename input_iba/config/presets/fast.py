# Earlier configs inherit this file; the numbers stand in input_iba/attribution/presets.py.
preset = "fast"
