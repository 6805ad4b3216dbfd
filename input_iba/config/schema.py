"""Which keys a config may hold, under which names, of which types."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from input_iba.attribution import FeatureIBA, InputBottleneck
from input_iba.config.prior_keys import check_prior_keys, prior_arguments
from input_iba.core.bottleneck import BottleneckSettings
from input_iba.errors import ConfigError, closest
from input_iba.registry import PRIORS, check_keys
from input_iba.settings import declarations

ANY: frozenset[str] = frozenset()
"""Marks sections whose keys depend on their type; the part that builds them checks them."""


def _settings(kind: type[BottleneckSettings], built: bool) -> frozenset[str]:
    """Return the settings of a bottleneck that stand in `attributor`, or in `attribution_cfg`."""
    known = declarations(kind).items()
    return frozenset(name for name, item in known if (item.part == "attributor") == built)


SECTIONS: dict[str, frozenset[str]] = {
    "": frozenset(
        {"data", "attributor", "estimation_cfg", "attribution_cfg", "sanity_check", "baseline"}
    ),
    "data": frozenset({"data_loader", "estimation", "attribution"}),
    "data.data_loader": frozenset({"batch_size", "shuffle", "num_workers"}),
    "data.estimation": ANY,
    "data.attribution": ANY,
    "attributor": frozenset(
        {
            *("type", "layer", "use_softmax", "eval_classifier", "classifier"),
            *("classes", "feat_iba", "input_iba", "gan", "layout", "output"),
        }
    ),
    "attributor.classifier": ANY,
    "attributor.feat_iba": _settings(FeatureIBA, built=True) | {"type"},
    "attributor.input_iba": _settings(InputBottleneck, built=True) | {"type"},
    "attributor.gan": frozenset({"type", "generator", "discriminator"}),
    "attributor.gan.generator": frozenset({"type"}),
    "attributor.gan.discriminator": frozenset({"type"}),
    "estimation_cfg": frozenset({"n_samples", "verbose"}),
    "attribution_cfg": frozenset(
        {"feat_iba", "gan", "input_iba", "feat_mask", "input_mask", "internal_batch_size"}
    ),
    "attribution_cfg.feat_iba": _settings(FeatureIBA, built=False),
    "attribution_cfg.gan": frozenset(),
    "attribution_cfg.input_iba": _settings(InputBottleneck, built=False),
    "attribution_cfg.feat_mask": frozenset({"upscale", "show", "colour_map", "merge"}),
    "attribution_cfg.input_mask": frozenset({"upscale", "show", "colour_map", "merge"}),
    "sanity_check": frozenset({"perturb_layers", "check", "n_estimation", "verbose"}),
    "baseline": ANY,
}

PRIOR_SECTIONS = ("attributor.gan", "attribution_cfg.gan")
"""Sections that also take the arguments of the prior that `attributor.gan.type` names."""

TYPED_SECTIONS: dict[str, str] = {
    "attributor.feat_iba": "FeatureIBA",
    "attributor.input_iba": "InputIBA",
    "attributor.gan": "WGAN",
    "attributor.gan.generator": "Generator",
    "attributor.gan.discriminator": "Discriminator",
}
"""Sections whose `type` is `Vision…` or `NLP…` with this ending."""

ATTRIBUTORS = {"VisionAttributor": "Vision", "NLPAttributor": "NLP"}

OWN_PRIORS = ("Vision", "NLP")
"""Beginnings of the names of priors that are for one kind of input."""

RENAMED = {
    "img_mask": "input_mask",
    "img_iba": "input_iba",
    "iba": "feat_iba",
    "progbar": "verbose",
}
"""Names of earlier releases that published configs still use."""

WITHOUT_EFFECT = frozenset({"verbose", "show", "log_every_steps", "num_workers"})
"""Keys that change what is shown or how fast, and never a mask."""


def plain(value: Any, where: str) -> Any:
    """Return a config value as plain data: dict, list, str, int, float, bool, None.

    Args:
        value: What the config holds at `where`.
        where: Dotted key, for the message.

    Raises:
        ConfigError: The value, or something in it, is an object.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}.{i}") for i, item in enumerate(value)]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ConfigError(
        f"'{where}' holds a {type(value).__name__}; a config is plain data: numbers, strings, "
        "lists and dicts. Write the value out, or name the object by its 'type'."
    )


