"""Tests of `input_iba.training`."""
