"""Tests of `input_iba.config`."""
