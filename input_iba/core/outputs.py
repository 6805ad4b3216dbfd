"""Which part of what a classifier returns are its logits, and what its classes are called."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils._pytree import tree_leaves

from input_iba.core.explainable import weights_digest
from input_iba.errors import AttributionError

Output = int | str | Callable[[Any], Tensor]
"""Which part of what a classifier returns its logits are: index, key, or a function of it."""

LOGITS = "logits"

NUMBERED = re.compile(r"(label|class)?[ _]*\d+", re.IGNORECASE)
"""Labels that only count the classes."""


def select_logits(returned: Any, rows: int, output: Output | None = None) -> Tensor:
    """Return the logits in what a classifier returned.

    Args:
        returned: A tensor; or a tuple, list, dict, `ModelOutput` or other object that holds it.
        rows: Number of inputs, B.
        output: Which part to take. None takes a tensor as it is, and of anything else what is
            called 'logits', or the only tensor of shape (B, classes).

    Returns:
        (B, classes).

    Raises:
        AttributionError: There are no logits of that shape, or several tensors could be meant.

    >>> import torch
    >>> select_logits({"embedding": torch.ones(2, 3, 4), "scores": torch.zeros(2, 5)}, 2).shape
    torch.Size([2, 5])
    """
    found = _logits_in(returned, rows) if output is None else part_of(returned, output)
    if not isinstance(found, Tensor):
        raise AttributionError(
            f"The classifier's output={output!r} is of type {type(found).__name__}; expected a "
            f"tensor of logits, ({rows}, classes)."
        )
    if found.ndim != 2 or found.shape[0] != rows:
        single = found.ndim == 1 and len(found) == rows
        remedy = " Give output=lambda z: z[:, None] if it is one logit per input." if single else ""
        raise AttributionError(
            f"The classifier puts out shape {tuple(found.shape)} for {rows} inputs; expected "
            f"logits of shape ({rows}, classes).{remedy} Another target may ask about it: "
            "SegmentTarget, BoxTarget, RegressionTarget, EmbeddingTarget, TokenTarget."
        )
    return found


def is_detections(returned: Any) -> bool:
    """Return whether a model returned a dict per image, as detectors of torchvision do."""
    return isinstance(returned, list | tuple) and all(isinstance(one, Mapping) for one in returned)


def everything(returned: Any, inputs: Tensor, tokens: Any = None) -> Tensor:
    """Return all numbers that a model returned for inputs (B, …), as (B, N), padded with 0.

    They only serve to see whether two ways to run a model agree. What it says of padding behind
    the longest text is left out.
    """
    rows = len(inputs)
    if is_detections(returned):
        each = [torch.cat([leaf.reshape(-1) for leaf in _numbers(one)]) for one in returned]
        return pad_sequence(each, batch_first=True).to(inputs.dtype)
    fitting = [leaf for leaf in _numbers(returned) if leaf.ndim and len(leaf) == rows]
    lengths, padded = getattr(tokens, "lengths", None), inputs.shape[1]
    if lengths is not None:
        longest = int(lengths.max())
        fitting = [leaf[:, :longest] if leaf.shape[1:2] == (padded,) else leaf for leaf in fitting]
    flat = [leaf.reshape(rows, -1).to(inputs.dtype) for leaf in fitting]
    return torch.cat(flat, 1) if flat else inputs.new_zeros(rows, 0)


def _numbers(returned: Any) -> list[Tensor]:
    leaves = (leaf for leaf in tree_leaves(returned) if isinstance(leaf, Tensor))
    return [leaf for leaf in leaves if leaf.is_floating_point()]


def class_names_of(model: nn.Module) -> tuple[str, ...]:
    """Return what a model's own configuration calls its classes, in their order; else nothing.

    `transformers` keeps them in `config.id2label`; 'LABEL_0' and so on say nothing.
    """
    labels = getattr(getattr(model, "config", None), "id2label", None)
    if not isinstance(labels, Mapping) or len(labels) < 2:
        return ()
    by_index = {int(index): str(name) for index, name in labels.items()}
    names = tuple(by_index[index] for index in sorted(by_index))
    complete = sorted(by_index) == list(range(len(names)))
    return names if complete and not all(map(NUMBERED.fullmatch, names)) else ()


def _logits_in(returned: Any, rows: int) -> Any:
    if isinstance(returned, Tensor):
        return returned
    parts = parts_of(returned)
    named = parts.get(LOGITS, getattr(returned, LOGITS, None))
    if isinstance(named, Tensor):
        return named
    shaped = {
        name: part
        for name, part in parts.items()
        if isinstance(part, Tensor) and part.ndim == 2 and len(part) == rows
    }
    if len(shaped) == 1:
        return next(iter(shaped.values()))
    what = "several tensors that could be its logits" if shaped else "no logits"
    example = next(reversed(shaped), "logits")
    raise AttributionError(
        f"The classifier returns {what}: {type(returned).__name__} of {_described(parts)}; "
        f"expected one tensor ({rows}, classes). Say which it is with output= (attributor.output "
        f"in a config): an index, a key, or a function of what is returned, e.g. "
        f"output={example!r}."
    )


def part_of(returned: Any, output: Output) -> Any:
    """Return a part of what a classifier returned, by index, key, or a function of it.

    Raises:
        AttributionError: There is no such part.
    """
    if callable(output):
        return output(returned)
    parts = parts_of(returned)
    if output in parts:
        return parts[output]
    values = list(parts.values())
    if isinstance(output, int) and -len(values) <= output < len(values):
        return values[output]
    if isinstance(output, str) and hasattr(returned, output):
        return getattr(returned, output)
    raise AttributionError(
        f"What the classifier returns has no part {output!r}: {type(returned).__name__} of "
        f"{_described(parts)}. Give one of these as output=."
    )


def parts_of(returned: Any) -> dict[int | str, Any]:
    """Return the parts of what a classifier returned, by key or index; of a tensor none."""
    if isinstance(returned, Mapping):
        return {str(key): value for key, value in returned.items()}
    if hasattr(returned, "_asdict"):
        return dict(returned._asdict())
    if isinstance(returned, tuple | list):
        return dict(enumerate(returned))
    return {}


def _described(parts: Mapping[int | str, Any]) -> str:
    described = (
        f"{name!r} {tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__}"
        for name, part in parts.items()
    )
    return ", ".join(described) or "no parts"


def is_multi_label(classifier: nn.Module) -> bool:
    """Return whether a classifier's own configuration lets several classes be true together."""
    problem = getattr(getattr(classifier, "config", None), "problem_type", None)
    return problem == "multi_label_classification"


