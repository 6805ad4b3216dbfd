"""All settings of VIBI, section by section: keys of configs, and options of the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from input_iba.settings import Settings, setting
from input_iba.vibi.training_settings import VibiTraining, spelled

TEXTS = ("IMDB",)
DATASETS = ("MNIST", "FashionMNIST", "CIFAR10", "ImageFolder", "ImageNet", *TEXTS)

KINDS = ("word", "five_words", "sentence")
"""Chunks of texts."""

STRIDES = {"Unet": 1, "ResNet_2x": 2, "ResNet_4x": 4, "ResNet_8x": 8}
"""Pixels per position of the map that each explainer makes: the smallest chunks it can choose."""

SIZES = ("small", "published")

STARTS = ("random", "black_box")
"""What an explainer or approximator starts with: its own layers, or a copy of the black box."""

EXPLAINER_STARTS = (*STARTS, "features")
"""Of explainers also the black box's features as they are, which only a head is trained on."""


@dataclass(frozen=True)
class DataSettings(Settings):
    """Which images, or texts."""

    PLACE = "data."

    dataset: str = setting("MNIST", "which data", choices=DATASETS, flag="--dataset")
    root: str = setting(
        "data",
        "folder of the data: where torchvision keeps, or puts, its data sets; of an ImageFolder "
        "what holds `train/<class>/` and `test/<class>/`; of ImageNet what holds "
        "`images/estimation/<wnid>/`, trained on, `images/attribution/<wnid>/`, tested on, and "
        "`imagenet_class_index.json`",
        flag=spelled("data_root"),
        metavar="DIR",
    )
    size: int = setting(
        0,
        "height and width of images; 0 leaves them as they are. Of ImageNet, what a central crop "
        "keeps",
        at_least=0,
    )
    mean: tuple[float, ...] = setting((0.0,), "what the black box's normalisation subtracts")
    std: tuple[float, ...] = setting((1.0,), "what it divides by, one value or one per channel")
    num_train: int = setting(0, "inputs drawn, validation included; 0 for all", at_least=0)
    num_test: int = setting(0, "inputs drawn from the test set; 0 for all", at_least=0)


@dataclass(frozen=True)
class TextSettings(Settings):
    """What only texts have."""

    PLACE = "texts."

    chunks: str = setting("word", "how texts are cut", choices=KINDS)
    max_length: int = setting(400, "longer texts are cut to their last tokens", at_least=1)


@dataclass(frozen=True)
class BlackBoxSettings(Settings):
    """The classifier to be explained, and how it is trained where it has no weights."""

    PLACE = "black_box."

    classifier: dict[str, Any] = setting(
        {},
        "its config, as `build_classifier` takes it; channels and number of classes come from the "
        "data where the classifier can be told. Without a type it is a ConvNet; with `pretrained` "
        "it is not trained",
    )
    checkpoint: str = setting(
        "",
        "where its weights are written; training is skipped when the file exists. Empty for a "
        "name made of data set, classifier and training",
    )
    epochs: int = setting(3, "passes over the training set", at_least=1)
    lr: float = setting(0.0, "peak learning rate; 0 for one that suits it", at_least=0)
    batch_size: int = setting(128, "images per step", at_least=1)
    padding: int = setting(0, "pixels by which images are shifted at most", at_least=0)
    flip: bool = setting(False, "mirror half of the images")
    hidden_chunks: float = setting(
        0.5,
        "share of the images that the black box is trained on with chunks hidden at random",
        at_least=0,
        at_most=1,
        flag=spelled("black_box_hidden_chunks"),
        metavar="SHARE",
    )


@dataclass(frozen=True)
class ExplainerSettings(Settings):
    """Which explainer."""

    PLACE = "explainer."

    type: str = setting(
        "ResNet_4x",
        "which explainer; its chunks are 1, 2, 4 and 8 pixels wide",
        choices=STRIDES,
        flag=spelled("explainer_type"),
    )
    size: str = setting(
        "small",
        "width and depth of the explainer; small trains in minutes on a CPU",
        choices=SIZES,
        flag=spelled("explainer_size"),
    )
    width: int = setting(0, "channels of the first convolution; 0 for those of `size`", at_least=0)
    blocks: int = setting(0, "residual blocks per halving; 0: those of `size`", at_least=0)
    dense: int = setting(
        0,
        "outputs of a dense layer that sees where everything lies in the image and has a say in "
        "each chunk; 0 for none",
        at_least=0,
    )
    k: int = setting(4, "chunks to show", at_least=1, flag="--k", metavar="K")
    chunk_size: int = setting(
        0,
        "side of a chunk, if larger than the explainer's own",
        at_least=0,
        flag=spelled("chunk_size"),
        metavar="PIXELS",
    )
    channels: int = setting(
        1,
        "1 for chunks of all colours at once, 3 for chunks of each colour channel",
        choices=(1, 3),
        flag=spelled("xpl_channels"),
    )
    start: str = setting(
        "random",
        "black_box: the explainer starts as a copy of the black box, and `type` only says how "
        "wide chunks are; features: only what chooses chunks by the black box's features is "
        "trained, which stay as they are",
        choices=EXPLAINER_STARTS,
        flag=spelled("explainer_start"),
    )
    layer: str = setting(
        "",
        "layer of the black box by whose features chunks are chosen, unless `start` is random; "
        "empty for the last that is as fine as the chunks",
    )
    fill: float = setting(
        0.0,
        "what stands where a chunk is hidden, from 0, black, to 1, white",
        at_least=0,
        at_most=1,
    )


@dataclass(frozen=True)
class ApproximatorSettings(Settings):
    """Which approximator."""

    PLACE = "approximator."

    size: str = setting(
        "small",
        "width and depth of the approximator; small has three convolutions and two dense layers, "
        "published is a ResNet-18",
        choices=SIZES,
        flag=spelled("approximator_size"),
    )
    width: int = setting(0, "channels of the first convolution; 0 for those of `size`", at_least=0)
    start: str = setting(
        "random",
        "black_box: the approximator starts as a copy of the black box",
        choices=STARTS,
        flag=spelled("approximator_start"),
    )


SECTIONS: dict[str, type[Any]] = {
    "data": DataSettings,
    "texts": TextSettings,
    "black_box": BlackBoxSettings,
    "explainer": ExplainerSettings,
    "approximator": ApproximatorSettings,
    "training": VibiTraining,
}
