# The same for 128×128 pixels, in 64 steps, patches in 32.
_base_ = ["./images.py"]
metrics = [
    dict(type="insertion_deletion", pixel_batch_size=256),
    dict(type="patch_insertion_deletion", patch_size=4, pixel_batch_size=32),
    *("road", "single_deletion"),
    dict(type="degradation", tile_size=16),
    dict(type="sensitivity_n", log_n_ticks=1.0, num_masks=30),
    "ehr",
    dict(type="ehr", name="ehr_weighted", weight=True),
    "localisation",
]
