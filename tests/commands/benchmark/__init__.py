"""Tests of `input_iba.commands.benchmark`."""
