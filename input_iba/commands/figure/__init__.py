"""Figures of work directories: grids of masks, curves of evaluations."""
