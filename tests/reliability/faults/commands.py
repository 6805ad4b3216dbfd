"""Commands that are killed, on tiny data, and what must be the same however they came to an end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from input_iba.core.tensor_files import read_tensor_file
from tests.cli.test_train_script import files
from tests.reliability.conftest import sized
from tests.tiny_runs import tiny_config, write_config, write_images
from tests.vibi.commands import bright_chunks

AT_ONCE = sized(2, 4)
"""Samples that are explained together."""

PLAIN = ("--device", "cpu", "--precision", "fp32")
Outcome = Mapping[str, object]


@dataclass(frozen=True)
class Command:
    """A command that writes to a folder.

    Attributes:
        argv: Returns its arguments, given the folder.
        outcome: Returns what must be the same for a run that was killed.
        resume: Option with which it goes on.
        at_once: How many units of work may be done twice: those in flight.
    """

    name: str
    argv: Callable[[Path], list[object]]
    outcome: Callable[[Path], Outcome]
    resume: str = "--resume"
    at_once: int = 1

    def again(self, folder: Path) -> list[object]:
        """Return the arguments with which it goes on."""
        return [*self.argv(folder), self.resume]


def prepare(root: Path, samples: int) -> Path:
    """Write pictures of two classes, as many as are to be explained, and a config of them."""
    for i, name in enumerate(("cat", "dog")):
        write_images(root / "estimation" / name, "abcd", seed=i)
        names = [f"{k:02d}" for k in range(samples // 2)]
        write_images(root / "attribution" / name, names, seed=10 + i)
    config = tiny_config(root)
    config["data"]["data_loader"]["batch_size"] = AT_ONCE
    return write_config(root / "tiny.py", config)


def attribute(config: Path) -> Command:
    """Return the command that explains, by the three stages."""
    start = ("attribute", config, *PLAIN, "--work-dir")
    return Command("attribute", lambda to: [*start, to], explained, at_once=AT_ONCE)


def baseline(config: Path) -> Command:
    """Return the command that explains by another method."""
    start = ("baseline", config, "rise", *PLAIN)
    few = ("--cfg-options", "baseline.n_masks=20")

    def argv(to: Path) -> list[object]:
        return [*start, "--work-dir", to, *few]

    return Command("baseline", argv, explained, at_once=AT_ONCE)


def evaluate(config: Path, maps: Path) -> Command:
    """Return a command that scores maps."""
    start = ("evaluate", "insertion_deletion", config, maps)
    options = ("result", "--device", "cpu", "--scores-threshold", "0", "--pixel-batch-size", "128")
    return Command("evaluate", lambda to: [*start, to, *options], scored)


def train_classifier(config: Path) -> Command:
    """Return the command that trains a classifier."""

    def argv(to: Path) -> list[object]:
        settings = ("--epochs", "4", "--batch-size", "2", "--work-dir", to)
        checkpoint = f"attributor.classifier.pretrained={to / 'net.pth'}"
        return ["train", "vision", config, *PLAIN, *settings, "--cfg-options", checkpoint]

    return Command("train vision", argv, trained)


def train_explainer(config: Path) -> Command:
    """Return the command that trains an explainer."""
    start = ("train", "explainer", config, *PLAIN, "--epochs", "4", "--batch-size", "2")
    return Command("train explainer", lambda to: [*start, "--work-dir", to], trained)


def train_vibi(root: Path) -> Command:
    """Return the command that trains VIBI, for pictures that are written."""
    bright_chunks.bright_pictures(root, 12)
    config = bright_chunks.write_config(root / "tiny.py", root, epochs=4)
    start = ("vibi", "train", "--config", config, *PLAIN)

    def argv(to: Path) -> list[object]:
        own = f"black_box.checkpoint={to / 'black_box.pth'}"
        return [*start, "--work-dir", to, "--cfg-options", own]

    return Command("vibi train", argv, trained, resume="--resume_training")


def explained(work: Path) -> Outcome:
    """Return every mask and picture, the statistics, and the records without seconds."""
    lines = (work / "records.jsonl").read_text().splitlines()
    records = [{**json.loads(line), "seconds": None} for line in lines]
    ids = [record["id"] for record in records]
    assert len(ids) == len(set(ids))
    statistics = work / "feature_statistics.npz"
    kept = {"statistics": statistics.read_bytes()} if statistics.exists() else {}
    return {"records": records, "complete": complete(work), **kept, **files(work)}


def scored(work: Path) -> Outcome:
    """Return the result of an evaluation."""
    found: dict[str, Any] = json.loads((work / "result.json").read_text())
    return {**found, "curve": (work / "result.png").read_bytes()}


def trained(work: Path) -> Outcome:
    """Return all weights and states of a training, what it measured, and whether it is complete."""
    found: dict[str, object] = {}
    for path in sorted([*work.rglob("*.pth"), *work.rglob("*.safetensors")]):
        found |= flat(read_tensor_file(path), path.name)
    if (work / "metrics.jsonl").exists():
        lines = (work / "metrics.jsonl").read_text().splitlines()
        found["metrics"] = [{**json.loads(line), "seconds": None} for line in lines]
        found["results"] = {**json.loads((work / "results.json").read_text()), "seconds": None}
        found["complete"] = complete(work)
    return {k: v.replace(str(work), "") if isinstance(v, str) else v for k, v in found.items()}


def complete(work: Path) -> bool:
    """Return whether a manifest says that everything is there."""
    said: bool = json.loads((work / "manifest.json").read_text())["complete"]
    return said


def flat(value: object, name: str) -> dict[str, object]:
    """Return nested values by path, tensors as bytes, without what clocks measured."""
    if isinstance(value, torch.Tensor):
        return {name: value.contiguous().numpy().tobytes()}
    if isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        parts = [flat(v, f"{name}.{k}") for k, v in items if k != "seconds"]
        return {key: v for part in parts for key, v in part.items()}
    return {name: value}


def differing(found: Outcome, expected: Outcome) -> list[str]:
    """Return the names of what differs."""
    names = found.keys() | expected.keys()
    return sorted(name for name in names if found.get(name) != expected.get(name))


def units_left(said: str) -> int | None:
    """Return how many samples a run has left to do, as it says; None where it does not."""
    found = re.findall(r"(\d+) of \d+ samples to (?:explain|score)", said)
    return int(found[-1]) if found else None


def epochs(said: str) -> list[int]:
    """Return the epochs that a training has done."""
    return [int(number) for number in re.findall(r"^Epoch (\d+)/", said, re.MULTILINE)]
