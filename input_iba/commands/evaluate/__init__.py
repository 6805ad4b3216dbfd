"""The evaluation commands: find maps, score sample by sample, sum up, report."""
