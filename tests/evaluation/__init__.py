"""Tests of the metrics, most of them against slow literal implementations."""
