"""The commands that explain samples: `attribute`, `baseline` and `demo`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from input_iba.cli.given import check_config, free_folder, given_by, refuse_both
from input_iba.cli.options import (
    add_cfg_options,
    add_config,
    add_launcher,
    add_options,
    from_arguments,
)
from input_iba.cli.run import FAILED, STATUS_HELP, print_text
from input_iba.commands.explain.options import ImageOptions, TextOptions
from input_iba.config.settings import AttributionKeys
from input_iba.run.options import RunOptions

if TYPE_CHECKING:
    from input_iba.commands.explain.given import Given
    from input_iba.config.load import RunConfig
    from input_iba.run.launch import Processes

ATTRIBUTE = (
    "Explain images: input-iba attribute --image my.jpg; or texts: input-iba attribute --text "
    "'A fine film.' --model FOLDER, or what a language model answers to them; or an image and a "
    "text together, where FOLDER holds a dual encoder such as CLIP. Printed are the most probable "
    "classes; an overlay as PNG, the masks and a page to look at go to a work directory. Or "
    "explain every sample of a config's data set: maps and masks go to a work directory, with a "
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
    "amortised",
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
    parser.add_argument(
        "--explainer",
        metavar="FILE",
        type=Path,
        help="explain in one pass by a trained explainer, that 'input-iba train explainer' wrote "
        "for this classifier",
    )
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
    if not (arguments.files or arguments.texts):
        check_config(arguments)
        return _explain(arguments, _by_explainer(arguments))
    refuse_both(arguments)
    given = given_by(arguments)
    if arguments.work_dir is None:
        # Several processes must agree on the folder, whichever of them is first.
        fixed = arguments.resume or arguments.launcher != "none"
        name = next(iter(given.values())).name.stem
        arguments.work_dir = free_folder(Path("workdirs") / name, fixed)
    return _explain(arguments, _by_explainer(arguments), given=given)


def _by_explainer(arguments: argparse.Namespace) -> Callable[[RunConfig], RunConfig] | None:
    """Return what makes a trained explainer explain the samples of a config, if one is given."""
    from input_iba.config.other_method import with_baseline

    if arguments.explainer is None:
        return None
    how = {"overrides": arguments.cfg_options, "explainer": str(arguments.explainer)}
    return partial(with_baseline, method="amortised", **how)


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
    given: Mapping[str, Given] | None = None,
) -> int:
    """Explain the samples of a config that `adapt` changes, or what is given in their place.

    Of what is `given` each goes to a folder of its own in the work directory, by its name; one
    page shows them together.
    """
    from input_iba.config.load import load_config
    from input_iba.report import report_folders
    from input_iba.run.launch import launch
    from input_iba.run.on_ray import session

    overrides = dict(arguments.cfg_options)
    if arguments.internal_batch_size is not None:
        overrides["attribution_cfg.internal_batch_size"] = arguments.internal_batch_size
    options = from_arguments(RunOptions, arguments, cfg_options=overrides)
    with session(options), launch(options.launcher) as processes:
        with processes.together():
            if given is None:
                configs = {"": load_config(arguments.config, overrides, arguments.preset)}
            else:  # all of them first, so that none is bad
                configs = {n: one.config(overrides, arguments.preset) for n, one in given.items()}
            if adapt is not None:
                configs = {name: adapt(config) for name, config in configs.items()}
        if given is None:
            return _run(configs[""], options, processes)
        root = arguments.work_dir
        status = [
            _run(configs[name], replace(options, work_dir=root / name), processes, one)
            for name, one in given.items()
        ]
        if len(given) > 1 and processes.is_main:
            page = report_folders([root / name for name in given], root, title=root.name)
            print_text(f"\nBoth together: {page}")
        return max(status)


def _run(
    config: RunConfig, options: RunOptions, processes: Processes, given: Given | None = None
) -> int:
    """Explain the samples of a config, print what was found, and return the exit status."""
    from input_iba.commands.explain.run import run_attribution

    result = run_attribution(config, options, processes=processes)
    if processes.is_main:
        root = options.work_dir_for(config.path)
        print_text(result.table if given is None else given.told(config, root))
        print_text(f"\n{result.done} explained, {result.failed} failed. Report: {result.report}")
        if result.unread:
            print_text(f"{result.unread} samples of the estimation set could not be read.")
    return FAILED if result.failed or result.unread else 0
