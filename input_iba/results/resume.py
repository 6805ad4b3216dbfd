"""Continue what an earlier start left, or refuse to: one comparison and one wording for all."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from input_iba.errors import ResumeError

OTHERWISE = "choose another --work-dir"


def may_continue(
    what: str,
    then: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    wanted: bool,
    otherwise: str = OTHERWISE,
    option: str = "--resume",
) -> bool:
    """Return whether something is continued; False where nothing is there.

    Messages call it `what`. Plain data that must stay the same was `then`, None where nothing is
    there, and is `now`. The user asks for it by the `option`, or can do `otherwise`.

    Raises:
        ResumeError: Something is there and is not to be continued, or was made otherwise.
    """
    if then is None:
        return False
    if not wanted:
        raise ResumeError(f"{what} is there already. Continue it with {option}, or {otherwise}.")
    refuse_changes(what, then, now, otherwise)
    return True


def refuse_changes(
    what: str, then: Mapping[str, Any], now: Mapping[str, Any], otherwise: str = OTHERWISE
) -> None:
    """Refuse to continue what was made with other settings; see `may_continue`.

    Raises:
        ResumeError: Names every difference.
    """
    changed = differences(then, now)
    if changed:
        raise ResumeError(
            f"{what} cannot be continued:\n  "
            + "\n  ".join(changed)
            + f"\nUse the same again, or {otherwise}."
        )


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what differs between plain data: settings in sections by dotted key, texts by line.

    >>> differences({"seed": 0, "net": {"k": 4}}, {"seed": 0, "net": {"k": 8}})
    ['net.k: was 4, now 8']
    """
    before, after = dict(_flat(then)), dict(_flat(now))
    return [
        _difference(key, before.get(key), after.get(key))
        for key in before | after
        if before.get(key) != after.get(key)
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield values by dotted key, as they come back from JSON."""
    for key, value in json.loads(json.dumps(values, default=str)).items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _difference(key: str, then: Any, now: Any) -> str:
    if not any(isinstance(value, str) and "\n" in value for value in (then, now)):
        return f"{key}: was {then}, now {now}"
    before, after = (str(value or "").splitlines() for value in (then, now))
    return "\n".join([f"{key}:", *difflib.unified_diff(before, after, "was", "now", "", "", 1, "")])
