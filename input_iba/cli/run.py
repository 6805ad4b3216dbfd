"""Run what was parsed, and the one place where errors become messages and exit status."""

from __future__ import annotations

import argparse
import io
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from input_iba.errors import InputIBAError
from input_iba.run.launchers import Terminated, speaks

FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
"""Exit status: some sample failed; wrong config or usage; interrupt key; SIGTERM."""

STATUS_HELP = (
    "exit status: 0 everything explained, 1 some sample failed or could not be read, 2 the config "
    "or an option is wrong, 130 interrupted"
)


def run_command(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Parse, run, and turn what goes wrong into one message and an exit status.

    The parser sets `command` to a function from the parsed arguments to the exit status.
    """
    try:
        arguments = _parse(parser, sys.argv[1:] if argv is None else argv)
        command: Callable[[argparse.Namespace], int] = arguments.command
        with _trusting(arguments):
            return command(arguments)
    except InputIBAError as error:
        if not error.said:
            print_text(f"error: {error}", sys.stderr)
        return USAGE if error.usage else FAILED
    except KeyboardInterrupt as error:
        return TERMINATED if isinstance(error, Terminated) else INTERRUPTED
    except BrokenPipeError:
        # The reader of the output, `head` say, has seen enough.
        sys.stderr.close()
        return 0
    except OSError as error:
        # A full disk, a folder without permission: nothing that a traceback would explain.
        print_text(f"error: {error}. What is done is kept.", sys.stderr)
        return FAILED
    # Whatever else happens is a fault of ours, and the one message that needs a traceback.
    except Exception as error:
        print_text(
            f"error: unexpected {type(error).__name__}: {error}. What is done is kept. "
            "This may be a fault of input_iba: please report it with the lines below.\n"
            + traceback.format_exc(),
            sys.stderr,
        )
        return FAILED


@contextmanager
def _trusting(arguments: argparse.Namespace) -> Iterator[None]:
    """Run no more of others' code, while the block runs, than the arguments say."""
    with ExitStack() as stack:
        if getattr(arguments, "safe_config", False):
            from input_iba.config.literal import literal_only

            stack.enter_context(literal_only())
        if getattr(arguments, "trust_remote_code", False):
            from input_iba.models.hub import remote_code

            stack.enter_context(remote_code())
        yield


def _parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse; of several processes with the same wrong arguments one says what is wrong."""
    if speaks(argv):
        return parser.parse_args(argv)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return parser.parse_args(argv)


def print_text(text: str, stream: TextIO | None = None) -> None:
    """Print text that the terminal's encoding may not hold."""
    out = stream or sys.stdout
    encoding = getattr(out, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=out, flush=True)
