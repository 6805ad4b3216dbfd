"""Tests of input_iba.cli."""
