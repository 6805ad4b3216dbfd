"""Stage 2: masks λ_G on the input that explain the bottlenecked features, one class per way."""

from input_iba.attribution.priors.base import ConstantPrior, FittedPrior, Prior, SaliencyPrior
from input_iba.attribution.priors.sliced_wasserstein import SlicedWassersteinPrior
from input_iba.attribution.priors.wgan import TextWGANPrior, WGANPrior

__all__ = [
    "ConstantPrior",
    "FittedPrior",
    "Prior",
    "SaliencyPrior",
    "SlicedWassersteinPrior",
    "TextWGANPrior",
    "WGANPrior",
]
