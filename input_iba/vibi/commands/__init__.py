"""Run loops of VIBI: data, black box, training, checkpoints."""
