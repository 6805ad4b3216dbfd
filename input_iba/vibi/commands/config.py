"""From a config file and options to the checked settings of a VIBI run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from input_iba.config import schema
from input_iba.config.assembly import read_file
from input_iba.config.settings import read_settings
from input_iba.config.shipped import find_config
from input_iba.errors import ConfigError, check_positive, closest
from input_iba.registry import check_keys
from input_iba.vibi import ApproximatorSettings, ExplainerSettings, VibiTraining
from input_iba.vibi.text_chunks import KINDS

TEXTS = ("IMDB",)
DATASETS = ("MNIST", "FashionMNIST", "CIFAR10", "ImageFolder", *TEXTS)


@dataclass(frozen=True)
class DataSettings:
    """Which pictures, or texts.

    Attributes:
        dataset: 'MNIST', 'FashionMNIST', 'CIFAR10', 'ImageFolder', or 'IMDB' for movie reviews.
        root: Where torchvision keeps, or puts, its data sets; of an ImageFolder the folder that
            holds `train/<class>/` and `test/<class>/`.
        size: Height and width to which pictures are resized; 0 leaves them as they are.
        mean: What the black box's normalisation subtracts, one value or one per channel.
        std: What it divides by.
        num_train: Pictures drawn from the training set, validation included; 0 for all.
        num_test: Pictures drawn from the test set; 0 for all.
    """

    dataset: str = "MNIST"
    root: str = "data"
    size: int = 0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    num_train: int = 0
    num_test: int = 0

    def __post_init__(self) -> None:
        """Check the name."""
        if self.dataset not in DATASETS:
            raise ConfigError(
                f"Unknown data.dataset {self.dataset!r}.{closest(self.dataset, DATASETS)} "
                f"Known: {', '.join(DATASETS)}."
            )


@dataclass(frozen=True)
class BlackBoxSettings:
    """The classifier to be explained, and how it is trained where it has no weights.

    Attributes:
        classifier: Its config, as `build_classifier` takes it; channels and number of classes
            come from the data where the classifier can be told. Without a type it is a ConvNet.
            With `pretrained` it is not trained.
        checkpoint: Where its weights are written; training is skipped when the file exists. Empty
            for a name made of data set, classifier and training.
        epochs: Passes over the training set.
        lr: Peak learning rate; 0 for one that suits the classifier.
        batch_size: Pictures per step.
        padding: Pixels by which pictures are shifted at most.
        flip: Mirror half of the pictures.
        hidden_chunks: Share of the pictures that training shows with chunks hidden at random.
    """

    classifier: dict[str, Any] = field(default_factory=dict)
    checkpoint: str = ""
    epochs: int = 3
    lr: float = 0.0
    batch_size: int = 128
    padding: int = 0
    flip: bool = False
    hidden_chunks: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_positive("black_box", self, "epochs", "batch_size")
        if not 0 <= self.hidden_chunks <= 1:
            raise ConfigError(
                f"black_box.hidden_chunks is a share from 0 to 1, got {self.hidden_chunks!r}."
            )


@dataclass(frozen=True)
class TextSettings:
    """What only texts have.

    Attributes:
        chunks: 'word', 'five_words' or 'sentence'.
        max_length: Longer texts are cut to their last tokens.
    """

    chunks: str = "word"
    max_length: int = 400

    def __post_init__(self) -> None:
        """Check the kind and the range."""
        check_positive("texts", self, "max_length")
        if self.chunks not in KINDS:
            raise ConfigError(
                f"Unknown texts.chunks {self.chunks!r}.{closest(str(self.chunks), KINDS)} "
                f"Known: {', '.join(KINDS)}."
            )


SECTIONS: dict[str, type[Any]] = {
    "data": DataSettings,
    "texts": TextSettings,
    "black_box": BlackBoxSettings,
    "explainer": ExplainerSettings,
    "approximator": ApproximatorSettings,
    "training": VibiTraining,
}


@dataclass(frozen=True)
class VibiConfig:
    """All settings of a run.

    Attributes:
        name: Of the setting; the work directory's name.
    """

    name: str
    data: DataSettings = field(default_factory=DataSettings)
    texts: TextSettings = field(default_factory=TextSettings)
    black_box: BlackBoxSettings = field(default_factory=BlackBoxSettings)
    explainer: ExplainerSettings = field(default_factory=ExplainerSettings)
    approximator: ApproximatorSettings = field(default_factory=ApproximatorSettings)
    training: VibiTraining = field(default_factory=VibiTraining)

    def __post_init__(self) -> None:
        """Refuse for texts what only pictures can have."""
        if not self.of_texts:
            return
        for key, value in (
            ("explainer.start", self.explainer.start == "black_box"),
            ("approximator.start", self.approximator.start == "black_box"),
            ("training.flip", self.training.flip),
            ("training.padding", self.training.padding),
        ):
            if value:
                raise ConfigError(
                    f"{key} is for pictures; data.dataset={self.data.dataset!r} holds texts. "
                    f"Remove {key}."
                )

    def plain(self) -> dict[str, Any]:
        """Return the sections as plain data, which `vibi_config` reads."""
        plain: dict[str, Any] = schema.plain(asdict(self), "config")
        unused = () if self.of_texts else ("texts",)
        return {name: plain[name] for name in SECTIONS if name not in unused}

    @property
    def of_texts(self) -> bool:
        """Whether texts are explained, and not pictures."""
        return self.data.dataset in TEXTS

    def text(self) -> str:
        """Return a Python file that loads to the same settings."""
        return f"{Config(self.plain()).pretty_text}\n"


def vibi_config(plain: Mapping[str, Any], name: str, where: Path | str = "config") -> VibiConfig:
    """Check plain data and freeze it.

    Args:
        plain: Sections of keys.
        name: Of the setting.
        where: Where they come from, for messages.

    Raises:
        ConfigError: Says section, key and remedy.
    """
    check_keys(plain, set(SECTIONS), f"'{where}'")
    found: dict[str, Any] = {}
    for section, kind in SECTIONS.items():
        values = plain.get(section, {})
        if not isinstance(values, Mapping):
            raise ConfigError(f"Section '{section}' of '{where}' must be a dict, got {values!r}.")
        check_keys(values, set(kind.__dataclass_fields__), f"section '{section}' of '{where}'")
        found[section] = read_settings(kind, plain, [section], Path(where))
    return VibiConfig(name, **found)


def load_vibi_config(given: Path | str | None, overrides: Mapping[str, Any]) -> VibiConfig:
    """Load, override, check and freeze a config.

    Args:
        given: A Python config, or the name of one that comes with the package; None for the
            defaults alone.
        overrides: From dotted keys to values.

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
    name = path.stem if path is not None else setting_name(checked)
    return vibi_config(plain, name, where)


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
