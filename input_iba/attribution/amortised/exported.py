"""Classifier and explainer as one graph, in a file that runs without this package."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from input_iba.attribution.amortised.explainer import Explainer
from input_iba.core.explainable import bare
from input_iba.core.files import written_whole
from input_iba.core.outputs import Output
from input_iba.core.targets import predictions
from input_iba.core.watched import WatchedClassifier
from input_iba.errors import AttributionError, ConfigError, import_extra
from input_iba.modality import Layout, Modality

Format = Literal["onnx", "torch"]
FORMATS: tuple[Format, ...] = get_args(Format)

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
"""Of the files of a format."""

INPUT, LABEL, OUTPUTS = "input", "label", ("logits", "map")
"""Names of what goes into a graph and comes out of it."""

PREDICTED = -1
"""Label that stands for the predicted class."""

TOLERANCE = 1e-4
"""How far what the file computes may lie from what it was made of, as a share of the largest."""

TRACED = 2
"""Rows of the batch that is traced: of a single one it could not be seen that there may be more."""

MOST_ROWS = 2**31 - 1
"""Rows of a batch at most, which torch 2.5 asks for: a bound below its infinity."""

Outputs = tuple[Tensor, ...]


class ExplainedClassifier(nn.Module):
    """Maps images (B, C, H, W) to logits (B, classes) and maps (B, H, W), whose shares sum to 1.

    Args:
        watched: The classifier, with taps where the explainer reads.
        explainer: What puts out the maps.
    """

    def __init__(self, watched: WatchedClassifier, explainer: Explainer) -> None:
        super().__init__()
        self.classifier = watched.model
        self.explainer = explainer
        self._watched = watched

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Explain the predicted class, or `labels` (B,) where they are not `PREDICTED`."""
        logits, features = self._watched.look(inputs)
        asked = predictions(logits)
        if labels is not None:
            asked = torch.where(labels == PREDICTED, asked, labels)
        return logits, self.explainer.maps(inputs, features, asked)


def check_exportable(explainer: Explainer, format: Format) -> None:
    """Refuse what is not written as a graph.

    Raises:
        ConfigError: The explainer is for texts, or the format is unknown.
    """
    if format not in FORMATS:
        raise ConfigError(f"Unknown format {format!r}. Known: {', '.join(FORMATS)}.")
    if explainer.plan.kind != "images":
        raise ConfigError(
            f"Explainers of images can be exported; this one is for {explainer.plan.kind}, whose "
            "lengths differ. Use it with 'input-iba attribute --explainer' or AmortisedIBA."
        )


@torch.no_grad()
def export_explainer(
    path: Path,
    explainer: Explainer,
    classifier: nn.Module,
    modality: Modality,
    *,
    format: Format = "onnx",
    example: Tensor | None = None,
    any_class: bool = False,
    layout: Layout | None = None,
    output: Output | None = None,
) -> Path:
    """Write classifier and explainer as one graph, whole or not at all; return where it is.

    The graph computes in float32, for batches of any number of images of the size that the
    explainer was trained for. It is run once, and compared with what it was made of.

    Args:
        path: File to write.
        explainer: The explainer.
        classifier: What it was trained for; it stays as it is.
        modality: Its kind of input.
        format: 'onnx', or 'torch' for what `torch.export.load` reads.
        example: Normalised images (n, C, H, W) to run it on; None for noise.
        any_class: Whether the graph has a second input, 'label' (B,), int64: the class to explain,
            -1 for the predicted one.
        layout: How features lie at the taps, where the caller knows.
        output: Which part of what the classifier returns its logits are.

    Raises:
        ConfigError: The explainer is not for this classifier, for texts, or the format is unknown.
        AttributionError: The classifier cannot be written as one graph, or the file computes
            something else.
        MissingExtraError: A package of the extra 'export' is not installed.
    """
    check_exportable(explainer, format)
    explainer.check(classifier)
    if format == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            import_extra(package, package, "export")
    inputs = _example(example, explainer.plan.inputs)
    labels = torch.tensor([PREDICTED, 0])[: len(inputs)]
    given = (inputs, labels) if any_class else (inputs,)
    # Copies, since they are moved and changed; the user's own stay where they are.
    own = deepcopy(bare(classifier)).cpu().float().eval()
    copied = deepcopy(explainer).cpu().eval()
    watched = copied.watching(own, modality, layout, output=output)
    whole = ExplainedClassifier(watched, copied).eval().requires_grad_(False)
    expected = whole(*given)  # what is found out once, such as layouts, is found here
    with _one_graph(type(classifier).__name__):
        rows = {0: torch.export.Dim("batch", min=1, max=MOST_ROWS)}
        dynamic = (rows,) * len(given)
        program = torch.export.export(whole, given, dynamic_shapes=dynamic, strict=False)
    with written_whole(path) as aside:
        with _one_graph(type(classifier).__name__):
            run = (_write_onnx if format == "onnx" else _write_torch)(program, aside)
        for rows_at_once in (len(inputs), 1):
            found = run(*(value[:rows_at_once] for value in given))
            _compare(found, [value[:rows_at_once] for value in expected], path)
    return path


