"""Tests of `input_iba.run`."""
