"""From a config file to plain, checked, frozen settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

import input_iba.datasets  # noqa: F401  registers its types
from input_iba.attribution import FeatureIBA, InputBottleneck
from input_iba.attribution.methods import Method
from input_iba.config import schema
from input_iba.config.assembly import PlainConfig, assemble
from input_iba.config.network_keys import layout_key, output_key
from input_iba.config.settings import (
    EstimationSettings,
    LoaderSettings,
    of_type,
    read_settings,
)
from input_iba.config.shipped import find_config
from input_iba.drawing import check_colour_map
from input_iba.errors import ConfigError
from input_iba.registry import PRIORS
from input_iba.results.mask_settings import MaskSettings

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class RunConfig:
    """A config as the run needs it.

    Attributes:
        path: The config file.
        raw: All of it as plain data, under present names, overrides applied.
        text_modality: Whether text is explained.
        layer: Layer of the feature bottleneck.
        layout: How features lie at the layer, a name; None where it can be found out.
        output: Index or key of the logits in what the classifier returns, or None.
        use_softmax: Classes exclude each other (cross-entropy); else each is a question of its
            own (binary cross-entropy).
        classifier: Config of the classifier.
        estimation_data: Config of the data set that statistics come from.
        attribution_data: Config of the data set to explain.
        loader: How samples are read.
        estimation: How statistics are estimated.
        feature_iba: Settings of the feature bottleneck.
        prior: Config of the prior, with `type`.
        input_iba: Settings of the input bottleneck.
        feature_mask: How feature masks are saved.
        input_mask: How input masks are saved.
        baseline: Another method that is to explain instead of the three stages, or None.
        internal_batch_size: Most inputs that the classifier sees at once, or None.
        classes: Which logit some of the data set's classes are, by name: its index, its label, or
            None for the class that the classifier predicts.
        preset: Name of the preset beneath the config's own values, if any.
        warnings: What the user should change.
    """

    path: Path
    raw: Plain
    text_modality: bool
    layer: str
    layout: str | None
    output: int | str | None
    use_softmax: bool
    classifier: Plain
    estimation_data: Plain
    attribution_data: Plain
    loader: LoaderSettings
    estimation: EstimationSettings
    feature_iba: FeatureIBA
    prior: Plain
    input_iba: InputBottleneck
    feature_mask: MaskSettings
    input_mask: MaskSettings
    internal_batch_size: int | None
    baseline: Method | None = None
    classes: Mapping[str, int | str | None] = field(default_factory=dict)
    preset: str | None = None
    warnings: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return the SHA-256 of every key that can change a result."""
        text = json.dumps(_without_display(self.raw), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def text(self) -> str:
        """Return the effective config as a Python file that loads to the same settings."""
        lines = Config(dict(self.raw)).pretty_text
        # File names that are not UTF-8 as escapes, which load to the same names.
        lines = lines.encode("utf-8", "backslashreplace").decode()
        preset = f"preset '{self.preset}', " if self.preset else ""
        return f"# From {self.path.name}, {preset}with all bases and options applied.\n{lines}\n"


def load_config(
    path: Path | str,
    overrides: Plain | None = None,
    preset: str | None = None,
    content: Plain | None = None,
) -> RunConfig:
    """Load, override, check and freeze a config.

    Args:
        path: An mmcv-style Python config, `_base_` and all, or the name of one that comes with the
            package.
        overrides: From dotted keys to values, as `--cfg-options` gives them.
        preset: Name of a preset that replaces the one that the config inherits, or that is put
            beneath a config without one; None takes the config as it is.
        content: Taken instead of what the file holds, which then is but a name in messages.

    Raises:
        ConfigError: Says file, section, key and remedy.
    """
    file = find_config(path) if content is None else Path(path)
    plain = assemble(file, overrides or {}, preset, content)
    return _frozen(file, plain)


def _frozen(path: Path, plain: PlainConfig) -> RunConfig:
    raw, warnings = plain.values, plain.warnings
    attributor = _required(raw, "attributor", path)
    layer = _required(raw, "attributor.layer", path)
    if not isinstance(layer, str):
        raise ConfigError(f"'attributor.layer' of '{path}' must be a module's name, got {layer!r}.")
    if not _flag(attributor, "eval_classifier", True, path):
        warnings += (
            "'attributor.eval_classifier=False' has no effect: classifiers are explained in eval "
            "mode.",
        )
    text = schema.ATTRIBUTORS[attributor["type"]] == "NLP"
    feature_mask = _mask_settings(raw, "attribution_cfg.feat_mask", path)
    input_mask = _mask_settings(raw, "attribution_cfg.input_mask", path)
    warnings += tuple(_nothing_to_upscale(text, feature_mask, input_mask))
    how = raw.get("attribution_cfg", {})
    gan = {k: v for k, v in attributor["gan"].items() if k not in {"generator", "discriminator"}}
    return RunConfig(
        path=path,
        raw=raw,
        text_modality=text,
        layer=layer,
        layout=layout_key(attributor, path),
        output=output_key(attributor, path),
        use_softmax=_flag(attributor, "use_softmax", True, path),
        classifier=_required(raw, "attributor.classifier", path),
        estimation_data=_required(raw, "data.estimation", path),
        attribution_data=_required(raw, "data.attribution", path),
        loader=read_settings(LoaderSettings, raw, ["data.data_loader"], path),
        estimation=read_settings(EstimationSettings, raw, ["estimation_cfg"], path),
        feature_iba=read_settings(
            FeatureIBA, raw, ["attributor.feat_iba", "attribution_cfg.feat_iba"], path
        ),
        prior=_prior(gan | dict(how.get("gan", {})), raw, path),
        input_iba=read_settings(
            InputBottleneck, raw, ["attributor.input_iba", "attribution_cfg.input_iba"], path
        ),
        feature_mask=feature_mask,
        input_mask=input_mask,
        internal_batch_size=_internal_batch_size(how, path),
        classes=_classes(attributor.get("classes"), path),
        preset=plain.preset,
        warnings=warnings,
    )


def _required(raw: Plain, dotted: str, path: Path) -> Any:
    value: Any = raw
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or value.get(key) is None:
            raise ConfigError(f"Config '{path}' has no '{dotted}', which every run needs.")
        value = value[key]
    return value


def _prior(config: dict[str, Any], raw: Plain, path: Path) -> Plain:
    """Check the values of the prior's config now, not after minutes of other work."""
    kind = PRIORS.module_dict.get(config["type"])
    if isinstance(kind, type) and is_dataclass(kind):
        read_settings(kind, raw, schema.PRIOR_SECTIONS, path)
    return config


def _mask_settings(raw: Plain, section: str, path: Path) -> MaskSettings:
    settings = read_settings(MaskSettings, raw, [section], path)
    check_colour_map(settings.colour_map)
    return settings


def _nothing_to_upscale(
    text: bool, feature_mask: MaskSettings, input_mask: MaskSettings
) -> Iterator[str]:
    """Say where `upscale=False` has no effect: no map of a coarser layer is behind that mask."""
    if not input_mask.upscale:
        yield (
            "'attribution_cfg.input_mask.upscale=False' has no effect: input masks are learned at "
            "the input's resolution. 'attribution_cfg.feat_mask.upscale' is for feature masks."
        )
    if text and not feature_mask.upscale:
        yield (
            "'attribution_cfg.feat_mask.upscale=False' has no effect on texts: their feature masks "
            "have one value per word at every layer."
        )


def _flag(section: Plain, key: str, default: bool, path: Path) -> bool:
    return bool(of_type(section.get(key, default), default, f"'attributor.{key}' of '{path}'"))


def _internal_batch_size(how: Plain, path: Path) -> int | None:
    value = how.get("internal_batch_size")
    if value is not None and (type(value) is not int or value < 1):
        raise ConfigError(
            f"'attribution_cfg.internal_batch_size' of '{path}' must be a number of inputs of at "
            f"least 1, or None, got {value!r}."
        )
    return value


def _classes(value: Any, path: Path) -> dict[str, int | str | None]:
    kinds = (int, str, type(None))
    if value is None:
        return {}
    if not isinstance(value, Mapping) or any(type(item) not in kinds for item in value.values()):
        raise ConfigError(
            f"'attributor.classes' of '{path}' must name a logit for classes of the data set, by "
            f"its index or label, e.g. dict(neg=0, pos=4), got {value!r}."
        )
    return dict(value)


def _without_display(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_display(item)
            for key, item in value.items()
            if key not in schema.WITHOUT_EFFECT
        }
    if isinstance(value, (list, tuple)):
        return [_without_display(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 20 and 20.0 mean the same
    return value
