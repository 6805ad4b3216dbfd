"""What a run computes on: the device asked for, and memory that is kept."""

from __future__ import annotations

import ctypes
import platform
import re

import torch

from input_iba.errors import ConfigError

CHOICES = "auto, cpu, cuda, cuda:INDEX, mps"

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of two options of glibc's mallopt(3)."""


def choose_device(
    name: str = "auto", gpu_id: int | None = None, local_rank: int | None = None
) -> tuple[torch.device, list[str]]:
    """Return a device that exists on this machine.

    Args:
        name: 'auto' (the GPU that torch sees first, else the CPU), 'cpu', 'cuda', 'cuda:1', 'mps'.
        gpu_id: Index of an NVIDIA GPU, as older commands give it; falls back to the CPU.
        local_rank: Number of this process among those that a launcher started on this machine,
            which each take a GPU of their own; None without a launcher.

    Returns:
        The device, and warnings for the user.

    Raises:
        ConfigError: The name is unknown, the device is not there, or the two contradict.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise ConfigError(f"Unknown --device {name!r}. Known: {CHOICES}.")
    if local_rank is not None:
        return _by_rank(name, gpu_id, local_rank), []
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


def _by_rank(name: str, gpu_id: int | None, local_rank: int) -> torch.device:
    if gpu_id is not None or ":" in name:
        option, value = ("--device", name) if gpu_id is None else ("--gpu-id", str(gpu_id))
        raise ConfigError(
            f"{option} {value} and --launcher contradict: every process takes the GPU of its own "
            f"number. Leave {option} out; CUDA_VISIBLE_DEVICES says which GPUs there are."
        )
    if name not in {"auto", "cuda"}:
        return choose_device(name)[0]
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto" and count == 0:
        return torch.device("cpu")
    if 1 < count <= local_rank:
        raise ConfigError(
            f"Process {local_rank} of this machine has no GPU: {count} are there. "
            f"Start at most {count} processes per machine, or compute with --device cpu."
        )
    # Where a batch system binds each process to a GPU, that is the only one it sees.
    return _cuda(0 if count == 1 else local_rank, f"--device {name}")


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


def keep_freed_memory() -> bool:
    """Make glibc re-use the memory of large tensors instead of returning it each time.

    Otherwise every large activation is a fresh mapping whose pages the kernel has to clear, which
    can take longer than the convolution that fills it.

    Where the address space is limited (`ulimit -v`) it is the other way round: every large tensor
    goes back to the system when it is freed, because what else needs room, such as the code that
    oneDNN generates, could not be had any more once kept memory has filled the space.

    Returns:
        Whether freed memory is kept; False where the C library is not glibc.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    if _address_space_is_limited():
        libc.mallopt(M_MMAP_THRESHOLD, 128 << 10)
        return False
    options = {M_MMAP_THRESHOLD: 1 << 30, M_TRIM_THRESHOLD: -1}  # −1: never
    return all(libc.mallopt(option, value) for option, value in options.items())


def _address_space_is_limited() -> bool:
    import resource  # not there on Windows

    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
