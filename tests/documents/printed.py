"""What the documents print: blocks of commands and Python, commands in sentences, options."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path.relative_to(ROOT).as_posix()
    for path in (
        *(ROOT / "README.md", ROOT / "CONTRIBUTING.md"),
        *sorted((ROOT / "tutorials").glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    )
]

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
PROGRAMS = ("python", "input-iba", "torchrun", "srun", "make", "pip")


@dataclass(frozen=True)
class Block:
    """A fenced block of a document.

    Attributes:
        document: Path below the repository.
        line: Of its first line of text, counted from 1.
        language: As the fence says, '' for none.
        text: Without the indentation of the fence.
    """

    document: str
    line: int
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, with continued lines joined and comments left out."""
        lines = re.sub(r"\\\n\s*", "", self.text).splitlines()
        return [line for raw in lines if (line := raw.partition("  #")[0].strip())]


def read(document: str) -> str:
    """Return a document's text."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[Block]:
    """Return the fenced blocks of a document in order."""
    text = read(document)
    return [
        Block(
            document, text.count("\n", 0, found.start(3)) + 1, found[2], textwrap.dedent(found[3])
        )
        for found in FENCE.finditer(text)
    ]


def spans(document: str) -> list[str]:
    """Return what stands in single backticks, outside of blocks, on one line each."""
    return [
        " ".join(found.split()) for found in re.findall(r"`([^`]+)`", FENCE.sub("", read(document)))
    ]


def commands_in_sentences(document: str) -> list[str]:
    """Return the spans that begin with a program's name and say something to it."""
    return [span for span in spans(document) if span.split()[0] in PROGRAMS and " " in span]
