# What explains texts, and what scores the maps of their words.
methods = [
    *("input_iba", "input_mask", "iba"),
    *("int_grad", "input_x_gradient", "gradient", "lime", "kernel_shap", "random"),
]
metrics = [dict(type="nlp_insertion_deletion", pixel_batch_size=10), dict(type="nlp_sensitivity_n")]
