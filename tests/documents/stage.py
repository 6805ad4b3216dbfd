"""A folder laid out as the README says, with tiny pictures and reviews, to run commands in."""

from __future__ import annotations

import argparse
import atexit
import functools
import os
import runpy
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

from input_iba.cli.main import main
from input_iba.registry import CLASSIFIERS
from tests.datasets.pictures import gradient, write, write_boxes
from tests.datasets.reviews import write_reviews, write_vectors
from tests.documents.printed import ROOT
from tests.documents.stand_ins import APPENDED, CONFIGS, SIDE, NarrowVGG16
from tests.models.dual_encoders import save as save_dual_encoder
from tests.models.tiny_bert import save_tiny_bert
from tests.models.transformers_families import save

CLASSES = ("n01440764", "n01443537")
WORDS = ("a great film", "great fun and fine", "a dull film", "dull and flat")

if "NarrowVGG16" not in CLASSIFIERS:
    CLASSIFIERS.register_module(name="NarrowVGG16", module=NarrowVGG16)


def offline(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let whoever downloads something fail, and keep what programs remember in `folder`."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for spelling in (name, name.lower()):
            patch.setenv(spelling, "http://127.0.0.1:9")
    patch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / ".jupyter"))
    patch.setenv("TORCH_HOME", str(folder / ".torch"))
    patch.setenv("PYTHONPATH", str(ROOT))


def make_stage(root: Path) -> None:
    """Make data, configs and links to the scripts under `root`.

    Args:
        root: An empty folder.
    """
    for name in ("tools", "resources", "examples"):
        (root / name).symlink_to(ROOT / name)
    _write_configs(root / "configs")
    _write_imagenet(root / "path/to/imagenet_val", root / "path/to/annotations")
    tiny = root / "data/tiny_imagenet_boxes"
    main(["small-imagenet", str(root / "path/to/imagenet_val"), str(tiny), "--n", "10"])
    # The README's command draws the same pictures into data/imagenet.
    ids = "".join(f"{path.stem}\n" for path in tiny.glob("images/attribution/*/*"))
    lists = root / "benchmarks/samples"
    lists.mkdir(parents=True)
    for name in ("imagenet_comparison", "tiny_imagenet_comparison", "tiny_imagenet_gate"):
        (lists / f"{name}.txt").write_text(ids)
    for part in ("train", "val", "test"):
        for label in ("cat", "dog", "frog", "ship"):
            for i in range(12 if part == "train" else 2):
                write(root / f"data/cifar10/{part}/{label}/{i}.png", gradient(SIDE, SIDE - i))
    (root / "data/mine").symlink_to(root / "data/cifar10")
    write_mnist(root / "data/MNIST/raw")
    write_reviews(
        root / "data/imdb",
        {
            f"{split}/{kind}": {f"{i}_{8 if kind == 'pos' else 2}": words[i % 2] for i in range(8)}
            for split in ("train", "test")
            for kind, words in (("pos", WORDS[:2]), ("neg", WORDS[2:]))
        },
    )
    write_vectors(root / "data/vector_cache/glove.6B.100d.txt", {"great": 0.1, "dull": -0.1})
    for name in ("my.jpg", "another.jpg"):
        write(root / name, gradient(96, 80))
    write(root / "digit.png", gradient(28, 28))
    save_tiny_bert(root / "bert")
    (root / "path/to/classifier").symlink_to(root / "bert")
    save("vit", root / "path/to/vit")
    save_dual_encoder(root / "path/to/clip", "clip")
    (root / "classes.txt").write_text("dog\ncat\n")
    (root / "my.pt").symlink_to(checkpoint())
    (root / "review.txt").write_text(WORDS[0])


def _write_configs(folder: Path) -> None:
    """Let every config of the repository inherit itself, with the stand-ins' values over it."""
    for path in (ROOT / "configs").rglob("*.py"):
        name = path.relative_to(ROOT / "configs")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        lines = [f"_base_ = [{str(path)!r}]\n"]
        lines += [f"{key} = {value!r}\n" for key, value in CONFIGS.get(name.as_posix(), {}).items()]
        (folder / name).write_text("".join(lines))


