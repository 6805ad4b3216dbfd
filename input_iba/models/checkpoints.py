"""Reading checkpoints, safely, and fitting them to a network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.tensor_files import read_tensor_file
from input_iba.errors import CheckpointError

WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and of torch.compile


@contextmanager
def only_weights() -> Iterator[None]:
    """Make every `torch.load` inside, other libraries' too, unpickle nothing but tensors."""
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        yield
    finally:
        del os.environ[key]
        if before is not None:
            os.environ[key] = before


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the weights in a checkpoint, without prefixes; nothing in the file is executed.

    Raises:
        CheckpointError: The file is absent, is not a checkpoint, or holds NaN or infinity.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise CheckpointError(
            f"Checkpoint '{path}': expected a file, found {found} there. Check the classifier's "
            "`pretrained`; paths count from the folder the command is started in."
        )
    try:
        content = read_tensor_file(path)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"Checkpoint '{path}' cannot be read as a file of tensors ({error}). Expected what "
            "`torch.save(model.state_dict(), path)` or safetensors write. Pickled models are "
            "refused, since loading them runs their code: save the state dict instead."
        ) from error
    state = _unwrap(content, path)
    while prefix := next((p for p in PREFIXES if all(key.startswith(p) for key in state)), None):
        state = {key[len(prefix) :]: value for key, value in state.items()}
    floats = {name: value for name, value in state.items() if value.is_floating_point()}
    wrong = [name for name, value in floats.items() if not _finite(value)]
    if wrong:
        raise CheckpointError(
            f"Checkpoint '{path}': expected finite weights, got NaN or infinity in "
            f"{_some(wrong)}. The training that wrote it diverged: use an earlier checkpoint."
        )
    return state


def _unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """Find the state dict in what a checkpoint holds."""
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(
            f"Checkpoint '{path}': expected a state dict (names to tensors), got "
            f"{type(content).__name__}. Save it with `torch.save(model.state_dict(), path)`."
        )
    wrong = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if wrong:
        raise CheckpointError(
            f"Checkpoint '{path}': expected tensors only, or a state dict under one of the keys "
            f"{', '.join(WRAPPERS)}; got other values for {_some(wrong)}. Save the weights with "
            "`torch.save(model.state_dict(), path)`."
        )
    return {str(key): value for key, value in content.items()}


def load_checkpoint(model: nn.Module, path: str | Path) -> None:
    """Load the weights in a file into a network that they fit exactly.

    Raises:
        CheckpointError: The file cannot be used, or names or shapes differ from the network's.
    """
    fit_state_dict(model, read_state_dict(path), path)


def fit_state_dict(model: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Load a state dict after checking every name and shape; `source` is named in messages.

    Raises:
        CheckpointError: A name is missing or unexpected, or a shape differs.
    """
    own = model.state_dict()
    # Counters that old versions of torch did not save; they play no part in evaluation.
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    unexpected = [k for k in state if k not in own]
    shapes = {k: (tuple(state[k].shape), tuple(own[k].shape)) for k in own if k in state}
    other = {k: pair for k, pair in shapes.items() if pair[0] != pair[1]}
    wrong = {
        "missing": missing,
        "unexpected": unexpected,
        "other shape": [f"{k} (expected {b}, got {a})" for k, (a, b) in other.items()],
    }
    found = [f"{what}: {_some(names)}" for what, names in wrong.items() if names]
    if found:
        remedy = (
            "Set the classifier's `type`, `num_classes` and constructor keys to those of the "
            "network that was trained, or `pretrained` to another file."
        )
        classes = classes_of_head(list(other.values()))
        if classes is not None and not missing and not unexpected:
            remedy = f"It was trained for {classes} classes: set num_classes={classes}."
        raise CheckpointError(
            f"Checkpoint '{source}' does not fit {type(model).__name__}: {'; '.join(found)}. "
            f"{_other_vocabulary(model, state) or remedy}"
        )
    model.load_state_dict(dict(state), strict=False)


def classes_of_head(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> int | None:
    """Return how many classes a checkpoint tells apart whose last layer alone is of another size.

    Of every tensor whose shape differs, `pairs` holds the shape there and in the network.

    >>> classes_of_head([((3, 16), (2, 16)), ((3,), (2,))])
    3
    >>> classes_of_head([((3, 16), (3, 8))])
    """
    sizes = {(there[0], here[0]) for there, here in pairs if there and here}
    rest = all(tuple(there[1:]) == tuple(here[1:]) for there, here in pairs)
    return sizes.pop()[0] if rest and len(sizes) == 1 and len(pairs) <= 2 else None


def _other_vocabulary(model: nn.Module, state: Mapping[str, Tensor]) -> str:
    """Return what to do where an embedding has a row for each word of another vocabulary."""
    for name, module in model.named_modules():
        weight = state.get(f"{name}.weight")
        if isinstance(module, nn.Embedding) and weight is not None and weight.ndim == 2:
            words, size = weight.shape
            if words != module.num_embeddings and size == module.embedding_dim:
                return (
                    f"It was trained with a vocabulary of {words} words, and the classifier "
                    f"expects {module.num_embeddings}. Use the vocabulary of its training and set "
                    f"the classifier's `vocab_size` to {words}, or train again with this one."
                )
    return ""


def _finite(values: Tensor) -> bool:
    # Of numbers of 8 bits torch does not tell.
    whole = values.float() if values.element_size() == 1 else values
    return bool(torch.isfinite(whole).all())


def _some(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
