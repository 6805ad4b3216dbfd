"""Tests of the evaluation commands' engine."""
