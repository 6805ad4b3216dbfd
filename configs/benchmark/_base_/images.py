# What explains images, and what scores their maps. Pixels are deleted and inserted in 56 steps at
# 224×224.
methods = [
    *("input_iba", "input_mask", "iba"),
    *("int_grad", "smooth_grad", "gradient", "input_x_gradient", "guided_bp", "grad_cam"),
    *("occlusion", "rise", "random"),
]
metrics = [
    dict(type="insertion_deletion", pixel_batch_size=896),
    dict(type="degradation", tile_size=16),
    dict(type="sensitivity_n", log_n_ticks=1.0, num_masks=30),
]
