"""Recommend a setting for the classifier of a config."""
