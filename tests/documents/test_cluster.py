"""Manifests for clusters: they are what their engines read, and their commands are ours."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documents.printed import ROOT
from tests.documents.stage import parses
from tests.tiny_runs import needs_ray

CLUSTER = ROOT / "examples" / "cluster"
SCRIPTS = sorted(CLUSTER.glob("*.sbatch"))


def commands(path: Path) -> list[list[str]]:
    """Return our commands in a script, from their name to the end of the line."""
    text = path.read_text().replace("\\\n", " ")
    return [shlex.split(found[0]) for found in re.finditer(r"input-iba attribute .*", text)]


def manifest() -> Any:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((CLUSTER / "ray_job.yaml").read_text())


def pods(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cluster = spec["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        yield group["template"]["spec"]


def test_the_job_of_ray_is_one_and_its_command_is_ours() -> None:
    job = manifest()
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    words = job["spec"]["entrypoint"].split()
    assert parses(words)
    assert "--resume" in words  # a job that is begun again goes on
    assert {"--launcher", "ray"} < set(words)


def test_pods_of_the_job_see_the_same_files() -> None:
    spec = manifest()["spec"]
    for pod in pods(spec):
        volumes = {volume["name"] for volume in pod["volumes"]}
        [container] = pod["containers"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts.keys() == volumes
        assert all(path in spec["entrypoint"] for path in mounts.values())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_slurm_is_one_and_its_command_is_ours(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    assert sum(line.startswith("#SBATCH --") for line in lines) >= 5
    [words] = commands(script)
    assert parses(words)
    assert "--resume" in words


def help_of(command: str) -> str:
    """Return what Ray says of a command, by a process of its own: who imports it first decides."""
    words = [sys.executable, "-m", "ray.scripts.scripts", command, "--help"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@needs_ray
@pytest.mark.slow
def test_ray_knows_what_the_script_starts_it_with() -> None:
    said = help_of("symmetric-run")
    text = (CLUSTER / "ray.sbatch").read_text()
    options = re.findall(r"--[a-z-]+", text.partition("symmetric-run")[2].partition(" -- ")[0])
    assert options == ["--address", "--min-nodes", "--num-cpus", "--num-gpus"]
    assert all(name in said for name in options[:3])
    assert "--num-gpus" in help_of("start")
