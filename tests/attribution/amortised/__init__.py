"""Tests of explainers that are trained once."""
