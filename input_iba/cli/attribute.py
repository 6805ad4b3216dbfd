"""The command `input-iba attribute`: images, texts, or the samples of a config."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from input_iba.cli.arguments import add_config
from input_iba.cli.explain import add_explain_options, explain_samples
from input_iba.cli.run import STATUS_HELP
from input_iba.errors import ConfigError

if TYPE_CHECKING:
    from input_iba.commands.explain.given import Given

DESCRIPTION = (
    "Explain images: input-iba attribute --image my.jpg; or texts: input-iba attribute --text "
    "'A fine film.' --model FOLDER. Printed are the most probable classes; an overlay as PNG, the "
    "masks and a page to look at go to a work directory. Or explain every sample of a config's "
    "data set: feature masks and input masks go to a work directory, with a record per sample and "
    "a report.html."
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add what explains images, texts, or the samples of a config."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    group = parser.add_argument_group("images and texts")
    group.add_argument(
        "--image",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="images to explain, of any format and size, in place of a config",
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
        help="let the network see all of the image instead of the square in its middle",
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


ONLY_IMAGES = ("whole", "weights", "classes")
WITHOUT_CONFIG = ("target", "layer", "model", *ONLY_IMAGES)


def _attribute(arguments: argparse.Namespace) -> int:
    ways = [*([f"a config ('{arguments.config}')"] if arguments.config else [])]
    ways += [f"--{name}" for name in ("image", "text") if getattr(arguments, name) is not None]
    if len(ways) > 1:
        raise ConfigError(f"Both {' and '.join(ways)} are given: leave one of them out.")
    if arguments.image is None and arguments.text is None:
        _check_config(arguments)
        return explain_samples(arguments)
    given = _given(arguments)
    if arguments.work_dir is None:
        # Several processes must agree on the folder, whichever of them is first.
        fixed = arguments.resume or arguments.launcher != "none"
        arguments.work_dir = _free(Path("workdirs") / given.name.stem, fixed)
    return explain_samples(arguments, given=given)


def _check_config(arguments: argparse.Namespace) -> None:
    """Refuse what means nothing without --image or --text."""
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.datasets.images import SUFFIXES

    if arguments.config is None:
        raise ConfigError(
            "Nothing to explain: give --image with images, --text with texts, or a CONFIG such as "
            "samples; `input-iba configs` lists them."
        )
    if arguments.config.suffix.lower() in SUFFIXES:
        raise ConfigError(
            f"'{arguments.config}' is not a config. To explain an image: --image {arguments.config}"
        )
    asked = [f"--{name}" for name in WITHOUT_CONFIG if getattr(arguments, name)]
    if asked:
        raise ConfigError(
            f"{', '.join(asked)} can be given with --image or --text only. A config says it "
            "itself, or --cfg-options attributor.layer=... in its place."
        )


def _given(arguments: argparse.Namespace) -> Given:
    """Return the images or texts that are to be explained."""
    from input_iba.commands.explain.images import GivenImages
    from input_iba.commands.explain.texts import GivenTexts

    by = {"model": arguments.model, "layer": arguments.layer, "targets": arguments.target}
    only_images = {name: getattr(arguments, name) for name in ONLY_IMAGES}
    if arguments.text is None:
        return GivenImages(files=arguments.image, **by, **only_images)
    asked = [f"--{name}" for name, value in only_images.items() if value]
    if asked:
        raise ConfigError(f"{', '.join(asked)} can be given with --image only; leave it out.")
    return GivenTexts(texts=arguments.text, **by)


def _free(path: Path, fixed: bool) -> Path:
    """Return a work directory that holds no run, so that a command can be repeated at once."""
    found, number = path, 1
    while not fixed and (found / "manifest.json").is_file():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
