"""Choose the device that `--device` and `--gpu-id` ask for."""

from __future__ import annotations

import re

import torch

from input_iba.errors import ConfigError

CHOICES = "auto, cpu, cuda, cuda:INDEX, mps"


def choose_device(name: str = "auto", gpu_id: int | None = None) -> tuple[torch.device, list[str]]:
    """Return a device that exists on this machine.

    Args:
        name: 'auto' (the GPU that torch sees first, else the CPU), 'cpu', 'cuda', 'cuda:1', 'mps'.
        gpu_id: Index of an NVIDIA GPU, as older commands give it; falls back to the CPU.

    Returns:
        The device, and warnings for the user.

    Raises:
        ConfigError: The name is unknown, the device is not there, or the two contradict.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise ConfigError(f"Unknown --device {name!r}. Known: {CHOICES}.")
    if gpu_id is not None:
        return _by_index(name, gpu_id)
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu"), []
    if name.startswith("cuda"):
        _, _, index = name.partition(":")
        return _cuda(int(index or 0), f"--device {name}"), []
    if name == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("--device mps: this machine or this torch has no Metal device. Use cpu.")
    return torch.device(name), []


def _by_index(name: str, gpu_id: int) -> tuple[torch.device, list[str]]:
    if name not in {"auto", "cuda", f"cuda:{gpu_id}"}:
        raise ConfigError(f"--gpu-id {gpu_id} and --device {name} contradict. Give one of them.")
    if gpu_id < 0:
        raise ConfigError(f"--gpu-id must be 0 or more, got {gpu_id}. For the CPU: --device cpu.")
    if not torch.cuda.is_available():
        return torch.device("cpu"), [
            f"--gpu-id {gpu_id}: no GPU here that torch can use; using the CPU."
        ]
    return _cuda(gpu_id, f"--gpu-id {gpu_id}"), []


def _cuda(index: int, option: str) -> torch.device:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index >= count:
        there = f"GPUs 0 to {count - 1} are there" if count else "torch finds no NVIDIA GPU here"
        raise ConfigError(f"{option}: {there}. Use another index, or --device cpu.")
    return torch.device("cuda", index)
