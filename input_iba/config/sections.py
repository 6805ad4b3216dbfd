"""The sections of a config: each a dataclass, whose fields are the keys that it may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from input_iba.attribution import FeatureIBA, InputBottleneck
from input_iba.attribution.priors import Prior
from input_iba.attribution.reading import Reading
from input_iba.config.settings import AttributionKeys, EstimationSettings, LoaderSettings
from input_iba.core.bottleneck import BottleneckSettings
from input_iba.evaluation.sanity_check import SanityCheckSection
from input_iba.modality.layouts import NAMED
from input_iba.results.sample_writer import MaskSettings
from input_iba.settings import REQUIRED, Settings, declarations, setting

Plain = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DataKeys(Settings):
    """Keys of `data` beside its section; what a data set takes is known by its type."""

    estimation: Plain = setting(REQUIRED, "data set that statistics come from")
    attribution: Plain = setting(REQUIRED, "data set to explain")


@dataclass(frozen=True, kw_only=True)
class DataSection(DataKeys):
    """The section `data`."""

    data_loader: LoaderSettings = setting(REQUIRED, "how samples are read")


@dataclass(frozen=True, kw_only=True)
class AttributorKeys(Settings):
    """Keys of `attributor` beside its sections."""

    PLACE = "attributor."

    type: Literal["VisionAttributor", "NLPAttributor"] = setting(REQUIRED, "kind of input")
    layer: str = setting(REQUIRED, "layer of the feature bottleneck, a module's name")
    layout: str | None = setting(
        None, "how features lie at the layer, where that cannot be found out", choices=NAMED
    )
    output: int | str | None = setting(
        None, "index or key of the logits in what the classifier returns"
    )
    use_softmax: bool = setting(
        True,
        "classes exclude each other (cross-entropy); else each is a question of its own (binary "
        "cross-entropy)",
    )
    eval_classifier: bool = setting(True, "accepted; classifiers are explained in eval mode")
    classifier: Plain = setting(REQUIRED, "what is explained")
    classes: Mapping[str, int | str | None] = setting(
        {},
        "which logit some of the data set's classes are, by name: its index, its label, or None "
        "for the class that the classifier predicts, as in dict(neg=0, pos=4)",
        none={},
    )


@dataclass(frozen=True)
class NetworkSection(Settings):
    """A section of published configs that names a network."""

    type: str = setting("", "accepted from published configs")


@dataclass(frozen=True, kw_only=True)
class PriorSection(NetworkSection):
    """The section `attributor.gan`, beside the settings of the prior that it names."""

    generator: NetworkSection = setting(REQUIRED, "accepted from published configs")
    discriminator: NetworkSection = setting(REQUIRED, "accepted from published configs")


@dataclass(frozen=True, kw_only=True)
class AttributorSection(AttributorKeys):
    """The section `attributor`."""

    feat_iba: FeatureIBA = setting(REQUIRED, "stage 1")
    input_iba: InputBottleneck = setting(REQUIRED, "stage 3")
    gan: PriorSection = setting(REQUIRED, "stage 2")


@dataclass(frozen=True, kw_only=True)
class AttributionSection(AttributionKeys):
    """The section `attribution_cfg`."""

    feat_iba: FeatureIBA = setting(REQUIRED, "stage 1")
    gan: Prior = setting(REQUIRED, "stage 2")
    input_iba: InputBottleneck = setting(REQUIRED, "stage 3")
    feat_mask: MaskSettings = setting(REQUIRED, "how feature masks are saved")
    input_mask: MaskSettings = setting(REQUIRED, "how input masks are saved")
    map: Reading = setting(REQUIRED, "how the results of the stages are read as one map")
    target: Plain = setting({}, "what is asked of every sample: type, and that target's settings")


@dataclass(frozen=True, kw_only=True)
class WholeConfig(Settings):
    """A config."""

    data: DataSection = setting(REQUIRED, "what is explained")
    attributor: AttributorSection = setting(REQUIRED, "how, and what classifies")
    estimation_cfg: EstimationSettings = setting(REQUIRED, "feature statistics")
    attribution_cfg: AttributionSection = setting(REQUIRED, "how the stages run")
    sanity_check: SanityCheckSection = setting(REQUIRED, "the metric of that name")
    baseline: Plain = setting({}, "another method, and its settings")


def _sections(kind: type[Settings], name: str = "") -> Iterator[tuple[str, type[Settings]]]:
    yield name, kind
    for key, declared in declarations(kind).items():
        if isinstance(declared.hint, type) and issubclass(declared.hint, Settings):
            yield from _sections(declared.hint, joined(name, key))


def joined(section: str, key: str) -> str:
    """Return the dotted name of a key; the whole config is the section without a name."""
    return f"{section}.{key}" if section else key


SECTIONS: dict[str, type[Settings]] = dict(_sections(WholeConfig))
"""The dataclass of every section, by its dotted name."""

WITHOUT_EFFECT = frozenset(
    key
    for kind in SECTIONS.values()
    for key, declared in declarations(kind).items()
    if not declared.changes_result
)
"""Keys that change what is shown or how fast, and never a mask."""


def keys_of(section: str) -> frozenset[str]:
    """Return the keys of a section, without a bottleneck's `type` and the prior's settings.

    >>> sorted(keys_of("attributor.input_iba"))
    ['initial_alpha', 'prior_odds', 'relative_noise', 'sigma']
    """
    kind = SECTIONS[section]
    if kind is Prior:
        return frozenset()
    known = declarations(kind).items()
    if not issubclass(kind, BottleneckSettings):
        return frozenset(key for key, _ in known)
    built = section.startswith("attributor.")  # as published, the rest is in attribution_cfg
    return frozenset(key for key, item in known if (item.part == "attributor") == built)
