"""Tests of input_iba.engine.vibi."""
