# The same for 32×32 pixels, in 32 steps.
_base_ = ["./images.py"]
metrics = [
    dict(type="insertion_deletion", pixel_batch_size=32),
    dict(type="patch_insertion_deletion", patch_size=4, pixel_batch_size=2),
    *("road", "single_deletion"),
    dict(type="degradation", tile_size=4),
    dict(type="sensitivity_n", log_n_ticks=0.5, num_masks=50),
]
