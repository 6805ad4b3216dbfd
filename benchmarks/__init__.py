"""Measurements of cost and faithfulness; each module is run as `python -m benchmarks.<name>`."""
