"""Checkpoints, explainers and states of trainings that are broken or hostile: nothing runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from input_iba.attribution.amortised.explainer import Explainer, Plan
from input_iba.attribution.amortised.files import read_explainer, write_explainer
from input_iba.errors import InputIBAError
from input_iba.models.checkpoints import load_checkpoint
from input_iba.training.classifier import Labelled
from input_iba.training.images import ImageTrainer
from input_iba.training.loop import Loop, made_with
from input_iba.training.settings import ImageTraining
from tests.reliability.conftest import Evidence
from tests.reliability.fuzz.bounded import NO_MEMORY, bounded, tried
from tests.reliability.fuzz.mutations import changed_bytes, changed_data
from tests.reliability.fuzz.tensors import hostile, odd_tensors, saved
from tests.reliability.fuzz.test_images import SECTION

PLAN = Plan("images", (("0", "output"),), ((4, 4, 4),), (3, 8, 8), 2, 3, False, "digest")


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(256, 2))


def loop(path: Path) -> Loop:
    data = Labelled(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.arange(4) % 2)
    trainer = ImageTrainer(net(), data, lambda x: x, ImageTraining(), torch.device("cpu"))
    return Loop(trainer, latest=path, identity={"seed": 0})


def read_weights(path: Path) -> nn.Module:
    model = net()
    load_checkpoint(model, path)
    return model


def read_state(path: Path) -> nn.Module:
    resumed = loop(path)
    assert isinstance(made_with(path), Mapping)
    done, best = resumed.resume(torch.device("cpu"))
    assert isinstance(done, int)
    assert isinstance(best, float)
    return resumed.trainer.network


def weights() -> dict[str, Any]:
    return {**net().state_dict()}


def state() -> dict[str, Any]:
    return {
        "state_dict": weights(),
        "trainer": loop(Path()).trainer.state(),
        "identity": {"seed": 0},
        "epoch": 1,
        "best": 0.5,
    }


def explainer() -> dict[str, Any]:
    path = write_explainer(Path("explainer.pth"), Explainer(PLAN))
    found: dict[str, Any] = torch.load(path, weights_only=True)
    return found


Reader = tuple[Callable[[Path], nn.Module], Callable[[], dict[str, Any]], str]

KINDS: Mapping[str, Reader] = {
    "checkpoints": (read_weights, weights, ""),
    "explainers": (read_explainer, explainer, "explainer"),
    "states of trainings": (read_state, state, "state_dict"),
}
"""What reads a kind of file, what such a file holds, and the key of its weights."""


def check(read: Callable[[Path], nn.Module], path: Path, content: bytes) -> bool:
    """Return whether a file is read, to finite weights; else it is refused by name."""
    path.write_bytes(content)
    with bounded(seconds=10, megabytes=256):
        try:
            model = read(path)
        except InputIBAError as error:
            assert str(path) in str(error)
            # What early releases of torch wrote says how much memory it needs before it comes.
            assert content[:2] != b"PK" or not NO_MEMORY.search(str(error)), error
            return False
    assert all(p.device.type == "cpu" for p in model.parameters())
    return True


@pytest.mark.parametrize("name", KINDS)
def test_broken_files_of_tensors_are_read_or_refused(
    name: str, tmp_path: Path, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read, right, key = KINDS[name]
    path, content, counts = tmp_path / "broken.pth", right(), {True: 0, False: 0}
    odd = odd_tensors()
    whole = [saved(content), saved(content, _use_new_zipfile_serialization=False)]
    assert all(check(read, path, one) for one in whole)

    @tried(12, 170)
    @given(changed=changed_bytes(whole))
    def bytes_changed(changed: bytes) -> None:
        counts[check(read, path, changed)] += 1

    @tried(12, 170)
    @given(changed=changed_data(content))
    def values_changed(changed: Any) -> None:
        counts[check(read, path, saved(changed))] += 1

    @tried(12, 170)
    @given(data=st.data())
    def tensors_changed(data: st.DataObject) -> None:
        inner = dict(content[key] if key else content)
        inner[data.draw(st.sampled_from(list(inner)))] = odd[data.draw(st.sampled_from(list(odd)))]
        counts[check(read, path, saved({**content, key: inner} if key else inner))] += 1

    bytes_changed()
    values_changed()
    tensors_changed()
    canary = tmp_path / "canary"
    for what, changed in hostile(canary, content).items():
        assert not check(read, path, changed), what
        counts[False] += 1
    assert not canary.exists()
    evidence(
        SECTION,
        f"{name} with changed bytes, values and tensors, pickles inside, zeros that unfold",
        sum(counts.values()),
        f"{counts[True]} read, {counts[False]} refused by name; no pickle ran; within 256 MiB",
        "tensors that say to be larger than what is stored, sparse ones, zeros that unfold, plans "
        "of huge explainers, and states that are none ended in tracebacks or took memory",
    )


@pytest.mark.parametrize("kind", sorted(odd_tensors().keys() - {"eight bits", "words", "complex"}))
def test_weights_that_are_no_plain_numbers_are_refused(kind: str, tmp_path: Path) -> None:
    odd = odd_tensors()[kind]
    assert not check(read_weights, tmp_path / "odd.pth", saved({**weights(), "2.weight": odd}))
    fitting = nn.Linear(2, 2, bias=False)

    def read_fitting(path: Path) -> nn.Module:
        load_checkpoint(fitting, path)
        return fitting

    assert not check(read_fitting, tmp_path / "alone.pth", saved({"weight": odd}))
    assert bool(fitting.weight.isfinite().all())


@pytest.mark.parametrize("size", [10**7, 10**12, 10**30, -1, 0])
def test_a_plan_of_a_huge_explainer_is_refused_before_it_is_built(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = explainer()
    for name in ("features", "inputs", "classes", "asked"):
        plan = dict(content["plan"])
        plan[name] = {"features": ((size, 4, 4),), "inputs": (size, 8, 8)}.get(name, size)
        assert not check(read_explainer, tmp_path / "e.pth", saved({**content, "plan": plan})), name
