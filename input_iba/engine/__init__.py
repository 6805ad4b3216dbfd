"""Run things: config, device, precision, seeds, progress, and the loop over samples."""