Run = Callable[..., Sequence[Tensor]]


def _write_torch(program: Any, file: Path) -> Run:
    """Write a program, and return what runs the file."""
    written = io.BytesIO()  # a path would have to end in .pt2
    torch.export.save(program, written)
    file.write_bytes(written.getvalue())
    run: Run = torch.export.load(io.BytesIO(file.read_bytes())).module()
    return run


def _write_onnx(program: Any, file: Path) -> Run:
    """Write a program as ONNX, and return what runs the file."""
    from onnxruntime import InferenceSession

    several = len(program.graph_signature.user_inputs) > 1
    names = [INPUT, LABEL] if several else [INPUT]
    how: dict[str, Any] = {"input_names": names, "output_names": list(OUTPUTS)}
    graph: Any = torch.onnx.export(program, dynamo=True, verbose=False, **how)
    graph.save(str(file), external_data=False)  # one file, as browsers read it
    session = InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def run(*values: Tensor) -> list[Tensor]:
        feeds = {name: value.numpy() for name, value in zip(names, values, strict=True)}
        return [torch.from_numpy(found) for found in session.run(list(OUTPUTS), feeds)]

    return run


@contextmanager
def _one_graph(name: str) -> Iterator[None]:
    """Say that a classifier cannot be exported, where tracing or writing fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what torch itself does
            yield
    except (AttributionError, ConfigError):
        raise
    except Exception as error:  # tracers raise whatever a network's own code meets
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise AttributionError(
            f"{name} cannot be written as one graph: {reason}. Its forward pass must be one that "
            "torch.export.export can trace for any number of images: without decisions that "
            "depend on values, or Python numbers made of the batch's size."
        ) from error


def _example(given: Tensor | None, shape: Sequence[int]) -> Tensor:
    """Return a batch of inputs to trace, (TRACED, …), on the CPU."""
    if given is None:
        return torch.randn(TRACED, *shape, generator=torch.Generator().manual_seed(0))
    if tuple(given.shape[1:]) != tuple(shape) or not len(given):
        raise AttributionError(
            f"example= is of shape {tuple(given.shape)}; the explainer was trained for images of "
            f"shape {tuple(shape)}: give (n, {', '.join(map(str, shape))})."
        )
    return given[[i % len(given) for i in range(TRACED)]].detach().cpu().float()


def _compare(found: Sequence[Tensor], expected: Sequence[Tensor], path: Path) -> None:
    """Refuse outputs of a file that are not what they should be."""
    for name, value, right in zip(OUTPUTS, found, expected, strict=True):
        peak = float(right.abs().max())
        distance = float((value - right).abs().max())
        if not distance <= TOLERANCE * peak:
            raise AttributionError(
                f"What was written for '{path}' computes another {name}: it differs by "
                f"{distance:.2g}, expected at most {TOLERANCE:g} of the largest value, {peak:.2g}. "
                "Nothing is kept. Other versions of torch or onnxscript may do better."
            )
