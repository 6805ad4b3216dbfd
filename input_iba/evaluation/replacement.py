"""The setting of metrics of words that says what becomes of the words they hide."""

from __future__ import annotations

from typing import Any

from input_iba.settings import setting


def replace_setting(how: str, fixed: bool = False) -> Any:
    """Declare what becomes of hidden words, `how` by default, or always where that is `fixed`.

    Metrics with a fixed one stand beside each other in a comparison.
    """
    choices = (how,) if fixed else ("zero", "mask", "remove")
    return setting(
        how,
        "what becomes of a hidden word: its embedding is 0, a mask token (or <unk>) stands there, "
        "or it is taken out of the text",
        choices=choices,
    )
