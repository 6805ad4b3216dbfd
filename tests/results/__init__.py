"""Tests of input_iba.results."""
