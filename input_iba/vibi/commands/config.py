"""From a config file and options to the checked settings of a VIBI run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from input_iba.config import schema
from input_iba.config.assembly import as_python, read_file
from input_iba.config.shipped import find_config
from input_iba.errors import ConfigError
from input_iba.registry import check_keys
from input_iba.settings import declarations, read
from input_iba.vibi.settings import (
    SECTIONS,
    TEXTS,
    ApproximatorSettings,
    BlackBoxSettings,
    DataSettings,
    ExplainerSettings,
    TextSettings,
)
from input_iba.vibi.training_settings import VibiTraining


@dataclass(frozen=True)
class VibiConfig:
    """All settings of a run; its name is that of the work directory."""

    name: str
    data: DataSettings = field(default_factory=DataSettings)
    texts: TextSettings = field(default_factory=TextSettings)
    black_box: BlackBoxSettings = field(default_factory=BlackBoxSettings)
    explainer: ExplainerSettings = field(default_factory=ExplainerSettings)
    approximator: ApproximatorSettings = field(default_factory=ApproximatorSettings)
    training: VibiTraining = field(default_factory=VibiTraining)

    def __post_init__(self) -> None:
        """Refuse for texts what only images can have."""
        only_images = {
            "explainer.start": self.explainer.start == "black_box",
            "approximator.start": self.approximator.start != "random",
            "training.flip": self.training.flip,
            "training.padding": self.training.padding,
        }
        for key, wanted in only_images.items():
            if wanted and self.of_texts:
                raise ConfigError(
                    f"{key} is for images; data.dataset={self.data.dataset!r} holds texts. "
                    f"Remove {key}."
                )

    @property
    def of_texts(self) -> bool:
        """Whether texts are explained, and not images."""
        return self.data.dataset in TEXTS

    def plain(self) -> dict[str, Any]:
        """Return the sections as plain data, which `vibi_config` reads."""
        plain: dict[str, Any] = schema.plain(asdict(self), "config")
        unused = () if self.of_texts else ("texts",)
        return {name: plain[name] for name in SECTIONS if name not in unused}

    def text(self) -> str:
        """Return a Python file that loads to the same settings."""
        return as_python(self.plain())


def vibi_config(plain: Mapping[str, Any], name: str, where: Path | str = "config") -> VibiConfig:
    """Check sections of keys, which come from `where`, and freeze them.

    Raises:
        ConfigError: Says section, key and remedy.
    """
    check_keys(plain, set(SECTIONS), f"'{where}'")
    found: dict[str, Any] = {}
    for section, kind in SECTIONS.items():
        values = plain.get(section, {})
        if not isinstance(values, Mapping):
            raise ConfigError(f"Section '{section}' of '{where}' must be a dict, got {values!r}.")
        check_keys(values, set(declarations(kind)), f"section '{section}' of '{where}'")
        found[section] = read(kind, values, section, f"'{where}'")
    return VibiConfig(name, **found)


def load_vibi_config(given: Path | str | None, overrides: Mapping[str, Any]) -> VibiConfig:
    """Load a config, or the defaults for None, and override, check and freeze it.

    Raises:
        ConfigError: Says file, section, key and remedy.
    """
    path = None if given is None else find_config(given)
    config = Config({}) if path is None else read_file(path)[0]
    own = {k: v for k, v in config.items() if k in SECTIONS or isinstance(v, Mapping)}
    merged = Config(own)
    try:
        merged.merge_from_dict(dict(overrides))
    except (KeyError, TypeError, ValueError, IndexError, AssertionError) as error:
        raise ConfigError(f"{' '.join(overrides)} does not fit '{path}': {error}") from error
    plain = {key: schema.plain(value, key) for key, value in merged.items()}
    where = path or "the options"
    checked = vibi_config(plain, "", where)
    return replace(checked, name=path.stem if path is not None else setting_name(checked))


def setting_name(config: VibiConfig) -> str:
    """Return data set, explainer, k and β as one name, as the shipped configs are called.

    >>> setting_name(VibiConfig(""))
    'mnist_resnet_4x_k4_beta0'
    """
    explainer = config.explainer
    beta = f"{config.training.beta:g}".replace(".", "_")
    kind = config.texts.chunks if config.of_texts else explainer.type
    name = f"{config.data.dataset}_{kind}_k{explainer.k}_beta{beta}"
    return name.lower() + ("_published" if explainer.size == "published" else "")
