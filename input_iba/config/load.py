"""From a config file to plain, checked, frozen settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import input_iba.datasets  # noqa: F401  registers its types
from input_iba.attribution import FeatureIBA, InputBottleneck
from input_iba.attribution.methods import Method
from input_iba.attribution.presets import PRESETS, preset_of
from input_iba.attribution.priors import Prior
from input_iba.attribution.reading import Reading
from input_iba.config import presets, schema
from input_iba.config.assembly import PlainConfig, as_python, assemble
from input_iba.config.sections import WITHOUT_EFFECT, AttributorKeys, DataKeys, Plain
from input_iba.config.settings import AttributionKeys, EstimationSettings, LoaderSettings
from input_iba.config.shipped import find_config
from input_iba.core.targets import Target
from input_iba.errors import ConfigError
from input_iba.modality.kinds import KINDS, Kind
from input_iba.registry import PRIORS, TARGETS, check_keys, lookup
from input_iba.results.sample_writer import MaskSettings
from input_iba.settings import declarations, read, read_values

Keys = TypeVar("Keys")

QUESTION = "attribution_cfg.target"

WARM = ("warm_steps", "warm_lr")
"""Keys of `attribution_cfg.input_iba` that count where an explainer says where masks start."""


@dataclass(frozen=True, kw_only=True)
class RunConfig(AttributorKeys, AttributionKeys):
    """A config as the run needs it, beside the keys of `attributor` and `attribution_cfg`.

    Attributes:
        path: The config file.
        raw: All of it as plain data, under present names, overrides applied.
        estimation_data: Config of the data set that statistics come from; see `WholeConfig`.
        attribution_data: Config of the data set to explain.
        prior: Config of the prior, with `type`.
        question: What is asked of every sample; None for its class.
        baseline: Another method that is to explain instead of the three stages, or None.
        preset: Name of the preset beneath the config's own values, if any.
        warnings: What the user should change.
    """

    path: Path
    raw: Plain
    estimation_data: Plain
    attribution_data: Plain
    loader: LoaderSettings
    estimation: EstimationSettings
    feature_iba: FeatureIBA
    prior: Plain
    input_iba: InputBottleneck
    feature_mask: MaskSettings
    input_mask: MaskSettings
    reading: Reading
    question: Target | None = None
    baseline: Method | None = None
    preset: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What kind of input is explained."""
        return KINDS[schema.ATTRIBUTORS[self.type]]

    @property
    def draws_per_sample(self) -> int:
        """Rows that one sample sends through the classifier at once: the larger K."""
        if self.baseline is not None:
            return self.baseline.rows_per_sample
        return max(self.feature_iba.batch_size, self.input_iba.batch_size)

    @property
    def max_rows_per_sample(self) -> int:
        """The most rows of one sample that any stage computes at once."""
        own = getattr(lookup(PRIORS, self.prior["type"]), "batch_size", 0)
        own = self.prior.get("batch_size", own) if self.baseline is None else 0
        return max(self.draws_per_sample, own)

    def asked(self, label: int | None) -> Target | int | None:
        """Return what is asked of a sample that its data set gives a class, or none."""
        return label if self.question is None else self.question.about(label)

    def digest(self) -> str:
        """Return the SHA-256 of all keys that can change a result, and of files a method reads.

        How the map is read is left out where a preset reads it so, and steps from an explainer's
        mask as they are by default: runs of releases that had no such key go on.
        """
        raw, section = dict(self.raw), dict(self.raw.get("attribution_cfg", {}))
        if self.reading in [kinds[self.kind.name].reading for kinds in PRESETS.values()]:
            section.pop("map", None)
        if "input_iba" in section:
            warm = {key: declarations(InputBottleneck)[key].default for key in WARM}
            section["input_iba"] = {
                key: value
                for key, value in section["input_iba"].items()
                if key not in warm or value != warm[key]
            }
        raw |= {"attribution_cfg": section} if "attribution_cfg" in raw else {}
        read = "" if self.baseline is None else self.baseline.fingerprint()
        text = json.dumps(_without_display(raw), sort_keys=True) + read
        return hashlib.sha256(text.encode()).hexdigest()

    def text(self) -> str:
        """Return the effective config as a Python file that loads to the same settings."""
        lines = as_python(self.raw)
        # File names that are not UTF-8 as escapes, which load to the same names.
        lines = lines.encode("utf-8", "backslashreplace").decode()
        preset = f"preset '{self.preset}', " if self.preset else ""
        return f"# From {self.path.name}, {preset}with all bases and options applied.\n{lines}"


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
        preset: Replaces the one that the config inherits, or is put beneath a config without one;
            None takes the config as it is.
        content: Taken instead of what the file holds, which then is but a name in messages.

    Raises:
        ConfigError: Says file, section, key and remedy.
    """
    file = find_config(path) if content is None else Path(path)
    plain = assemble(file, overrides or {}, preset, content)
    config = _frozen(file, plain)
    return replace(config, warnings=(*config.warnings, *_ineffective(config)))


def _frozen(path: Path, plain: PlainConfig) -> RunConfig:
    raw, file = plain.values, f"'{path}'"

    def keys(kind: type, section: str) -> dict[str, Any]:
        return read_values(kind, presets.lookup(raw, section) or {}, section, file)

    def settings(kind: type[Keys], *sections: str) -> Keys:
        return _settings(kind, raw, file, *sections)

    data, attributor = keys(DataKeys, "data"), keys(AttributorKeys, "attributor")
    kind = KINDS[schema.ATTRIBUTORS[attributor["type"]]].name
    return RunConfig(
        **attributor,
        **keys(AttributionKeys, "attribution_cfg"),
        path=path,
        raw=raw,
        estimation_data=data["estimation"],
        attribution_data=data["attribution"],
        loader=settings(LoaderSettings, "data.data_loader"),
        estimation=settings(EstimationSettings, "estimation_cfg"),
        feature_iba=settings(FeatureIBA, "attributor.feat_iba", "attribution_cfg.feat_iba"),
        prior=_prior(raw, file),
        input_iba=settings(InputBottleneck, "attributor.input_iba", "attribution_cfg.input_iba"),
        feature_mask=settings(MaskSettings, "attribution_cfg.feat_mask"),
        input_mask=settings(MaskSettings, "attribution_cfg.input_mask"),
        reading=replace(preset_of("paper", kind).reading, **keys(Reading, "attribution_cfg.map")),
        question=_question(raw, file),
        preset=plain.preset,
        warnings=plain.warnings,
    )


def _settings(kind: type[Keys], raw: Plain, file: str, *sections: str) -> Keys:
    """Return settings whose keys stand in some sections; a later one counts over an earlier."""
    values: dict[str, Any] = {}
    for section in sections:
        values |= read_values(kind, presets.lookup(raw, section) or {}, section, file)
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{' and '.join(sections)} of {file}: {error}") from error


def _prior(raw: Plain, file: str) -> Plain:
    """Return the prior's config, whose values are checked now, not after other work."""
    config: dict[str, Any] = {}
    for section in schema.PRIOR_SECTIONS:
        config |= presets.lookup(raw, section) or {}
    kind = PRIORS.module_dict.get(config["type"])
    if isinstance(kind, type) and issubclass(kind, Prior):
        _settings(kind, raw, file, *schema.PRIOR_SECTIONS)
    return {k: v for k, v in config.items() if k not in {"generator", "discriminator"}}


