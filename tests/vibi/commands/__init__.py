"""Tests of input_iba.vibi.commands."""
