"""Tests of input_iba.visualization."""
