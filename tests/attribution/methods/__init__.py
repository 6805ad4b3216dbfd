"""Tests of the other methods of attribution."""
