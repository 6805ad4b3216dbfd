# Preset 'instant': the numbers are part of the package, so that --preset finds them from anywhere.
_base_ = [__import__("input_iba").__path__[0] + "/config/presets/instant.py"]
