"""Tests of the three stages and of the pipeline."""
