# Preset 'instant': the numbers are part of the package, so that --preset finds them from anywhere.
preset = "instant"
