# Data in which a known part of the input decides: is the heat there? tools/vision/train_classifier.py
# and tools/nlp/train_classifier.py train the checkpoints, as the configs say.
_base_ = ["./_base_/images.py"]
title = "Known answers"
metrics = [
    dict(type="localisation", tolerance=0),
    "ehr",
    dict(type="ehr", name="ehr_weighted", weight=True),
]
networks = [
    dict(name="Tetrominoes, fixed", config="tetrominoes_linear", num_samples=150),
    dict(name="Tetrominoes, anywhere", config="tetrominoes_rotations", num_samples=150),
    dict(name="Planted patch", config="planted_patch", num_samples=150),
    dict(name="Backdoor", config="backdoor", num_samples=150),
    dict(
        name="Planted word",
        config="planted_words",
        methods=[
            *("input_iba", "input_mask", "iba"),
            *("int_grad", "smooth_int_grad", "smooth_grad", "input_x_gradient", "gradient"),
            *("occlusion", "lime", "kernel_shap", "random"),
        ],
        metrics=["evidence"],
    ),
]
