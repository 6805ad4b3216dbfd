"""Let the process keep memory that it has freed, where the C library can."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of two options of glibc's mallopt(3)."""


def keep_freed_memory() -> bool:
    """Tell glibc to re-use the memory of large tensors instead of returning it each time.

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
