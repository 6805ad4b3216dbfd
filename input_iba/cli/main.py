"""The commands, and the one place where errors become messages and exit status."""

from __future__ import annotations

import argparse
import io
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from input_iba import __version__
from input_iba.cli.arguments import add_config, add_launcher, add_preset, add_run_options
from input_iba.cli.compare import COMPARE_HELP, COMPARE_STATUS_HELP, set_up_compare
from input_iba.cli.figure import FIGURE_HELP, set_up_figure
from input_iba.cli.photographs import PHOTOGRAPH_HELP, set_up_attribute, set_up_layers
from input_iba.cli.report import REPORT_HELP, REPORT_STATUS_HELP, set_up_report
from input_iba.engine.interruption import Terminated
from input_iba.engine.launchers import speaks
from input_iba.errors import InputIBAError

if TYPE_CHECKING:
    from input_iba.engine.config import RunConfig

FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
"""Exit status: some sample failed; wrong config or usage; interrupt key; SIGTERM."""

STATUS_HELP = (
    "exit status: 0 everything explained, 1 some sample failed or could not be read, 2 the config "
    "or an option is wrong, 130 interrupted"
)

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `input-iba`.

    Args:
        argv: Arguments after the command's name; None for those of the process.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        prog="input-iba",
        description="See which pixels made a PyTorch classifier decide.",
        epilog=STATUS_HELP,
    )
    parser.add_argument("--version", action="version", version=f"input-iba {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    explain = commands.add_parser(
        "attribute",
        help="explain photographs, or every sample of a config's data set",
        description=f"{PHOTOGRAPH_HELP} {ATTRIBUTE_HELP}",
        epilog=STATUS_HELP,
    )
    set_up_attribute(explain)
    layers = commands.add_parser(
        "layers",
        help="list the classifier's layers with their output shapes",
        description="List the classifier's layers with their output shapes (channels, height, "
        "width), so that one can be chosen as attributor.layer, or as --layer of a photograph.",
        epilog=STATUS_HELP,
    )
    set_up_layers(layers)
    compare = commands.add_parser(
        "compare",
        help="score the maps of several work directories on the same samples",
        description=COMPARE_HELP,
        epilog=COMPARE_STATUS_HELP,
    )
    set_up_compare(compare)
    figure = commands.add_parser(
        "figure",
        help="draw a grid of samples and methods, or curves of an evaluation",
        description=FIGURE_HELP,
        epilog=STATUS_HELP,
    )
    set_up_figure(figure)
    report = commands.add_parser(
        "report",
        help="write the HTML page of one work directory, or of several side by side",
        description=REPORT_HELP,
        epilog=REPORT_STATUS_HELP,
    )
    set_up_report(report)
    return run_command(parser, argv)


def train(argv: Sequence[str] | None = None) -> int:
    """Run `attribute` as a command of its own, under the name of the published script."""
    parser = argparse.ArgumentParser(description=ATTRIBUTE_HELP, epilog=STATUS_HELP)
    add_config(parser)
    add_explain_options(parser)
    parser.set_defaults(command=explain_samples)
    return run_command(parser, argv)


ATTRIBUTE_HELP = (
    "Explain every sample of a config's data set: feature masks and input masks go to a work "
    "directory, with a record per sample and a report.html."
)


def add_explain_options(parser: argparse.ArgumentParser) -> None:
    """Add what `explain_samples` reads, beside the config."""
    add_preset(parser)
    add_run_options(parser)
    add_launcher(parser)


def run_command(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Parse, run, and turn what goes wrong into one message and an exit status.

    Args:
        parser: Sets `command` to a function from the parsed arguments to the exit status.
        argv: Arguments after the command's name; None for those of the process.
    """
    try:
        arguments = _parse(parser, sys.argv[1:] if argv is None else argv)
        command: Command = arguments.command
        return command(arguments)
    except InputIBAError as error:
        if not error.said:
            _say(f"error: {error}")
        return USAGE if error.usage else FAILED
    except KeyboardInterrupt as error:
        return TERMINATED if isinstance(error, Terminated) else INTERRUPTED
    except BrokenPipeError:
        # The reader of the output, `head` say, has seen enough.
        sys.stderr.close()
        return 0
    except OSError as error:
        # A full disk, a folder without permission: nothing that a traceback would explain.
        _say(f"error: {error}. What is done is kept.")
        return FAILED
    # Whatever else happens is a fault of ours, and the one message that needs a traceback.
    except Exception as error:
        _say(
            f"error: unexpected {type(error).__name__}: {error}. What is done is kept. "
            "This may be a fault of input_iba: please report it with the lines below.\n"
            + traceback.format_exc()
        )
        return FAILED


def _parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse; of several processes with the same wrong arguments one says what is wrong."""
    if speaks(argv):
        return parser.parse_args(argv)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return parser.parse_args(argv)


def explain_samples(
    arguments: argparse.Namespace,
    adapt: Callable[[RunConfig], RunConfig] | None = None,
    read: Callable[[Mapping[str, Any]], RunConfig] | None = None,
    told: Callable[[RunConfig, Path], str] | None = None,
) -> int:
    """Explain the samples of a config, and print the table; return the exit status.

    Args:
        arguments: Those of `add_config` and `add_explain_options`.
        adapt: Changes the config once it is read.
        read: Makes a config of overrides, where there is no file to read.
        told: Returns what is printed in place of the table, of a config and its work directory.
    """
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.engine.attribution_run import run_attribution
    from input_iba.engine.config import load_config
    from input_iba.engine.launch import launch
    from input_iba.engine.options import RunOptions

    overrides = dict(arguments.cfg_options)
    if arguments.internal_batch_size is not None:
        overrides["attribution_cfg.internal_batch_size"] = arguments.internal_batch_size
    options = RunOptions(
        work_dir=arguments.work_dir,
        device=arguments.device,
        gpu_id=arguments.gpu_id,
        precision=arguments.precision,
        seed=arguments.seed,
        out_style=arguments.out_style,
        resume=arguments.resume,
        progress_bar=arguments.pbar,
        subset_file=arguments.subset_file,
        num_samples=arguments.num_samples,
        samples_per_batch=arguments.samples_per_batch,
        preset=arguments.preset,
        cfg_options=overrides,
    )
    with launch(arguments.launcher) as processes:
        with processes.together():
            if read is None:
                config = load_config(arguments.config, overrides, arguments.preset)
            else:
                config = read(overrides)
            config = config if adapt is None else adapt(config)
        result = run_attribution(config, options, processes=processes)
        if processes.is_main:
            root = options.work_dir_for(config.path)
            print_text(result.table if told is None else told(config, root))
            print_text(
                f"\n{result.done} explained, {result.failed} failed. Report: {result.report}"
            )
            if result.unread:
                print_text(f"{result.unread} samples of the estimation set could not be read.")
    return FAILED if result.failed or result.unread else 0


def _say(message: str) -> None:
    print_text(message, sys.stderr)


def print_text(text: str, stream: object = None) -> None:
    """Print text that the terminal's encoding may not hold."""
    out = sys.stdout if stream is None else sys.stderr
    encoding = getattr(out, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=out, flush=True)


if __name__ == "__main__":
    sys.exit(main())
