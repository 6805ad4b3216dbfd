"""The command `input-iba attribute`: images, texts, or the samples of a config."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from input_iba.cli.arguments import add_config
from input_iba.cli.explain import add_explain_options, explain_samples
from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import STATUS_HELP
from input_iba.commands.explain.options import GivenOptions, ImageOptions, TextOptions
from input_iba.errors import ConfigError
from input_iba.settings import declarations

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
    add_options(group, ImageOptions, only=("files",))
    add_options(group, TextOptions, only=("texts",))
    add_options(group, ImageOptions, without=("files",))
    add_config(parser, instead_of="--image")
    add_explain_options(parser)
    parser.set_defaults(command=_attribute)


def _attribute(arguments: argparse.Namespace) -> int:
    ways = [f"a config ('{arguments.config}')"] if arguments.config else []
    ways += ["--image"] if arguments.files else []
    ways += ["--text"] if arguments.texts else []
    if len(ways) > 1:
        raise ConfigError(f"Both {' and '.join(ways)} are given: leave one of them out.")
    if not (arguments.files or arguments.texts):
        _check_config(arguments)
        return explain_samples(arguments)
    given = _given(arguments)
    if arguments.work_dir is None:
        # Several processes must agree on the folder, whichever of them is first.
        fixed = arguments.resume or arguments.launcher != "none"
        arguments.work_dir = free_folder(Path("workdirs") / given.name.stem, fixed)
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
    asked = _asked(arguments)
    if asked:
        raise ConfigError(
            f"{', '.join(asked)} can be given with --image or --text only. A config says it "
            "itself, or --cfg-options attributor.layer=... in its place."
        )


def _given(arguments: argparse.Namespace) -> Given:
    """Return the images or texts that are to be explained."""
    from input_iba.commands.explain.images import GivenImages
    from input_iba.commands.explain.texts import GivenTexts

    if arguments.files:
        return from_arguments(GivenImages, arguments)
    asked = _asked(arguments, without=declarations(GivenOptions))
    if asked:
        raise ConfigError(f"{', '.join(asked)} can be given with --image only; leave it out.")
    return from_arguments(GivenTexts, arguments)


def _asked(arguments: argparse.Namespace, without: Collection[str] = ()) -> list[str]:
    """Return which options about images are given."""
    return [
        declared.flags[0]
        for name, declared in declarations(ImageOptions).items()
        if getattr(arguments, name) and name not in without
    ]


def free_folder(path: Path, fixed: bool) -> Path:
    """Return a work directory that holds no run, so that a command can be repeated at once."""
    found, number = path, 1
    while not fixed and (found / "manifest.json").is_file():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
