"""The command `input-iba attribute`: photographs, texts, or the samples of a config."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from input_iba.cli.arguments import add_config
from input_iba.cli.explain import add_explain_options, explain_samples
from input_iba.cli.run import STATUS_HELP
from input_iba.errors import ConfigError

if TYPE_CHECKING:
    from input_iba.commands.explain.images import Photographs
    from input_iba.commands.explain.texts import AskedTexts
    from input_iba.config.load import RunConfig

DESCRIPTION = (
    "Explain photographs: input-iba attribute --image my.jpg; or texts: input-iba attribute --text "
    "'A fine film.' --model FOLDER. Printed are the most probable classes; an overlay as PNG, the "
    "masks and a page to look at go to a work directory. Or explain every sample of a config's "
    "data set: feature masks and input masks go to a work directory, with a record per sample and "
    "a report.html."
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add what explains photographs, or the samples of a config."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    group = parser.add_argument_group("photographs and texts")
    group.add_argument(
        "--image",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="photographs to explain, of any format and size, in place of a config",
    )
    group.add_argument(
        "--text",
        nargs="+",
        metavar="TEXT",
        help="texts to explain, each in quotes, in place of a config; --model says by what",
    )
    group.add_argument(
        "--target",
        nargs="+",
        default=[],
        metavar="CLASS",
        help="explain for this class: a name such as tabby, an index, or a WordNet id; several "
        "are explained one by one (default: the class that the classifier predicts)",
    )
    group.add_argument(
        "--layer", help="layer of the feature bottleneck (default: one that suits the model)"
    )
    group.add_argument(
        "--whole",
        action="store_true",
        help="let the network see all of the photograph instead of the square in its middle",
    )
    _add_model(group)
    add_config(parser, instead_of="--image")
    add_explain_options(parser)
    parser.set_defaults(command=_attribute)


def _add_model(group: Any) -> None:
    group.add_argument(
        "--model",
        metavar="NAME",
        help="ImageNet classifier: efficientnet_lite0, or one of torchvision's or timm's, whose "
        "weights are downloaded once (default: efficientnet_lite0, which needs no network). Of "
        "texts a folder, or a name on the hub, of a sequence classifier of transformers",
    )
    group.add_argument(
        "--weights",
        metavar="FILE",
        help="checkpoint of the model, or the name of weights of torchvision's",
    )
    group.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        help="classes of a checkpoint of your own: JSON like resources/imagenet_class_index.json",
    )


ONLY_PHOTOGRAPHS = ("whole", "weights", "classes")
WITHOUT_CONFIG = ("target", "layer", "model", *ONLY_PHOTOGRAPHS)


def _attribute(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.commands.explain.seen_part import tell_photographs
    from input_iba.commands.explain.images import photographs_config
    from input_iba.commands.explain.text_report import tell_texts
    from input_iba.commands.explain.texts import texts_config

    given = [name for name in ("image", "text") if getattr(arguments, name) is not None]
    if not given:
        _check_config(arguments)
        return explain_samples(arguments)
    ways = [*([f"a config ('{arguments.config}')"] if arguments.config else []), *given]
    if len(ways) > 1:
        named = " and ".join(f"--{way}" if way in given else way for way in ways)
        raise ConfigError(f"Both {named} are given: leave one of them out.")
    read: Callable[[Mapping[str, Any], str | None], RunConfig]
    told: Callable[[RunConfig, Path], str]
    if arguments.text is None:
        photographs = _photographs(arguments)
        name, told = photographs.name, tell_photographs
        read = partial(photographs_config, photographs)
    else:
        texts = _texts(arguments)
        name, told = texts.name, tell_texts
        read = partial(texts_config, texts)
    if arguments.work_dir is None:
        # Several processes must agree on the folder, whichever of them is first.
        fixed = arguments.resume or arguments.launcher != "none"
        arguments.work_dir = _free(Path("workdirs") / name.stem, fixed)
    return explain_samples(
        arguments,
        read=lambda overrides: read(overrides, arguments.preset),
        told=told,
    )


def _check_config(arguments: argparse.Namespace) -> None:
    """Refuse what means nothing without --image."""
    from input_iba.datasets.images import SUFFIXES

    if arguments.config is None:
        raise ConfigError(
            "Nothing to explain: give --image with photographs, --text with texts, or a CONFIG "
            "such as samples; `input-iba configs` lists them."
        )
    if arguments.config.suffix.lower() in SUFFIXES:
        raise ConfigError(
            f"'{arguments.config}' is not a config. To explain a photograph: --image "
            f"{arguments.config}"
        )
    given = [f"--{name}" for name in WITHOUT_CONFIG if getattr(arguments, name)]
    if given:
        raise ConfigError(
            f"{', '.join(given)} can be given with --image or --text only. A config says it "
            "itself, or --cfg-options attributor.layer=... in its place."
        )


def _photographs(arguments: argparse.Namespace) -> Photographs:
    from input_iba.commands.explain.images import Photographs
    from input_iba.models.named import DEFAULT_MODEL

    return Photographs(
        files=arguments.image,
        model=arguments.model or DEFAULT_MODEL,
        layer=arguments.layer,
        targets=arguments.target,
        weights=arguments.weights,
        classes=arguments.classes,
        whole=arguments.whole,
    )


def _texts(arguments: argparse.Namespace) -> AskedTexts:
    from input_iba.commands.explain.texts import AskedTexts

    given = [f"--{name}" for name in ONLY_PHOTOGRAPHS if getattr(arguments, name)]
    if given:
        raise ConfigError(f"{', '.join(given)} can be given with --image only; leave it out.")
    return AskedTexts(arguments.text, arguments.model, arguments.layer, arguments.target)


def _free(path: Path, fixed: bool) -> Path:
    """Return a work directory that holds no run, so that a command can be repeated at once."""
    found, number = path, 1
    while not fixed and (found / "manifest.json").is_file():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
