"""Training of classifiers and explainers."""
