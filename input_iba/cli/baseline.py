"""The command `input-iba baseline`: explain by another method, to compare with."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.arguments import add_config
from input_iba.cli.explain import add_explain_options, explain_samples
from input_iba.cli.run import STATUS_HELP

METHODS = (
    *("gradient", "input_x_gradient", "smooth_grad", "int_grad", "guided_bp", "grad_cam"),
    *("deep_shap", "occlusion", "lime", "kernel_shap", "rise", "ex_perturb", "iba", "random"),
)
"""Names of the methods, for the help text; what a method cannot explain it says itself."""


DESCRIPTION = (
    "Explain every sample of a config's data set by another method: its maps go to a work "
    "directory as those of our own, input_masks and all, for the evaluation commands."
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add the config, the method, and the options of `attribute`."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
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
        help="layer that grad_cam or iba looks at (default: of grad_cam the last layer whose "
        "output is a map, of iba attributor.layer)",
    )
    add_explain_options(parser)
    parser.set_defaults(command=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.config.load import RunConfig, with_baseline

    def adapt(config: RunConfig) -> RunConfig:
        return with_baseline(
            config, arguments.method, arguments.saliency_layer, arguments.cfg_options
        )

    if arguments.work_dir is None:
        name = f"{arguments.config.stem}_{arguments.method}"
        arguments.work_dir = Path("workdirs") / name
    return explain_samples(arguments, adapt)
