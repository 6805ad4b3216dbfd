# The same for images of 32×32 pixels.
_base_ = ["./images.py"]
metrics = [
    dict(type="insertion_deletion", pixel_batch_size=32),
    dict(type="degradation", tile_size=4),
    dict(type="sensitivity_n", log_n_ticks=0.5, num_masks=50),
]
