"""Which layer, β, prior and reading suit a model: tried on some samples, measured on others."""
