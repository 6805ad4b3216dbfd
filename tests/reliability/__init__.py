"""What a run survives: faults, broken and hostile files, other processors and versions."""
