"""Checkpoints: what is accepted, and what each refusal says."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.errors import CheckpointError
from input_iba.models import CifarResNet, load_checkpoint, read_state_dict
from input_iba.models.checkpoints import only_weights


@pytest.fixture
def state() -> dict[str, Tensor]:
    return dict(CifarResNet(8, num_classes=4).state_dict())


def saved(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "net.pth"
    torch.save(content, path)
    return path


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", None])
@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
def test_wrappers_and_prefixes(
    tmp_path: Path, state: dict[str, Tensor], key: str | None, prefix: str
) -> None:
    content: Any = {prefix + name: value for name, value in state.items()}
    if key is not None:
        content = {key: content, "epoch": 3}
    model = CifarResNet(8, num_classes=4)
    load_checkpoint(model, saved(tmp_path, content))
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name])


def test_counters_of_old_versions_may_be_missing(tmp_path: Path, state: dict[str, Tensor]) -> None:
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    load_checkpoint(CifarResNet(8, num_classes=4), saved(tmp_path, old))


def refusal(model: nn.Module, path: Path) -> str:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(model, path)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), "a refused checkpoint changed the network"
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_absent_file_and_folder(tmp_path: Path) -> None:
    assert "found nothing" in refusal(CifarResNet(8), tmp_path / "none.pth")
    assert "found a folder" in refusal(CifarResNet(8), tmp_path)


def test_missing_and_unexpected_names(tmp_path: Path, state: dict[str, Tensor]) -> None:
    state["extra.weight"] = state.pop("conv1.weight")
    message = refusal(CifarResNet(8, num_classes=4), saved(tmp_path, state))
    assert "missing: conv1.weight" in message
    assert "unexpected: extra.weight" in message


def test_other_number_of_classes(tmp_path: Path, state: dict[str, Tensor]) -> None:
    message = refusal(CifarResNet(8, num_classes=10), saved(tmp_path, state))
    assert "linear.weight (expected (10, 256), got (4, 256))" in message
    assert "trained for 4 classes: set num_classes=4" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite(tmp_path: Path, state: dict[str, Tensor], value: float) -> None:
    state["layer1.0.conv2.weight"][0, 0] = value
    message = refusal(CifarResNet(8, num_classes=4), saved(tmp_path, state))
    assert "layer1.0.conv2.weight" in message
    assert "NaN" in message


def test_other_contents(tmp_path: Path) -> None:
    assert "got list" in refusal(CifarResNet(8), saved(tmp_path, [1, 2]))
    assert "got dict" in refusal(CifarResNet(8), saved(tmp_path, {}))
    assert "epoch" in refusal(CifarResNet(8), saved(tmp_path, {"epoch": 1}))


def test_truncated_file(tmp_path: Path, state: dict[str, Tensor]) -> None:
    path = saved(tmp_path, state)
    path.write_bytes(path.read_bytes()[:1000])
    assert "cannot be read" in refusal(CifarResNet(8), path)


class Malicious:
    """Runs a command when it is unpickled without care."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_no_code_in_a_checkpoint_runs(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    path = saved(tmp_path, {"state_dict": Malicious(f"touch {mark}")})
    assert "save the state dict instead" in refusal(CifarResNet(8), path)
    assert not mark.exists()


def test_other_libraries_are_kept_from_running_code_too(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    path = saved(tmp_path, Malicious(f"touch {mark}"))
    with only_weights(), pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=False)
    assert not mark.exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


def test_reading_keeps_values(tmp_path: Path, state: dict[str, Tensor]) -> None:
    found = read_state_dict(saved(tmp_path, {"model": state}))
    assert found.keys() == state.keys()
