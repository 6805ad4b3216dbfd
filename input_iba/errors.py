"""Errors that say what is wrong, what was expected, what came, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

MAX_MESSAGE = 10_000
"""Characters of a message that somebody may still read."""


class InputIBAError(Exception):
    """Base of all errors that a user of the toolkit can cause and mend.

    Attributes:
        said: Whether the user has been told already.
        usage: Whether a config, an option or a file is to be mended.
    """

    said = False
    usage = True

    def __str__(self) -> str:
        """Return the message, without its middle where a value in it is endless."""
        text, half = super().__str__(), MAX_MESSAGE // 2
        return text if len(text) <= MAX_MESSAGE else f"{text[:half]} […] {text[-half:]}"


class ConfigError(InputIBAError):
    """A config file, a key of it, or a command-line option is wrong."""


class LayerNotFoundError(ConfigError):
    """The classifier has no module of the given name."""


class MissingExtraError(InputIBAError):
    """A package of an optional extra is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"Package '{package}' is not installed. Install the extra '{extra}': "
            f"pip install 'input-iba[{extra}]'"
        )


def import_extra(module: str, package: str, extra: str) -> ModuleType:
    """Import a module that a package of an optional extra brings.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, extra) from error


class DataError(InputIBAError):
    """A folder, a file or a sample cannot be used."""


class StoreError(InputIBAError):
    """Files that lie elsewhere than in the work directory cannot be reached, or put there."""

    usage = False


class CheckpointError(InputIBAError):
    """A checkpoint cannot be read, or does not fit its network."""


class AttributionError(InputIBAError):
    """A map cannot be computed, or would mean nothing."""


class EvaluationError(InputIBAError):
    """A map cannot be scored, or its score would mean nothing."""


class ResumeError(InputIBAError):
    """A work directory holds something that the present run may not overwrite or continue."""


class ProcessError(InputIBAError):
    """Another process of this run could not go on, so this one cannot either."""

    def __init__(self, message: str, *, said: bool, usage: bool = False) -> None:
        super().__init__(message)
        self.said = said
        self.usage = usage


def closest(name: str, candidates: Iterable[str], most: int = 3) -> str:
    """Return a sentence on which candidates a mistyped name is nearest to, empty for none.

    >>> closest("vgg_16", ["vgg16", "resnet18"])
    " Closest: 'vgg16'."
    """
    names = sorted({str(candidate) for candidate in candidates})
    near = difflib.get_close_matches(name, names, n=most, cutoff=0.5)
    return f" Closest: {', '.join(repr(n) for n in near)}." if near else ""
