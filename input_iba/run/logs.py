"""The log: everything to the file, short lines to the terminal, no tracebacks there."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

LOGGER = logging.getLogger("input_iba")


class _TerminalHandler(logging.Handler):
    """Writes one clear line per message to stderr, above a progress bar that may be there."""

    def emit(self, record: logging.LogRecord) -> None:
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        text = f"{level}{record.getMessage()}"
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        tqdm.write(text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)


@contextmanager
def logging_to(path: Path, *, main: bool = True) -> Iterator[logging.Logger]:
    """Log to a file and to the terminal while the block runs.

    Args:
        path: The log file; continued when it exists.
        main: False for a further process of a run: the terminal and what concerns the run as a
            whole are the first one's, so only warnings and errors are logged, to the file, which
            is made when there are any.

    Yields:
        The package's logger.
    """
    file = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace", delay=not main)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    terminal = _TerminalHandler()
    earlier_level, earlier_propagate = LOGGER.level, LOGGER.propagate
    LOGGER.setLevel(logging.INFO if main else logging.WARNING)
    LOGGER.propagate = False
    LOGGER.addHandler(file)
    if main:
        LOGGER.addHandler(terminal)
    # Library warnings belong into the file, not between the lines of the terminal.
    logging.captureWarnings(True)
    warnings_log = logging.getLogger("py.warnings")
    warnings_log.addHandler(file)
    try:
        yield LOGGER
    finally:
        warnings_log.removeHandler(file)
        logging.captureWarnings(False)
        LOGGER.removeHandler(file)
        LOGGER.removeHandler(terminal)
        LOGGER.setLevel(earlier_level)
        LOGGER.propagate = earlier_propagate
        file.close()


def to_file_only(message: str) -> None:
    """Log details, such as a traceback, to the file only."""
    record = LOGGER.makeRecord(LOGGER.name, logging.INFO, __file__, 0, message, (), None)
    for handler in LOGGER.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)
