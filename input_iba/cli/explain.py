"""The commands that explain samples: `attribute`, `baseline` and `demo`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from input_iba.cli.options import (
    add_cfg_options,
    add_config,
    add_launcher,
    add_options,
    from_arguments,
)
from input_iba.cli.run import FAILED, STATUS_HELP, print_text
from input_iba.commands.explain.options import GivenOptions, ImageOptions, TextOptions
from input_iba.config.settings import AttributionKeys
from input_iba.errors import ConfigError
from input_iba.run.options import RunOptions
from input_iba.settings import declarations

if TYPE_CHECKING:
    from input_iba.commands.explain.given import Given
    from input_iba.config.load import RunConfig

ATTRIBUTE = (
    "Explain images: input-iba attribute --image my.jpg; or texts: input-iba attribute --text "
    "'A fine film.' --model FOLDER, or what a language model answers to them. Printed are the most "
    "probable classes; an overlay as PNG, the masks and a page to look at go to a work directory. "
    "Or explain every sample of a config's data set: maps and masks go to a work directory, with a "
    "record per sample and a report.html."
)

BASELINE = (
    "Explain every sample of a config's data set by another method: its maps go to input_masks in "
    "a work directory like those of our own, for the evaluation commands."
)

DEMO = (
    "Explain six images, which come with packages (the extra 'samples') as the network does: "
    "the config samples, with --resume, so that the command can be repeated."
)

METHODS = (
    *("gradient", "input_x_gradient", "smooth_grad", "int_grad", "smooth_int_grad"),
    *("blur_int_grad", "expected_gradients", "guided_bp"),
    *("grad_cam", "grad_cam_pp", "layer_cam", "score_cam"),
    *("attention_rollout", "gradient_attention", "legrad", "coiba"),
    *("deep_shap", "occlusion", "lime", "kernel_shap", "rise", "ex_perturb", "iba", "random"),
)
"""Names of the methods, for the help text; what a method cannot explain it says itself."""


OF_ANSWERS = ("continuation", "generate", "each_token")
"""Options about the answers of language models."""


def set_up_attribute(parser: argparse.ArgumentParser) -> None:
    """Add what explains images, texts, or the samples of a config."""
    parser.description = ATTRIBUTE
    group = parser.add_argument_group("images and texts")
    add_options(group, ImageOptions, only=("files",))
    add_options(group, TextOptions, only=("texts",))
    add_options(group, ImageOptions, without=("files",))
    add_options(group, TextOptions, only=OF_ANSWERS)
    add_config(parser, instead_of="--image")
    _add_explain_options(parser)
    parser.set_defaults(command=_attribute)


def set_up_baseline(parser: argparse.ArgumentParser) -> None:
    """Add the config, the method, and the options of `attribute`."""
    parser.description = BASELINE
    add_config(parser)
    parser.add_argument(
        "method",
        metavar="METHOD",
        help=f"one of {', '.join(METHODS)}. Settings: baseline = dict(type=METHOD, ...) in the "
        "config, or --cfg-options baseline.KEY=VALUE",
    )
    parser.add_argument(
        "--saliency-layer",
        metavar="LAYER",
        help="layer that a CAM or iba looks at (default: of CAMs the last layer whose output is a "
        "map, of iba attributor.layer)",
    )
    _add_explain_options(parser)
    parser.set_defaults(command=_baseline)


def set_up_demo(parser: argparse.ArgumentParser) -> None:
    """Add the options of `attribute`, and choose the config."""
    parser.description = DEMO
    add_cfg_options(parser)
    _add_explain_options(parser)
    parser.set_defaults(command=_explain, config="samples", resume=True)


def _add_explain_options(parser: argparse.ArgumentParser) -> None:
    """Add what `_explain` reads, beside the config and its overrides."""
    parser.epilog = STATUS_HELP
    add_options(parser, RunOptions)
    add_options(parser, AttributionKeys)
    add_launcher(parser)


def _attribute(arguments: argparse.Namespace) -> int:
    ways = [f"a config ('{arguments.config}')"] if arguments.config else []
    ways += ["--image"] if arguments.files else []
    ways += ["--text"] if arguments.texts else []
    if len(ways) > 1:
        raise ConfigError(f"Both {' and '.join(ways)} are given: leave one of them out.")
    if not (arguments.files or arguments.texts):
        _check_config(arguments)
        return _explain(arguments)
    given = _given(arguments)
    if arguments.work_dir is None:
        # Several processes must agree on the folder, whichever of them is first.
        fixed = arguments.resume or arguments.launcher != "none"
        arguments.work_dir = free_folder(Path("workdirs") / given.name.stem, fixed)
    return _explain(arguments, given=given)


def _check_config(arguments: argparse.Namespace) -> None:
    """Refuse what means nothing without --image or --text."""
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
    asked = _asked(arguments, ImageOptions) + _asked(arguments, TextOptions, GivenOptions)
    if asked:
        raise ConfigError(
            f"{', '.join(asked)} can be given with --image or --text only. A config says it "
            "itself, or --cfg-options attributor.layer=... in its place."
        )


def _given(arguments: argparse.Namespace) -> Given:
    """Return the images or texts that are to be explained."""
    from input_iba.commands.explain.images import GivenImages
    from input_iba.commands.explain.texts import GivenTexts

    other, way = (TextOptions, "--text") if arguments.files else (ImageOptions, "--image")
    asked = _asked(arguments, other, GivenOptions)
    if asked:
        raise ConfigError(f"{', '.join(asked)} can be given with {way} only; leave it out.")
    return from_arguments(GivenImages if arguments.files else GivenTexts, arguments)


def _asked(arguments: argparse.Namespace, kind: type, without: type | None = None) -> list[str]:
    """Return which of the options of a kind of input are given, `without` those of another."""
    known = {} if without is None else declarations(without)
    return [
        declared.flags[0]
        for name, declared in declarations(kind).items()
        if getattr(arguments, name) and name not in known
    ]


def free_folder(path: Path, fixed: bool) -> Path:
    """Return a work directory that holds no run, so that a command can be repeated at once."""
    found, number = path, 1
    while not fixed and (found / "manifest.json").is_file():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def _baseline(arguments: argparse.Namespace) -> int:
    from input_iba.config.other_method import with_baseline

    method, layer = arguments.method, arguments.saliency_layer
    if arguments.work_dir is None:
        arguments.work_dir = Path("workdirs") / f"{arguments.config.stem}_{method}"
    adapt = partial(with_baseline, method=method, layer=layer, overrides=arguments.cfg_options)
    return _explain(arguments, adapt)


def _explain(
    arguments: argparse.Namespace,
    adapt: Callable[[RunConfig], RunConfig] | None = None,
    given: Given | None = None,
) -> int:
    """Explain the samples of a config that `adapt` changes, or what is given in their place."""
    from input_iba.commands.explain.run import run_attribution
    from input_iba.config.load import load_config
    from input_iba.run.launch import launch

    overrides = dict(arguments.cfg_options)
    if arguments.internal_batch_size is not None:
        overrides["attribution_cfg.internal_batch_size"] = arguments.internal_batch_size
    options = from_arguments(RunOptions, arguments, cfg_options=overrides)
    with launch(arguments.launcher) as processes:
        with processes.together():
            if given is None:
                config = load_config(arguments.config, overrides, arguments.preset)
            else:
                config = given.config(overrides, arguments.preset)
            config = config if adapt is None else adapt(config)
        result = run_attribution(config, options, processes=processes)
        if processes.is_main:
            root = options.work_dir_for(config.path)
            print_text(result.table if given is None else given.told(config, root))
            print_text(
                f"\n{result.done} explained, {result.failed} failed. Report: {result.report}"
            )
            if result.unread:
                print_text(f"{result.unread} samples of the estimation set could not be read.")
    return FAILED if result.failed or result.unread else 0
