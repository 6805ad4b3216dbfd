"""Numbers that are none, memory that runs out, and classifiers that fail on one image."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.commands.explain.run import RunResult, run_attribution
from input_iba.config.build import build_attributor
from input_iba.config.load import RunConfig
from input_iba.errors import AttributionError
from input_iba.records import Attribution, Failure
from input_iba.run.options import RunOptions
from tests.attribution.nets import IDS, estimated, inputs, maps, small_net
from tests.commands.explain.running import records, work_of
from tests.reliability.conftest import ONLY_IN_FULL, Evidence, sized
from tests.tiny_runs import SIZE

SECTION = "Numbers and memory"
BAD = (torch.nan, torch.inf, -torch.inf, 1e300)
Hook = Callable[..., Any]


def assert_only(found: list[Attribution | Failure], bad: int, good: list[Any]) -> str:
    """Check that one sample failed and all others are bit for bit as ever; return why.

    Whether batch norms can be folded is tried on the first sample of a batch. A bad number says
    no, which changes the last bits of the others.
    """
    bound = 1e-9 if bad == 0 else 0
    for i, (record, expected) in enumerate(zip(found, good, strict=True)):
        if i != bad:
            for ours, theirs in zip(maps(record), maps(expected), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=0, atol=bound)
    failure = found[bad]
    assert isinstance(failure, Failure)
    return failure.reason


def test_a_bad_number_in_an_image_fails_that_image_alone(evidence: Evidence) -> None:
    attributor = estimated(small_net())
    good = attributor.attribute(inputs(), ids=IDS)
    tried = [
        (value, bad) for value in sized((torch.nan, 1e300), BAD) for bad in sized((0, 2), range(4))
    ]
    for value, bad in tried:
        x = inputs()
        x[bad, 1, 2, 3] = value
        assert "finite" in assert_only(attributor.attribute(x, ids=IDS), bad, good)
    came = "that image fails, with the reason; all others stay the same bit for bit"
    what = "NaN, infinity or 1e300 in one image of a batch"
    evidence(SECTION, what, len(tried), f"{came}, to rounding where it is the first")


class BadGradient(torch.autograd.Function):
    """Nothing forward, and a number that is none backward."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * torch.nan


def plain(logits: Tensor) -> Tensor:
    return -logits.log_softmax(1)[:, 0]


def test_a_bad_gradient_fails_its_sample_alone(evidence: Evidence) -> None:
    """In each of the four steps of both bottlenecks, the last of them too."""
    steps = sized((0, 3, 7), range(8))
    attributor = estimated(small_net())
    good = attributor.attribute(inputs(), [plain] * 4, ids=IDS)
    for step in steps:
        calls = 0

        def bad(logits: Tensor) -> Tensor:
            nonlocal calls
            if logits.requires_grad:
                calls += 1
            return plain(BadGradient.apply(logits) if calls == step + 1 else logits)  # noqa: B023

        found = attributor.attribute(inputs(), [plain, bad, plain, plain], ids=IDS)
        assert calls > step
        assert "finite" in assert_only(found, 1, good)
    evidence(SECTION, "a gradient of NaN in one step", len(steps), "that sample fails alone")


WEIGHTS = ("0.weight", "1.running_var", "4.conv.bias", "8.weight")
BAD_WEIGHTS = (torch.nan, torch.inf, -torch.inf)


def test_bad_weights_make_no_maps(evidence: Evidence) -> None:
    for name, value in product(WEIGHTS, BAD_WEIGHTS):
        net = small_net()
        attributor = estimated(net)
        net.state_dict()[name].view(-1)[0] = value
        try:
            found = attributor.attribute(inputs(), ids=IDS)
        except AttributionError as error:
            assert "NaN" in str(error) or "finite" in str(error)
            continue
        for record in found:
            if isinstance(record, Failure):
                assert "finite" in record.reason
            else:  # what infinity makes a constant of may be a network all the same
                assert not math.isnan(value)
                assert all(bool(mask.isfinite().all()) for mask in maps(record))
    count = len(WEIGHTS) * len(BAD_WEIGHTS)
    evidence(SECTION, "NaN or infinity among the weights", count, "no map, or one that is finite")