@functools.cache
def checkpoint() -> Path:
    """Write the weights of a ResNet of two classes, once for all stages, until Python ends."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "my.pt"
    torch.save(torchvision.models.resnet18(num_classes=2).state_dict(), path)
    return path


def write_mnist(folder: Path) -> None:
    """Write ten kinds of bars in the format of MNIST's files."""
    folder.mkdir(parents=True)
    for part, count in (("train", 60), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        pictures = np.zeros((count, 28, 28), dtype=np.uint8)
        for picture, label in zip(pictures, labels, strict=True):
            picture[4 + 2 * label : 6 + 2 * label, 4:24] = 255
        for name, values in (("images-idx3", pictures), ("labels-idx1", labels)):
            head = np.array([2048 + values.ndim, *values.shape], dtype=">i4")
            (folder / f"{part}-{name}-ubyte").write_bytes(head.tobytes() + values.tobytes())


def _write_imagenet(pictures: Path, boxes: Path) -> None:
    for label, wnid in enumerate(CLASSES):
        for i in range(12):
            name = f"{wnid}/ILSVRC2012_val_0000{label}{i:03d}"
            write(pictures / f"{name}.JPEG", gradient(SIDE + 8, SIDE + i))
            write_boxes(boxes / f"{name}.xml", (4, 4, 20, 18))


def shortened(words: Sequence[str]) -> list[str]:
    """Put the options of `APPENDED` behind a command, before a lone `--`."""
    command = " ".join(words)
    extra = [o for part, more in APPENDED.items() if part in command for o in shlex.split(more)]
    cut = words.index("--") if "--" in words else len(words)
    return [*words[:cut], *extra, *words[cut:]]


def globbed(word: str, stage: Path) -> list[str]:
    """Return the files that a word with an asterisk stands for, as a shell does."""
    return [str(path.relative_to(stage)) for path in stage.glob(word)] if "*" in word else []


def run(words: Sequence[str], stage: Path) -> int:
    """Run a command in this process, in the folder `stage`; torchrun in processes of its own.

    Args:
        words: Program and arguments.
        stage: Working folder.

    Returns:
        The exit status.

    Raises:
        ValueError: The program is none that can be run here.
    """
    words = [name for word in words for name in sorted(globbed(word, stage)) or [word]]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(stage)
        if words[0] == "torchrun":
            return _torchrun(words[1:])
        # Scripts that start others would lose the classifiers that the stage registers.
        patch.setattr(subprocess, "run", _starting(stage, subprocess.run))
        return _status(_callable(words, patch))


class Parsed(BaseException):
    """Ends a command whose arguments were understood; no `except Exception` holds it up."""


def parses(words: Sequence[str]) -> bool:
    """Say whether a command understands its arguments, without running it."""

    def parse_and_end(self: argparse.ArgumentParser, *arguments: Any) -> None:
        parse(self, *arguments)
        raise Parsed

    parse = argparse.ArgumentParser.parse_args
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_and_end)
        try:
            return _status(_callable(words, patch)) == 0  # --help
        except Parsed:
            return True


def _callable(words: Sequence[str], patch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Return what runs `python SCRIPT …`, `python -m MODULE …` or `input-iba …`."""
    if words[0] == "input-iba":
        return lambda: main(words[1:])
    if words[0] != "python":
        raise ValueError(
            f"{words[0]!r} is not known here: teach `_callable` to start it, or list the command "
            "in NOT_RUN (tests/documents/stand_ins.py) with the reason."
        )
    if words[1] == "-m":
        patch.setattr(sys, "argv", list(words[2:]))
        return lambda: runpy.run_module(words[2], run_name="__main__", alter_sys=True)
    patch.setattr(sys, "argv", list(words[1:]))
    return lambda: runpy.run_path(str(ROOT / words[1]), run_name="__main__")


def _status(call: Callable[[], object]) -> int:
    try:
        found = call()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    return found if isinstance(found, int) else 0


def _starting(stage: Path, start: Callable[..., Any]) -> Callable[..., Any]:
    """Return what stands in for `subprocess.run`: the repository's own commands run in here."""

    def run_here(words: Sequence[str], **options: Any) -> Any:
        if words[0] != sys.executable:
            return start(words, **options)
        if words[1] == "-m":
            inner = ["input-iba", *words[3:]]
        else:
            inner = ["python", Path(words[1]).resolve().relative_to(ROOT).as_posix(), *words[2:]]
        return subprocess.CompletedProcess(list(words), run(shortened(inner), stage))

    return run_here


def _torchrun(arguments: Sequence[str]) -> int:
    command: list[Any] = [sys.executable, "-m", "torch.distributed.run", "--standalone", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, env=environment).returncode
