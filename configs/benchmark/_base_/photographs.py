# The same with what scores maps of 224×224 pixels: these are deleted and inserted in
# 56 steps, patches in 28.
_base_ = ["./images.py"]
metrics = [
    dict(type="insertion_deletion", pixel_batch_size=896),
    dict(type="patch_insertion_deletion", patch_size=4, pixel_batch_size=112),
    *("road", "single_deletion"),
    dict(type="degradation", tile_size=32),
    dict(type="sensitivity_n", log_n_ticks=1.0, num_masks=20),
    "ehr",
    dict(type="ehr", name="ehr_weighted", weight=True),
    "localisation",
]
