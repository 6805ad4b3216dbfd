"""Parameters of the three stages that belong together, for images and for texts."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from input_iba.attribution.feature_iba import FeatureIBA
from input_iba.attribution.input_iba import InputBottleneck
from input_iba.attribution.priors import Prior, SaliencyPrior, TextWGANPrior, WGANPrior
from input_iba.attribution.reading import Reading
from input_iba.errors import ConfigError, closest
from input_iba.registry import PRIORS
from input_iba.settings import declarations


@dataclass(frozen=True)
class Preset:
    """Settings of the three stages and of the map, and the size of the estimation set."""

    feature_iba: FeatureIBA
    prior: Prior
    input_iba: InputBottleneck
    n_samples: int = 1000
    reading: Reading = field(default_factory=Reading)

    @property
    def stages(self) -> dict[str, Any]:
        """The settings of stages and map, by the names of `Attributor`'s arguments."""
        return {key: value for key, value in _values(self).items() if key != "n_samples"}


# The published parameters: Zhang et al. 2021 (arXiv 2110.01471) and the code that came with it.
PAPER = Preset(FeatureIBA(), WGANPrior(), InputBottleneck())
PAPER_TEXT = Preset(
    FeatureIBA(sigma=0.0, beta=15),
    TextWGANPrior(),
    InputBottleneck(sigma=0.0, beta=30, opt_steps=30, lr=0.5),
    reading=Reading(source="gain"),
)

# As faithful as the published parameters, or more, for a hundredth of the cost; how these numbers
# were found is in benchmarks/README.md.
FAST = Preset(
    replace(PAPER.feature_iba, noise="antithetic"),
    SaliencyPrior(low=0.25, high=0.75),
    replace(
        PAPER.input_iba,
        initial_alpha=6.0,
        prior_odds=0.1,
        opt_steps=20,
        batch_size=5,
        lr=0.25,
        noise="antithetic",
    ),
)

# For text fewer and smaller steps than the published ones, begun nearer to their end. Noise as
# large as each word's own embedding treats long and short embeddings, and those of LSTMs and
# transformers, alike. The narrow prior keeps the last recurrent layer, where all saliency lies on
# the last word, from favouring that word.
FAST_TEXT = Preset(
    replace(PAPER_TEXT.feature_iba, noise="antithetic"),
    SaliencyPrior(low=0.45, high=0.5),
    replace(
        PAPER_TEXT.input_iba,
        initial_alpha=2.0,
        relative_noise=True,
        opt_steps=16,
        lr=0.4,
        lr_schedule="cosine",
        noise="antithetic",
    ),
    reading=Reading(source="gain"),
)

# At most 30 rows of the classifier forward and backward in all: 28 for an image, 22 for a text.
# How these numbers were found is in benchmarks/README.md.
INSTANT = replace(
    FAST,
    feature_iba=replace(FAST.feature_iba, initial_alpha=2.0, opt_steps=3, batch_size=2, lr=1.5),
    input_iba=replace(FAST.input_iba, opt_steps=11, batch_size=2, lr=0.455),
)
INSTANT_TEXT = replace(
    FAST_TEXT,
    feature_iba=replace(
        FAST_TEXT.feature_iba, initial_alpha=2.0, opt_steps=2, batch_size=1, lr=3.5
    ),
    input_iba=replace(
        FAST_TEXT.input_iba, opt_steps=10, batch_size=2, lr=0.35, lr_schedule="constant"
    ),
)

# Where the bits of several inputs lie the features do not say: the gain alone shares them out.
_BY_GAIN = Reading(source="gain")
FAST_SEVERAL, INSTANT_SEVERAL, PAPER_SEVERAL = (
    replace(preset, reading=_BY_GAIN) for preset in (FAST, INSTANT, PAPER)
)

PRESETS: dict[str, dict[str, Preset]] = {
    "fast": {"images": FAST, "texts": FAST_TEXT, "several inputs": FAST_SEVERAL},
    "instant": {"images": INSTANT, "texts": INSTANT_TEXT, "several inputs": INSTANT_SEVERAL},
    "paper": {"images": PAPER, "texts": PAPER_TEXT, "several inputs": PAPER_SEVERAL},
}
"""By name, and by kind of input."""

PUBLISHED = {"images": "Vision", "texts": "NLP"}
"""How the type names of configs begin, by kind of input."""


def preset_of(name: str | Preset, kind: str = "images") -> Preset:
    """Return a preset by its name, for a kind of input; one of the caller's own as it is.

    Raises:
        ConfigError: There is none of that name.
    """
    if isinstance(name, Preset):
        return name
    if name not in PRESETS:
        raise ConfigError(
            f"Unknown preset {name!r}.{closest(name, PRESETS)} Known: {', '.join(PRESETS)}, or a "
            "Preset of your own."
        )
    return PRESETS[name][kind]


def as_config(name: str, kind: str = "images") -> dict[str, Any]:
    """Return a preset as the sections of a config, under the published keys.

    >>> as_config("fast")["attribution_cfg"]["input_iba"]["opt_steps"]
    20
    """
    preset, published = preset_of(name, kind), PUBLISHED[kind]
    prior_type = next(key for key, made in PRIORS.module_dict.items() if made is type(preset.prior))
    feature, how_feature = _sections(preset.feature_iba)
    masked, how_masked = _sections(preset.input_iba)
    prior, how_prior = _values(preset.prior), {}
    if isinstance(preset.prior, WGANPrior):
        networks = ("generator", "discriminator")
        how_prior = prior
        prior = {network: {"type": published + network.title()} for network in networks}
    shown = {"upscale": True, "show": False}
    return {
        "attributor": {
            "type": f"{published}Attributor",
            "eval_classifier": True,
            "feat_iba": {"type": f"{published}FeatureIBA", **feature},
            "input_iba": {"type": f"{published}InputIBA", **masked},
            "gan": {"type": prior_type, **prior},
        },
        "estimation_cfg": {"n_samples": preset.n_samples, "verbose": False},
        "attribution_cfg": {
            "feat_iba": how_feature,
            "gan": how_prior,
            "input_iba": how_masked,
            "feat_mask": dict(shown),
            "input_mask": dict(shown),
            "map": _values(preset.reading),
        },
    }


def _sections(settings: FeatureIBA | InputBottleneck) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what of some settings stands in `attributor`, and what in `attribution_cfg`."""
    values, known = _values(settings), declarations(type(settings))
    built = {key: value for key, value in values.items() if known[key].part == "attributor"}
    return built, {key: value for key, value in values.items() if key not in built}


def _values(settings: Any) -> dict[str, Any]:
    return {part.name: getattr(settings, part.name) for part in fields(settings)}
