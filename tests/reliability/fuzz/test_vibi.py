"""Checkpoints of VIBI that are broken or hostile, and what explains images by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import InputIBAError
from input_iba.models import build_classifier
from input_iba.run.shell import Run
from input_iba.training.loop import portable
from input_iba.vibi.commands.black_box import classifier_config
from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.images import Images
from input_iba.vibi.commands.prepared import FORMAT, LoadedVibi, load_vibi
from tests.reliability.conftest import Evidence
from tests.reliability.fuzz.bounded import read_or_refused, tried
from tests.reliability.fuzz.mutations import changed_bytes, changed_data
from tests.reliability.fuzz.tensors import hostile, odd_tensors, saved
from tests.reliability.fuzz.test_images import SECTION

SHAPE = [3, 8, 8]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a checkpoint of an untrained explainer of red and green images holds."""
    torch.manual_seed(0)
    options = {"data.dataset": "ImageFolder", "explainer.k": 1, "explainer.width": 4}
    small = {"approximator.width": 4, "black_box.classifier.width": 2}
    config = load_vibi_config(None, {**options, **small, "black_box.classifier.hidden": 4})
    weights = tmp_path_factory.mktemp("vibi") / "black_box.pth"
    model = build_classifier(classifier_config(config.black_box, SHAPE[0], 2))
    torch.save({"state_dict": portable(model)}, weights)
    networks = Images(config, Run(torch.device("cpu"), None)).load(SHAPE, 2, str(weights))
    return {
        "vibi": portable(networks.vibi),
        "format": FORMAT,
        "name": "tiny",
        "config": config.plain(),
        "epoch": 1,
        "class_names": ["red", "green"],
        "input_shape": SHAPE,
        "metrics": {"approximator_fidelity": 0.5, "rationale_fidelity": 0.5},
        "black_box": str(weights),
    }


def test_broken_checkpoints_of_vibi_are_read_or_refused(
    content: dict[str, Any], tmp_path: Path, evidence: Evidence
) -> None:
    path, counts, odd = tmp_path / "best.pth", {True: 0, False: 0}, odd_tensors()

    def check(changed: bytes) -> bool:
        path.write_bytes(changed)
        found = read_or_refused(lambda: load_vibi(path), seconds=20, megabytes=1024)
        counts[isinstance(found, LoadedVibi)] += 1
        return not isinstance(found, InputIBAError)

    assert check(saved(content))

    @tried(15, 150)
    @given(changed=changed_bytes([saved(content)]))
    def bytes_changed(changed: bytes) -> None:
        check(changed)

    @tried(30, 200)
    @given(changed=changed_data({**content, "vibi": None}))
    def values_changed(changed: Any) -> None:
        if isinstance(changed, dict) and "vibi" in changed:
            changed["vibi"] = content["vibi"]
        check(saved(changed))

    @tried(15, 100)
    @given(name=st.sampled_from(list(content["vibi"])), kind=st.sampled_from(list(odd)))
    def tensors_changed(name: str, kind: str) -> None:
        check(saved({**content, "vibi": {**content["vibi"], name: odd[kind]}}))

    bytes_changed()
    values_changed()
    tensors_changed()
    for shape in (
        [3, 10**6, 10**6],
        [10**9, 8, 8],
        [3, 10**30, 8],
        [-1, 8, 8],
        "abc",
        [3, 8],
        [0, 0, 0],
    ):
        assert not check(saved({**content, "input_shape": shape})), shape
    canary = tmp_path / "canary"
    for what, changed in hostile(canary, content).items():
        assert not check(changed), what
    assert not canary.exists()
    evidence(
        SECTION,
        "checkpoints of VIBI with changed bytes, values and tensors, pickles inside",
        sum(counts.values()),
        f"{counts[True]} read, {counts[False]} refused by name; no pickle ran; within 1 GiB",
        "checkpoints without what explainers are built of ended in tracebacks",
    )
