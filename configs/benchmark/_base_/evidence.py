# The same for reviews of 100 words in which people marked what tells the verdict.
_base_ = ["./texts.py"]
metrics = [
    dict(type="nlp_insertion_deletion", pixel_batch_size=5),
    dict(type="nlp_insertion_deletion_mask", pixel_batch_size=5),
    dict(type="nlp_insertion_deletion_remove", pixel_batch_size=5),
    *("rationale", "rationale_mask", "rationale_remove"),
    dict(type="nlp_sensitivity_n", log_n_ticks=0.5, num_masks=30),
    "evidence",
]
