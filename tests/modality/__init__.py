"""Tests of input_iba.modality."""
