"""Tests of `input_iba.records`."""
