# Preset 'instant' for text: the numbers are part of the package, so that --preset finds them.
_base_ = [__import__("input_iba").__path__[0] + "/config/presets/instant_text.py"]
