# What explains texts, and what scores the maps of their words: whatever stands in their place, 0, the
# mask token (of a vocabulary without one the unknown word), or nothing, must not decide who wins.
methods = [
    *("input_iba", "input_mask", "iba"),
    *("int_grad", "smooth_int_grad", "smooth_grad", "input_x_gradient", "gradient"),
    *("occlusion", "lime", "kernel_shap", "random"),
]
metrics = [
    dict(type="nlp_insertion_deletion", pixel_batch_size=10),
    dict(type="nlp_insertion_deletion_mask", pixel_batch_size=10),
    dict(type="nlp_insertion_deletion_remove", pixel_batch_size=10),
    *("rationale", "rationale_mask", "rationale_remove"),
    dict(type="nlp_sensitivity_n", log_n_ticks=0.5, num_masks=30),
]
