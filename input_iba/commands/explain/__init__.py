"""Explain the samples of a config, or images and texts that are given by name."""