def without_own_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what an author named for use within the file, such as `data_root` or `img_norm_cfg`.

    A dict whose name is nearly that of a section is kept, so that `validate` can refuse it.
    """
    return {
        key: value
        for key, value in config.items()
        if key in SECTIONS[""] or (isinstance(value, Mapping) and _nearly_a_section(key))
    }


def _nearly_a_section(name: str) -> bool:
    return bool(difflib.get_close_matches(name, SECTIONS[""], cutoff=0.8))


def rename(raw: dict[str, Any], section: str = "") -> Iterator[str]:
    """Give old keys their present names, in place; yield a warning for each."""
    for old in [key for key in raw if key in RENAMED]:
        new = RENAMED[old]
        allowed = SECTIONS.get(section, ANY)
        if section in PRIOR_SECTIONS:
            allowed = allowed | {"verbose"}
        if new not in allowed:
            continue
        value = raw.pop(old)
        ignored = new in raw
        if not ignored:
            raw[new] = value
        yield f"'{_join(section, old)}' is an old name of '{new}': " + (
            "ignored, because both are given." if ignored else "please rename it."
        )
    for key, value in raw.items():
        name = _join(section, key)
        if isinstance(value, dict) and name in SECTIONS:
            yield from rename(value, name)


def imply_types(raw: dict[str, Any]) -> None:
    """Fill in the `type` of sections that published configs leave out, in place."""
    attributor = raw.get("attributor")
    if not isinstance(attributor, dict) or attributor.get("type") not in ATTRIBUTORS:
        return
    prefix = ATTRIBUTORS[attributor["type"]]
    for name in ("feat_iba", "input_iba", "gan"):
        section = attributor.setdefault(name, {})
        if isinstance(section, dict):
            section.setdefault("type", prefix + TYPED_SECTIONS[f"attributor.{name}"])


def validate(raw: Mapping[str, Any], file: str) -> None:
    """Check the keys, the `type` names and the kinds of sections.

    Args:
        raw: Plain data after `rename` and `imply_types`.
        file: Where it comes from, for messages.

    Raises:
        ConfigError: Names section, file and, for a mistyped name, the closest match.
    """
    _check_attributor_type(raw, file)
    for name, allowed in SECTIONS.items():
        section = _section(raw, name, file)
        if section is None or (allowed is ANY and name not in PRIOR_SECTIONS):
            continue
        where = f"section '{name}' of {file}" if name else file
        if name in PRIOR_SECTIONS:
            prior = raw.get("attributor", {}).get("gan", {}).get("type")
            check_prior_keys(section, allowed, prior, where)
            allowed = allowed | prior_arguments(prior)  # noqa: PLW2901
        check_keys(section, set(allowed), where)
        _check_type(raw, section, name, where)


def _check_attributor_type(raw: Mapping[str, Any], file: str) -> None:
    attributor = _section(raw, "attributor", file)
    if attributor is None:
        return
    type_ = str(attributor.get("type"))
    if type_ not in ATTRIBUTORS:
        raise ConfigError(
            f"Unknown type {type_!r} in section 'attributor' of {file}."
            f"{closest(type_, ATTRIBUTORS)} Known: {', '.join(ATTRIBUTORS)}."
        )


def _check_type(raw: Mapping[str, Any], section: Mapping[str, Any], name: str, where: str) -> None:
    if name not in TYPED_SECTIONS or "type" not in section:
        return
    prefix = ATTRIBUTORS[raw["attributor"]["type"]]
    known = {prefix + TYPED_SECTIONS[name]}
    if name == "attributor.gan":
        known |= {type_ for type_ in PRIORS.module_dict if not type_.startswith(OWN_PRIORS)}
    if section["type"] not in known:
        type_ = str(section["type"])
        raise ConfigError(
            f"Unknown type {type_!r} in {where}.{closest(type_, known)} "
            f"Known: {', '.join(sorted(known))}."
        )


def _section(raw: Mapping[str, Any], name: str, file: str) -> Mapping[str, Any] | None:
    """Return a section, or None where the config has none."""
    value: Any = raw
    for key in name.split(".") if name else []:
        if key not in value:
            return None
        value = value[key]
        if not isinstance(value, Mapping):
            raise ConfigError(f"Section '{name}' of {file} must be a dict of keys, got {value!r}.")
    found: Mapping[str, Any] = value
    return found


def _join(section: str, key: str) -> str:
    return f"{section}.{key}" if section else key
