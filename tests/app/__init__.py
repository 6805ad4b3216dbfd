"""Tests of the page that `input-iba app` serves."""