def classifier_digest(classifier: nn.Module) -> str:
    """Return the SHA-256 of a classifier's weights, and whether its classes exclude each other."""
    multi_label = is_multi_label(classifier)
    digest = weights_digest(classifier)
    return hashlib.sha256(f"multi-label\n{digest}".encode()).hexdigest() if multi_label else digest


MAX_PREFIXED = 10
"""Most labels among which a beginning counts as a name: of 1,000, 'dog' would be 'dogsled'."""


def matched(names: Sequence[str], labels: Sequence[str]) -> dict[str, int]:
    """Find the logit that each name means.

    A name means the label that it equals, in upper or lower case, with underscores for spaces; or
    one of the synonyms that commas part; or, among few labels, the only one that begins with it or
    that it begins with.

    Returns:
        Index by name, for the names that mean one label which no other name means.

    >>> matched(["neg", "pos"], ["POSITIVE", "NEGATIVE"])
    {'neg': 1, 'pos': 0}
    >>> matched(["neg", "pos"], ["1 star", "2 stars"])
    {}
    """
    found = {name: _meant(name, labels) for name in names}
    count = Counter(found.values())
    return {name: i for name, i in found.items() if i is not None and count[i] == 1}


def _meant(name: str, labels: Sequence[str]) -> int | None:
    """Return the index of the only label that a name can mean, or None."""
    wanted, plain = _plain(name), [_plain(label) for label in labels]
    equal = [
        i for i, label in enumerate(labels) if wanted in (plain[i], *map(_plain, label.split(",")))
    ]
    if not equal and wanted and len(labels) <= MAX_PREFIXED:
        both = ((i, other) for i, other in enumerate(plain) if other)
        equal = [i for i, other in both if other.startswith(wanted) or wanted.startswith(other)]
    return equal[0] if len(equal) == 1 else None


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip().casefold()