def _question(raw: Plain, file: str) -> Target | None:
    """Return the target of `attribution_cfg.target`, if there is one."""
    section = dict(presets.lookup(raw, QUESTION) or {})
    if not section:
        return None
    if "type" not in section:
        known = ", ".join(sorted(TARGETS.module_dict))
        raise ConfigError(f"'{QUESTION}' of {file} needs the key 'type', one of {known}.")
    kind: Any = lookup(TARGETS, section.pop("type"))
    check_keys(section, set(declarations(kind)), f"section '{QUESTION}' of {file}")
    found: Target = read(kind, section, QUESTION, file)
    return found


def _ineffective(config: RunConfig) -> Iterator[str]:
    """Yield a warning for each key of a config that has no effect."""
    if not config.eval_classifier:
        yield (
            "'attributor.eval_classifier=False' has no effect: classifiers are explained in eval "
            "mode."
        )
    if not config.input_mask.upscale:
        yield (
            "'attribution_cfg.input_mask.upscale=False' has no effect: input masks are learned at "
            "the input's resolution. 'attribution_cfg.feat_mask.upscale' is for feature masks."
        )
    if len(config.kind.map_dims) == 1 and not config.feature_mask.upscale:
        yield (
            "'attribution_cfg.feat_mask.upscale=False' has no effect on texts: their feature masks "
            "have one value per word at every layer."
        )


def _without_display(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_display(item) for key, item in value.items() if key not in WITHOUT_EFFECT
        }
    if isinstance(value, (list, tuple)):
        return [_without_display(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 20 and 20.0 mean the same
    return value
