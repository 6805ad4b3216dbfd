"""Tests of what the toolkit promises for every family of classifiers."""
