"""A tiny data set, a tiny classifier's config, and an explainer that needs no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from input_iba.commands.explain.run import RunResult, run_attribution
from input_iba.config.load import RunConfig, load_config
from input_iba.core.statistics import RunningStatistics
from input_iba.records import Attribution, Checks, Failure, FeatureStatistics
from input_iba.run.options import RunOptions

SIZE = 32

# Not imported before `session` has told it to keep to this machine.
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra 'ray'")
PIPELINE = [
    {"type": "Normalize", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    {"type": "ToTensorV2"},
]


def write_images(folder: Path, names: Iterable[str], seed: int = 0, size: int = SIZE) -> None:
    """Write one PNG of noise per name."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(seed)
    for name in names:
        pixels = draws.integers(0, 255, (size, size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")


def tiny_config(root: Path) -> dict[str, Any]:
    """Return a config of a ResNet-8 on the pictures under `root`, with few and short steps."""
    data = {"type": "ImageFolder", "pipeline": PIPELINE, "valid_formats": ("png",)}
    return {
        "data": {
            "data_loader": {"batch_size": 2, "shuffle": True, "num_workers": 0},
            "estimation": {**data, "img_root": str(root / "estimation")},
            "attribution": {**data, "img_root": str(root / "attribution")},
        },
        "attributor": {
            "type": "VisionAttributor",
            "layer": "layer1",
            "use_softmax": True,
            "classifier": {"source": "custom", "type": "ResNet", "depth": 8, "num_classes": 2},
            "feat_iba": {"type": "VisionFeatureIBA", "initial_alpha": 5.0},
            "input_iba": {"type": "VisionInputIBA", "initial_alpha": 5.0, "sigma": 1.0},
            "gan": {
                "type": "VisionWGAN",
                "generator": {"type": "VisionGenerator"},
                "discriminator": {"type": "VisionDiscriminator"},
            },
        },
        "estimation_cfg": {"n_samples": 8, "verbose": False},
        "attribution_cfg": {
            "feat_iba": {"batch_size": 2, "beta": 20, "opt_steps": 2, "lr": 1.0},
            "gan": {"dataset_size": 4, "sub_dataset_size": 2, "batch_size": 2, "epochs": 1},
            "input_iba": {"batch_size": 2, "beta": 20, "opt_steps": 2, "lr": 1.0},
            "feat_mask": {"upscale": True, "show": False},
            "input_mask": {"upscale": True, "show": False},
        },
    }


def write_config(path: Path, config: dict[str, Any]) -> Path:
    """Write a config as the Python file that a user would have."""
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in config.items()))
    return path


def four_pictures(root: Path) -> Path:
    """Write two pictures of each of two classes, and a config that takes them one by one."""
    for i, name in enumerate(("cat", "dog")):
        write_images(root / "estimation" / name, "abcd", seed=i)
        write_images(root / "attribution" / name, ["same", f"only {name}"], seed=10 + i)
    config = tiny_config(root)
    config["data"]["data_loader"]["batch_size"] = 1
    return write_config(root / "tiny.py", config)


def five_pictures(root: Path) -> Path:
    """Write 4 estimation and 2 + 3 attribution pictures of two classes; return their folder."""
    for i, name in enumerate(("cat", "dog")):
        write_images(root / "estimation" / name, ["a", "b", "c", "d"], seed=i)
        write_images(root / "attribution" / name, ["1", "2", "3"][: 2 + i], seed=10 + i)
    return root


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with 4 estimation and 2 + 3 attribution pictures of two classes."""
    return five_pictures(tmp_path / "data")


@pytest.fixture
def config_file(tmp_path: Path, pictures: Path) -> Path:
    """Return the file of the tiny config."""
    return write_config(tmp_path / "tiny.py", tiny_config(pictures))


@pytest.fixture
def config(config_file: Path) -> RunConfig:
    """Return the tiny config, loaded."""
    return load_config(config_file)


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    """Return options that write to a new work directory."""
    return RunOptions(work_dir=tmp_path / "work", precision="fp32", device="cpu")


@pytest.fixture
def many(pictures: Path, config_file: Path) -> RunConfig:
    """Return a config of 21 pictures of one shape, eight at once."""
    write_images(pictures / "attribution" / "cat", [f"m{i}" for i in range(16)])
    return load_config(config_file, {"data.data_loader.batch_size": 8})


Refuse = Callable[[Sequence[str]], BaseException | None]


class FakeExplainer:
    """Explains at once: the masks are functions of the input alone.

    Args:
        refuse: Raises what it returns for the ids of a call, if anything.
    """

    def __init__(self, refuse: Refuse | None = None) -> None:
        self.statistics: FeatureStatistics | None = None
        self.class_names: Sequence[str] = ()
        self.calls: list[list[str]] = []
        self.rows: list[int | None] = []
        self.targets: list[Any] = []
        self.estimated = 0
        self.examples: list[Tensor] = []
        self.refuse = refuse

    @contextmanager
    def estimating(self, example: Tensor) -> Iterator[Callable[[Tensor], RunningStatistics]]:
        self.examples.append(example)

        def statistics_of(inputs: Tensor) -> RunningStatistics:
            self.estimated += len(inputs)
            return RunningStatistics.of(inputs)

        yield statistics_of

    def attribute(
        self,
        inputs: Tensor,
        targets: Any = None,
        *,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        progress: Callable[..., None] | None = None,
        internal_batch_size: int | None = None,
    ) -> list[Attribution | Failure]:
        assert self.statistics is not None
        names = list(ids or [])
        self.calls.append(names)
        self.rows.append(internal_batch_size)
        self.targets.append(targets)
        error = self.refuse(names) if self.refuse else None
        if error is not None:
            raise error
        if progress is not None:
            progress("FeatureIBA", 1, 1, {"target": 0.5})
        labels = [None] * len(names) if targets is None else list(targets)
        return [
            _fake(name, value, label, seed)
            for name, value, label in zip(names, inputs, labels, strict=True)
        ]


def run(
    config: RunConfig, options: RunOptions, explainer: FakeExplainer | None = None
) -> tuple[RunResult, FakeExplainer]:
    fake = explainer or FakeExplainer()
    return run_attribution(config, options, lambda *_: fake), fake


def manifest(options: RunOptions) -> dict[str, Any]:
    assert options.work_dir is not None
    values: dict[str, Any] = json.loads((options.work_dir / "manifest.json").read_text())
    return values


def _fake(name: str, value: Tensor, label: int | None, seed: int) -> Attribution:
    mask = value.mean(0).sigmoid()
    return Attribution(
        id=name,
        target=label or 0,
        prediction=1,
        target_probability=0.25,
        prediction_probability=0.75,
        input_mask=mask,
        map=mask.square(),
        feature_mask=mask * 3,
        feature_capacity=mask[::4, ::4],
        prior_mask=1 - mask,
        checks=Checks(hidden=0.02, spared=0.25, halves=0.9, agreement=0.5),
        losses={"input_iba/target": torch.tensor([1.0, 0.123456789])},
        seed=seed,
        seconds={"prior": 0.5},
    )
