"""Whether plain data is a config: its keys, names of types, and names of earlier releases."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from input_iba.config.sections import SECTIONS, Plain, joined, keys_of
from input_iba.errors import ConfigError, closest
from input_iba.registry import PRIORS, check_keys

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

RENAMED = {
    "img_mask": "input_mask",
    "img_iba": "input_iba",
    "iba": "feat_iba",
    "progbar": "verbose",
}
"""Names of earlier releases that published configs still use."""


def plain(value: Any, where: str) -> Any:
    """Return a config value as plain data: dict, list, str, int, float, bool, None.

    Raises:
        ConfigError: The value, or something in it, is an object; names its dotted key.
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


def without_own_names(config: Plain) -> dict[str, Any]:
    """Drop what an author named for use within the file, such as `data_root` or `img_norm_cfg`.

    A dict whose name is nearly that of a section is kept, so that `validate` can refuse it.
    """
    known = keys_of("")
    return {
        key: value
        for key, value in config.items()
        if key in known
        or (isinstance(value, Mapping) and difflib.get_close_matches(key, known, cutoff=0.8))
    }


def rename(raw: dict[str, Any], section: str = "") -> Iterator[str]:
    """Give old keys their present names, in place; yield a warning for each."""
    allowed = keys_of(section) | ({"verbose"} if section in PRIOR_SECTIONS else set())
    for old in [key for key in raw if RENAMED.get(key) in allowed]:
        new, value = RENAMED[old], raw.pop(old)
        ignored = new in raw
        raw.setdefault(new, value)
        yield f"'{joined(section, old)}' is an old name of '{new}': " + (
            "ignored, because both are given." if ignored else "please rename it."
        )
    for key, value in raw.items():
        name = joined(section, key)
        if isinstance(value, dict) and name in SECTIONS:
            yield from rename(value, name)


def imply_types(raw: dict[str, Any]) -> None:
    """Fill in the `type` of sections that published configs leave out, in place."""
    attributor = raw.get("attributor")
    if not isinstance(attributor, dict) or str(attributor.get("type")) not in ATTRIBUTORS:
        return
    prefix = ATTRIBUTORS[attributor["type"]]
    for name in ("feat_iba", "input_iba", "gan"):
        section = attributor.setdefault(name, {})
        if isinstance(section, dict):
            section.setdefault("type", prefix + TYPED_SECTIONS[f"attributor.{name}"])


def validate(raw: Plain, file: str) -> None:
    """Check the keys, the `type` names and the kinds of sections, after `rename` and `imply_types`.

    Raises:
        ConfigError: Names section, file and, for a mistyped name, the closest match.
    """
    kind = _section(raw, "attributor", file) or {"type": "VisionAttributor"}
    _check_type(kind.get("type"), set(ATTRIBUTORS), f"section 'attributor' of {file}")
    _section(raw, "baseline", file)  # its keys are checked when the method is known
    for name in SECTIONS:
        section = _section(raw, name, file)
        if section is None:
            continue
        where = f"section '{name}' of {file}" if name else file
        allowed = set(keys_of(name))
        if name in PRIOR_SECTIONS:
            prior = raw.get("attributor", {}).get("gan", {}).get("type")
            for key in of_other_priors(section, name, prior):
                raise ConfigError(
                    f"'{key}' in {where} is a key of {', '.join(priors_with(key))}, and the prior "
                    f"is {prior}. Set attributor.gan.type to the prior that is meant (--preset "
                    "paper has VisionWGAN with its published keys), or remove the key."
                )
            allowed |= prior_arguments(prior)
        if name in TYPED_SECTIONS:
            allowed.add("type")
        check_keys(section, allowed, where)
        if name in TYPED_SECTIONS and "type" in section:
            types = {ATTRIBUTORS[kind["type"]] + TYPED_SECTIONS[name]}
            if name == "attributor.gan":
                own = tuple(ATTRIBUTORS.values())  # beginnings of priors for one kind of input
                types |= {known for known in PRIORS.module_dict if not known.startswith(own)}
            _check_type(section["type"], types, where)


def _check_type(given: Any, known: set[str], where: str) -> None:
    if str(given) not in known:
        raise ConfigError(
            f"Unknown type {str(given)!r} in {where}.{closest(str(given), known)} "
            f"Known: {', '.join(sorted(known))}."
        )


def _section(raw: Plain, name: str, file: str) -> Plain | None:
    """Return a section, or None where the config has none."""
    value: Any = raw
    for key in name.split(".") if name else []:
        if key not in value:
            return None
        value = value[key]
        if not isinstance(value, Mapping):
            raise ConfigError(f"Section '{name}' of {file} must be a dict of keys, got {value!r}.")
    found: Plain = value
    return found


def prior_arguments(type_: Any) -> frozenset[str]:
    """Return what a prior takes; all published names for one that a later release brings."""
    target = PRIORS.module_dict.get(str(type_)) or PRIORS.module_dict["VisionWGAN"]
    return frozenset(inspect.signature(target).parameters)


def priors_with(key: str) -> list[str]:
    """Return the names of the priors that have an argument.

    >>> priors_with("critic_iter"), priors_with("critic")
    (['NLPWGAN', 'VisionWGAN'], [])
    """
    return sorted(name for name in PRIORS.module_dict if key in prior_arguments(name))


def of_other_priors(section: Any, name: str, type_: Any) -> list[str]:
    """Return which keys of a section, by name, are arguments of other priors than `type_` only.

    A key that no prior takes is not among them: it is mistyped.
    """
    if not isinstance(section, Mapping) or str(type_) not in PRIORS.module_dict:
        return []
    own = keys_of(name)
    return [
        key
        for key in section
        if key not in own and (priors := priors_with(key)) and type_ not in priors
    ]
