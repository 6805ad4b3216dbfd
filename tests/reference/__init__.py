"""Slow, literal re-implementation of docs/METHOD.md, sections 1 to 4, to test the fast one against.

One sample at a time, one noise draw at a time, whole passes through the classifier, formulas as
they are printed. Nothing here imports the package. Computations keep the dtype of their arguments:
float64 in tests. Every random number comes from the caller.
"""

from tests.reference.bottlenecks import (
    Adam,
    FeatureResult,
    InputResult,
    feature_iba,
    feature_iba_step,
    input_iba,
    mean_cross_entropy,
)
from tests.reference.formulas import (
    LARGEST_LAMBDA,
    feature_capacity,
    gaussian_smooth,
    input_capacity,
    mask_of,
    saliency,
    statistics,
)
from tests.reference.prior import (
    BatchNorm,
    PriorResult,
    RMSprop,
    layer_output,
    make_critic,
    real_by_bottleneck,
    real_by_capacity,
    wgan_prior,
)

__all__ = [
    "LARGEST_LAMBDA",
    "Adam",
    "BatchNorm",
    "FeatureResult",
    "InputResult",
    "PriorResult",
    "RMSprop",
    "feature_capacity",
    "feature_iba",
    "feature_iba_step",
    "gaussian_smooth",
    "input_capacity",
    "input_iba",
    "layer_output",
    "make_critic",
    "mask_of",
    "mean_cross_entropy",
    "real_by_bottleneck",
    "real_by_capacity",
    "saliency",
    "statistics",
    "wgan_prior",
]
