"""Keys of a config that are arguments of a prior: which prior takes which."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

import input_iba.attribution  # noqa: F401  registers the priors
from input_iba.errors import ConfigError
from input_iba.registry import PRIORS


def prior_arguments(type_: Any) -> frozenset[str]:
    """Return what a prior takes; all published names for one that a later release brings."""
    target = PRIORS.module_dict.get(type_) or PRIORS.module_dict["VisionWGAN"]
    return frozenset(inspect.signature(target).parameters)


def priors_with(key: str) -> list[str]:
    """Return the names of the priors that have an argument.

    >>> priors_with("critic_iter"), priors_with("critic")
    (['NLPWGAN', 'VisionWGAN'], [])
    """
    return sorted(name for name in PRIORS.module_dict if key in prior_arguments(name))


def of_other_priors(section: Any, own: Collection[str], type_: Any) -> list[str]:
    """Return which keys of a section are arguments of other priors than `type_` only.

    A key that no prior takes is not among them: it is mistyped.

    Args:
        section: What the config holds, a dict if all is well.
        own: Keys of the section that belong to no prior.
        type_: The prior.
    """
    if not isinstance(section, Mapping) or type_ not in PRIORS.module_dict:
        return []
    return [
        key
        for key in section
        if key not in own and (priors := priors_with(key)) and type_ not in priors
    ]


def check_prior_keys(
    section: Mapping[str, Any], own: Collection[str], type_: Any, where: str
) -> None:
    """Refuse arguments of other priors than the config's.

    Raises:
        ConfigError: Names the priors that take the key.
    """
    for key in of_other_priors(section, own, type_):
        raise ConfigError(
            f"'{key}' in {where} is a key of {', '.join(priors_with(key))}, and the prior is "
            f"{type_}. Set attributor.gan.type to the prior that is meant (--preset paper has "
            "VisionWGAN with its published keys), or remove the key."
        )
