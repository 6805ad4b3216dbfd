"""Several methods, several metrics, the same samples: one table."""
