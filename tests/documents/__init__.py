"""Tests of what the documents and notebooks print."""
