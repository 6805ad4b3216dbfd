"""Tests of input_iba.drawing."""
