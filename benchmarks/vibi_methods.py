"""Maps of the same pictures by trained explainers, by InputIBA, and at random, with their cost."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.config.build import build_attributor
from input_iba.config.load import load_config
from input_iba.errors import ConfigError
from input_iba.records import Attribution, Failure
from input_iba.run.shell import Run
from input_iba.training.classifier import Labelled
from input_iba.vibi import BlackBox, ChunkGrid
from input_iba.vibi.commands.explain import timed
from input_iba.vibi.commands.prepared import LoadedVibi, kind_of, load_vibi, read_samples
from input_iba.vibi.commands.sheets import chunk_map

CONFIG = """
_base_ = [{preset!r}]
data = dict(estimation=dict(type="ImageFolder"), attribution=dict(type="ImageFolder"))
attributor = dict(type="VisionAttributor", layer={layer!r}, classifier=dict(type="custom"))
"""
"""Classifier and data are given as objects; only the parameters are read."""


@dataclass(frozen=True)
class Explained:
    """Maps of one method.

    Attributes:
        heats: (S, H, W), on the CPU.
        alone: Milliseconds of each picture that was explained alone.
        together: Milliseconds per picture of all at once.
        once: Seconds before the first picture: training, or statistics.
    """

    heats: Tensor
    alone: list[float] = field(default_factory=list)
    together: float = 0.0
    once: float = 0.0


@dataclass(frozen=True)
class Compared:
    """What all methods explain.

    Attributes:
        black_box: The classifier.
        pictures: (S, C, H, W) in [0, 1].
        targets: Its prediction on each, (S,).
        estimation: Training pictures (N, C, H, W) in [0, 1], for statistics.
    """

    black_box: BlackBox
    pictures: Tensor
    targets: Tensor
    estimation: Tensor


def load(paths: list[Path], device: torch.device) -> dict[str, LoadedVibi]:
    """Load explainers by the names of their folders; they must be of one black box.

    Raises:
        ConfigError: They explain different ones.
    """
    loaded = {}
    for path in paths:
        loaded[path.parent.name] = load_vibi(path, Run(device, None))
    black_boxes = {found.networks.weights for found in loaded.values()}
    if len(black_boxes) > 1:
        raise ConfigError(f"The explainers have different black boxes: {sorted(black_boxes)}.")
    return loaded


def choose_pictures(
    loaded: LoadedVibi, count: int, minimum: float, seed: int, device: torch.device
) -> Compared:
    """Draw test pictures that the black box is sure about, and training pictures."""
    kind = kind_of(loaded.config, Run(device, None, seed))
    data = read_samples(kind)
    black_box = loaded.networks.black_box
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data.test.targets), generator=generator)[: 10 * count]
    drawn = _floats(data.test.take(order), device)
    with torch.no_grad():
        likeliest, targets = black_box.log_probabilities(drawn).exp().max(1)
    sure = torch.nonzero(likeliest >= minimum)[:count, 0]
    estimation = data.train.take(torch.arange(min(1000, len(data.train.targets))))
    return Compared(black_box, drawn[sure], targets[sure], _floats(estimation, device))


def _floats(samples: Labelled, device: torch.device) -> Tensor:
    images: Tensor = samples.inputs.to(device).float() / 255
    return images


def by_vibi(loaded: LoadedVibi, compared: Compared) -> Explained:
    """Give every pixel the probability of its chunk."""
    grid = loaded.vibi.chunks
    assert isinstance(grid, ChunkGrid)

    @torch.no_grad()
    def explain(rows: Tensor) -> Tensor:
        return chunk_map(grid, loaded.vibi.explain(compared.pictures[rows]).softmax(1))

    return _timed(explain, len(compared.pictures), len(compared.pictures), compared)


def by_input_iba(
    layer: str, compared: Compared, alone: int, seed: int
) -> tuple[Explained, Explained]:
    """Explain with the parameters of the preset `fast`; input masks, then feature masks."""
    device, normalize = compared.pictures.device, compared.black_box.inputs_of
    began = time.perf_counter()
    attributor = fast_attributor(compared.black_box.classifier, layer, device)
    attributor.estimate([normalize(compared.estimation)])
    once = time.perf_counter() - began
    kept: list[Attribution] = []

    def explain(rows: Tensor) -> Tensor:
        inputs = normalize(compared.pictures[rows])
        found = attributor.attribute(inputs, compared.targets[rows].tolist(), seed=seed)
        failed = [one.reason for one in found if isinstance(one, Failure)]
        if failed:
            raise SystemExit(f"InputIBA could not explain a picture: {failed[0]}")
        kept[:] = [one for one in found if isinstance(one, Attribution)]
        return torch.stack([one.input_mask for one in kept])

    found = _timed(explain, len(compared.pictures), alone, compared)
    features = torch.stack([one.feature_mask for one in kept]).cpu().float()
    return replace(found, once=once), Explained(features, once=once)


def fast_attributor(model: nn.Module, layer: str, device: torch.device) -> Attributor:
    """Build the three stages with the parameters of the preset `fast`."""
    from input_iba.config import presets

    preset = str(Path(presets.__file__).parent / "fast.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.py"
        path.write_text(CONFIG.format(preset=preset, layer=layer))
        config = load_config(path)
    found = build_attributor(config, model, device, None)
    assert isinstance(found, Attributor)
    return found


def at_random(compared: Compared, seed: int) -> Explained:
    """Draw a map."""
    shape = (len(compared.pictures), *compared.pictures.shape[-2:])
    return Explained(torch.rand(shape, generator=torch.Generator().manual_seed(seed)))


def _timed(
    explain: Callable[[Tensor], Tensor], count: int, alone: int, compared: Compared
) -> Explained:
    """Explain some pictures one by one and all at once, after one that does not count."""
    rows = torch.arange(count)
    device = compared.pictures.device
    timed(lambda: explain(rows[:1]), device)
    each = [timed(partial(explain, row), device)[1] for row in torch.split(rows[:alone], 1)]
    heats, total = timed(lambda: explain(rows), device)
    return Explained(heats.cpu().float(), each, total / count)
