"""The device: what is asked for, what there is."""

from __future__ import annotations

import pytest
import torch

from input_iba.errors import ConfigError
from input_iba.run.device import choose_device

CPU = torch.device("cpu")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_auto_is_the_cpu_and_gpu_id_falls_back_with_a_warning() -> None:
    assert choose_device() == (CPU, [])
    device, [warning] = choose_device(gpu_id=0)
    assert device == CPU
    assert "no GPU here" in warning


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("name", "gpu_id", "device"),
    [
        ("auto", None, "cuda:0"),
        ("cuda", None, "cuda:0"),
        ("cuda:1", None, "cuda:1"),
        ("auto", 1, "cuda:1"),
        ("cuda", 1, "cuda:1"),
        ("cpu", None, "cpu"),
    ],
)
def test_with_gpus_the_one_asked_for_is_taken(name: str, gpu_id: int | None, device: str) -> None:
    assert choose_device(name, gpu_id) == (torch.device(device), [])


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("name", "gpu_id", "said"),
    [
        ("cuda:2", None, "--device cuda:2: GPUs 0 to 1 are there"),
        ("auto", 5, "--gpu-id 5: GPUs 0 to 1 are there"),
        ("auto", -1, "must be 0 or more"),
        ("cpu", 0, "contradict"),
        ("cuda:1", 0, "contradict"),
        ("gpu", None, "Unknown --device 'gpu'"),
        ("cuda:x", None, "Unknown --device"),
    ],
)
def test_wrong_devices_are_refused(name: str, gpu_id: int | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        choose_device(name, gpu_id)


@pytest.mark.usefixtures("two_gpus")
def test_each_process_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("auto", "cuda"):
        assert choose_device(name, local_rank=1) == (torch.device("cuda:1"), [])
    assert choose_device("cpu", local_rank=1) == (CPU, [])
    with pytest.raises(ConfigError, match="at most 2 processes per machine"):
        choose_device(local_rank=2)
    for name, gpu_id in (("auto", 0), ("cuda:1", None)):
        with pytest.raises(ConfigError, match="and --launcher contradict"):
            choose_device(name, gpu_id, local_rank=0)
    # A batch system shows each process the GPU that it is bound to, and no other.
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device(local_rank=3) == (torch.device("cuda:0"), [])


@pytest.mark.usefixtures("no_gpu")
def test_without_gpus_every_process_takes_the_cpu() -> None:
    assert choose_device(local_rank=1) == (CPU, [])
    with pytest.raises(ConfigError, match="no NVIDIA GPU"):
        choose_device("cuda", local_rank=1)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(("name", "said"), [("cuda", "no NVIDIA GPU"), ("mps", "no Metal")])
def test_a_device_that_is_named_and_missing_is_an_error(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        choose_device(name)