def explain(
    config: RunConfig, options: RunOptions, change: Callable[[nn.Module], object]
) -> RunResult:
    """Run the three stages with a classifier that is changed once statistics are known."""

    def build(*arguments: Any) -> Attributor:
        explainer = build_attributor(*arguments)
        attribute = explainer.attribute

        def changed(*given: Any, **how: Any) -> Any:
            explainer.attribute = attribute  # type: ignore[method-assign]
            change(explainer.model)
            return attribute(*given, **how)

        explainer.attribute = changed  # type: ignore[method-assign]
        assert isinstance(explainer, Attributor)
        return explainer

    return run_attribution(config, options, build)


def raising(_: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
    if bool(odd(given[0]).any()):
        raise RuntimeError("I do not like this image")
    return out


def more_classes(_: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
    return torch.cat([out, out], 1) if bool(odd(given[0]).any()) else out


def fewer_rows(_: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
    return out[~odd(given[0])]


def no_batch(_: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
    return out.flatten() if bool(odd(given[0]).any()) else out


ANSWERS: dict[str, Hook] = {
    "an error": raising,
    "twice the logits": more_classes,
    "no row": fewer_rows,
    "logits without a batch": no_batch,
}


def odd(x: Tensor) -> Tensor:
    """Return which images are of one colour, (B,)."""
    return x.flatten(2).std(2).eq(0).all(1)


@pytest.mark.slow
@pytest.mark.parametrize("answer", sized(["an error"], list(ANSWERS)))
def test_a_classifier_that_fails_on_one_image_explains_the_others(
    config: RunConfig,
    options: RunOptions,
    pictures: Path,
    tmp_path: Path,
    answer: str,
    evidence: Evidence,
) -> None:
    white = np.full((SIZE, SIZE, 3), 255, dtype=np.uint8)
    Image.fromarray(white).save(pictures / "attribution" / "dog" / "2.png")
    whole = replace(options, work_dir=tmp_path / "whole")
    explain(config, whole, lambda _: None)
    result = explain(config, options, lambda net: net.register_forward_hook(ANSWERS[answer]))
    assert (result.done, result.failed) == (4, 1)
    failed = records(options)["dog__2"]
    assert failed["status"] == "failed" and failed["reason"]
    for id_ in ("cat__1", "cat__2", "3", "dog__1"):
        one, other = (read(o, id_) for o in (options, whole))
        # Its neighbour is explained alone, which changes rounding.
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4 if id_ == "dog__1" else 0)
    came = "that image fails, with the reason; all others are explained"
    mended = "they were taken for logits of its classes" if answer == "twice the logits" else ""
    evidence(SECTION, f"{answer} from the classifier for one image", 1, came, mended)


def read(options: RunOptions, id_: str) -> Any:
    with np.load(work_of(options) / "input_masks" / f"{id_}.npz") as arrays:
        return arrays["mask"]


def watch(net: nn.Module, hook: Hook) -> None:
    """Call a hook before each pass through what is behind the layer."""
    net.get_submodule("layer2").register_forward_pre_hook(hook)


@ONLY_IN_FULL
def test_memory_that_runs_out_in_a_batch_loses_no_sample(
    config: RunConfig, options: RunOptions, tmp_path: Path, evidence: Evidence
) -> None:
    passes = 0

    def count(*_: object) -> None:
        nonlocal passes
        passes += 1

    whole = replace(options, work_dir=tmp_path / "whole")
    explain(config, whole, lambda net: watch(net, count))
    draws = random.Random(0)
    tried = sorted(draws.sample(range(passes), min(30, passes)))
    for place in tried:
        passes = 0

        def run_out(*_: object) -> None:
            nonlocal passes
            passes += 1
            if passes == place + 1:  # noqa: B023
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

        here = replace(options, work_dir=tmp_path / str(place))
        result = explain(config, here, lambda net: watch(net, run_out))
        assert (result.done, result.failed) == (5, 0)
        for id_ in records(here):
            np.testing.assert_allclose(read(here, id_), read(whole, id_), rtol=0, atol=1e-3)
    came = "all samples are explained, fewer at once; masks equal but for rounding"
    evidence(SECTION, "out of memory in the middle of a batch", len(tried), came)
