"""Explain the samples of a config: what `attribute`, `baseline` and `demo` have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from input_iba.cli.arguments import add_launcher
from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.config.settings import AttributionKeys
from input_iba.run.options import RunOptions

if TYPE_CHECKING:
    from input_iba.commands.explain.given import Given
    from input_iba.config.load import RunConfig


def add_explain_options(parser: argparse.ArgumentParser) -> None:
    """Add what `explain_samples` reads, beside the config and its overrides."""
    add_options(parser, RunOptions)
    add_options(parser, AttributionKeys)
    add_launcher(parser)


def explain_samples(
    arguments: argparse.Namespace,
    adapt: Callable[[RunConfig], RunConfig] | None = None,
    given: Given | None = None,
) -> int:
    """Explain the samples of a config, and print the table; return the exit status.

    Args:
        arguments: Those of `add_config` and `add_explain_options`.
        adapt: Changes the config once it is read.
        given: What is explained in place of a config's samples.
    """
    # Imported here, so that --help and typing errors answer at once.
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
