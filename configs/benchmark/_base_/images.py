# What explains images. Our own method is run once for its three readings.
methods = [
    *("input_iba", "input_mask", "iba"),
    *("int_grad", "smooth_int_grad", "blur_int_grad", "expected_gradients"),
    *("smooth_grad", "gradient", "input_x_gradient", "guided_bp", "deep_shap"),
    *("grad_cam", "grad_cam_pp", "layer_cam", "score_cam"),
    *("occlusion", "rise", "ex_perturb", "lime", "kernel_shap", "random"),
]
