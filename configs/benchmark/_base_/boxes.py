# The same, and what boxes say.
_base_ = ["./images.py"]
metrics = [
    dict(type="insertion_deletion", pixel_batch_size=256),
    dict(type="degradation", tile_size=16),
    dict(type="sensitivity_n", log_n_ticks=0.75, num_masks=50),
    dict(type="ehr"),
    dict(type="localisation"),
]
