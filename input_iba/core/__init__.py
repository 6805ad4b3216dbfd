"""Tensor maths and torch plumbing that know nothing of images, words or configs."""
