"""One shell for runs: device, precision, processes, loading, batching, progress, log."""
