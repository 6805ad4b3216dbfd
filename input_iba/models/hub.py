"""Networks, tokenizers and processors of `transformers` in folders, or of names on the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from input_iba.errors import CheckpointError, closest, import_extra
from input_iba.models.checkpoints import only_weights

TRUST_KEY = "trust_remote_code"

REMOTE_CODE: ContextVar[bool] = ContextVar("REMOTE_CODE", default=False)
"""Whether code may run that lies beside a network's weights, on the hub or in a folder."""


@dataclass(frozen=True)
class Trust:
    """Whether that holds, to be sent to another process."""

    remote_code: bool

    @classmethod
    def now(cls) -> Trust:
        """Return what holds here."""
        return cls(REMOTE_CODE.get())

    def take(self) -> None:
        """Let it hold here, too."""
        REMOTE_CODE.set(self.remote_code)


@contextmanager
def remote_code() -> Iterator[None]:
    """Let the code of the networks that are loaded run, while the block does."""
    token = REMOTE_CODE.set(True)
    try:
        yield
    finally:
        REMOTE_CODE.reset(token)


def transformers_package() -> ModuleType:
    """Import `transformers`, or raise a `MissingExtraError`."""
    return import_extra("transformers", "transformers", "text")


FOLDER = "that `save_pretrained` wrote, for model and tokenizer both"
TOKENIZER = (
    "with the tokenizer of its texts, as `tokenizer.save_pretrained` writes it (a network of "
    "images takes --image)"
)
PROCESSOR = (
    "with preprocessor_config.json, as `processor.save_pretrained` writes it (a network of texts "
    "takes --text)"
)
"""What folders are expected to be like."""


def from_place(
    place: str, load: Callable[..., Any], expected: str = FOLDER, **arguments: Any
) -> Any:
    """Load something with `transformers` from a folder or the hub, or raise a `CheckpointError`."""
    try:
        with _silent(), only_weights():
            return load(place, trust_remote_code=REMOTE_CODE.get(), **arguments)
    except Exception as error:  # from files, from the hub, and from the network between
        reason = str(error).strip().split("\n")[0]
        if TRUST_KEY in str(error) and not REMOTE_CODE.get():
            raise CheckpointError(
                f"{place!r} brings code of its own, which is not run: it could do anything to your "
                "files. Read it, and give --trust-remote-code where you trust its authors."
            ) from error
        raise CheckpointError(
            f"Nothing could be loaded from {place!r} ({type(error).__name__}: {reason}). Expected "
            f"a folder {expected}; or a name on the hub, which needs a connection once."
            f"{_near(str(place))}"
        ) from error


def _near(place: str) -> str:
    """Return a sentence on folders beside a mistyped one, empty for none."""
    beside = Path(place).parent
    folders = [path.name for path in beside.glob("*") if path.is_dir()]
    return "" if Path(place).is_dir() else closest(Path(place).name, folders)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep `transformers` from reporting; what is missing becomes an error of ours."""
    speech = transformers_package().utils.logging
    level, bars = speech.get_verbosity(), speech.is_progress_bar_enabled()
    speech.set_verbosity_error()
    speech.disable_progress_bar()
    try:
        yield
    finally:
        speech.set_verbosity(level)
        if bars:
            speech.enable_progress_bar()


def load_tokenizer(place: str) -> Any:
    """Load the fast tokenizer in a folder, or of a name on the hub.

    Raises:
        CheckpointError: There is none, or none that knows which piece belongs to which word.
    """
    load = transformers_package().AutoTokenizer.from_pretrained
    tokenizer = from_place(place, load, TOKENIZER)
    if not tokenizer.is_fast:
        raise CheckpointError(
            f"The tokenizer in {place!r} cannot say which piece belongs to which word. Save a fast "
            "one beside the weights (tokenizer.json)."
        )
    return tokenizer
