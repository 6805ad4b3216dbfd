"""Keeping freed memory: taken by glibc, and large tensors are no longer mapped anew."""

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, torch
from input_iba.run.device import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(64 << 20, dtype=torch.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, mode], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


LIMITED = """
import resource
from input_iba.run.device import keep_freed_memory
resource.setrlimit(resource.RLIMIT_AS, (1 << 45, resource.getrlimit(resource.RLIMIT_AS)[1]))
assert not keep_freed_memory()
"""


@pytest.mark.skipif(platform.system() != "Linux", reason="needs Linux")
def test_nothing_is_kept_in_a_limited_address_space() -> None:
    subprocess.run([sys.executable, "-c", LIMITED], check=True)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_pages_are_used_again() -> None:
    assert faults("keep") < faults("leave") / 2
