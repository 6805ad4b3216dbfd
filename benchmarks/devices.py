"""What `benchmarks.accelerator` measures of one network on one device."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import torch
import torchvision
from torch import Tensor, nn

from benchmarks.meters import PeakMemory, synchronise
from benchmarks.passes import seconds_of_passes
from benchmarks.setups import Setup, crops_of_a_cat
from benchmarks.waits import waits
from input_iba.attribution import Attributor
from input_iba.attribution.presets import preset_of
from input_iba.core.correlation import spearman
from input_iba.core.noise import NoiseSource
from input_iba.core.precision import choose_precision, computes_bf16
from input_iba.modality import VisionModality
from input_iba.models import build_classifier
from input_iba.records import Attribution

NETWORKS = ("resnet50", "vit_b_16", "efficientnet_lite0")

SIDE, USUAL = 224, 16
"""Pixels a side, and images that statistics come from."""

COMPARED = 2
"""Images of which maps are compared."""


@dataclass(frozen=True)
class Parity:
    """How far maps of a device lie from those of the CPU in fp32."""

    what: str
    correlation: float
    furthest: float

    def __str__(self) -> str:
        return (
            f"{self.what}: rank correlation {self.correlation:.5f} at least, a value off by "
            f"{self.furthest:.2g} of the peak at most"
        )


@dataclass(frozen=True)
class Cost:
    """What explaining costs: images at once, images per second, MiB, times the own passes."""

    precision: str
    at_once: int
    per_second: float
    peak_mib: float
    times: float

    def __str__(self) -> str:
        return (
            f"{self.precision:10}{self.at_once:8}{self.per_second:10.3g}{self.peak_mib:10.0f}"
            f"{self.times:14.2f}"
        )


@dataclass(frozen=True)
class OnDevice(Setup):
    """A setup whose parameters are a preset's, without a config."""

    def attributor(self, preset: str, autocast: torch.dtype | None) -> Attributor:
        """Build the pipeline with the parameters of a preset, its statistics estimated."""
        stages = preset_of(preset).stages
        how: dict[str, Any] = {**stages, "device": self.device, "autocast": autocast}
        found = Attributor(self.model, self.layer, **how)
        found.estimate([self.estimation], len(self.estimation))
        return found


@dataclass(frozen=True)
class Bench:
    """A network on a device."""

    name: str
    device: torch.device
    preset: str
    model: nn.Module
    layer: str
    crops: Tensor

    @classmethod
    def of(cls, name: str, device: torch.device, preset: str) -> Bench:
        """Build a network with random weights, and choose its layer as `InputIBA` does."""
        torch.manual_seed(0)
        if name in NETWORKS[:2]:
            model: nn.Module = torchvision.models.get_model(name, weights=None)
        else:
            cfg = {"source": "efficientnet_lite", "type": name, "pretrained": False}
            model = build_classifier(cfg)
        crops = crops_of_a_cat(SIDE, USUAL)
        layer = VisionModality().choose_layer(model.eval(), crops[:1])
        return cls(name, device, preset, model.to(device), layer, crops)

    @property
    def precisions(self) -> tuple[str, ...]:
        """The number formats that the device computes in."""
        return ("fp32", "bf16") if computes_bf16(self.device) else ("fp32",)

    def setup(self, images: int, device: torch.device | None = None) -> OnDevice:
        """Return what is timed: so many images on a device, by default this one."""
        at = device or self.device
        crops, model = self.crops.to(at), self.model.to(at)
        many = crops.repeat(-(-images // len(crops)), 1, 1, 1)[:images]
        return OnDevice(self.name, model, self.layer, many, crops, {}, at)

    def seconds_until_the_first_map(self) -> float:
        """Return the seconds from a model on the device to the first map, with statistics."""
        setup, start = self.setup(1), time.perf_counter()
        _explained(setup.attributor(self.preset, None), setup.images)
        return time.perf_counter() - start

    def cost(self, at_once: int, precision: str) -> Cost:
        """Time explaining after one batch that warms up, and the classifier's own passes."""
        setup, autocast = self.setup(at_once), choose_precision(precision, self.device)
        attributor, peak = setup.attributor(self.preset, autocast), PeakMemory(self.device)
        _explained(attributor, setup.images)
        gc.collect()
        peak.start()
        start = time.perf_counter()
        _explained(attributor, setup.images)
        seconds = time.perf_counter() - start
        held = peak.mebibytes()
        own = sum(seconds_of_passes(setup, self.preset, autocast, at_once).values())
        return Cost(precision, at_once, at_once / seconds, held, seconds / at_once / own)

    def parities(self) -> list[Parity]:
        """Compare maps of this device, in its formats, with those of the CPU in fp32."""
        cpu = torch.device("cpu")
        with drawn_on_the_cpu():
            expected = self._maps(cpu, "fp32")
            return [
                _parity(f"{self.device.type} {precision} beside cpu fp32", found, expected)
                for precision in ("fp32", "bf16")
                if not (precision == "fp32" and self.device == cpu)
                and not (precision == "bf16" and self.device.type == "mps")
                for found in [self._maps(self.device, precision)]
            ]

    def _maps(self, device: torch.device, precision: str) -> Tensor:
        setup = self.setup(COMPARED, device)
        attributor = setup.attributor(self.preset, choose_precision(precision, device))
        return torch.stack([record.map for record in _explained(attributor, setup.images)])

    def seconds_of_compiled_passes(self) -> dict[str, float] | str:
        """Time the network forward and backward as it is and compiled; say why where it cannot."""
        images = self.setup(1).images.repeat(4, 1, 1, 1).requires_grad_()
        try:
            compiled: Any = torch.compile(self.model)
            return {
                "as it is": _seconds_per_pass(self.model, images),
                "compiled": _seconds_per_pass(compiled, images),
            }
        # Whatever the compiler of this machine lacks.
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"

    def waits_per_step(self) -> dict[str, float]:
        """Return how often a step more of each optimisation waits for the device, by line."""
        few, more = (self._waits(steps) for steps in (2, 4))
        return {line: (more[line] - few[line]) / 2 for line in more if more[line] > few[line]}

    def _waits(self, steps: int) -> Mapping[str, int]:
        setup = self.setup(1)
        attributor = setup.attributor(self.preset, None)
        attributor.feature_iba = replace(attributor.feature_iba, opt_steps=steps)
        attributor.input_iba = replace(attributor.input_iba, opt_steps=steps)
        attributor.attribute(setup.images)
        with waits() as found:
            attributor.attribute(setup.images, progress=lambda *_: None)
        return found.at

    def busy(self) -> dict[str, float]:
        """Return the share of time in which kernels of CUDA run, by a profile of one batch."""
        if self.device.type != "cuda":
            return {}
        setup = self.setup(USUAL)
        attributor = setup.attributor(self.preset, choose_precision("auto", self.device))
        _explained(attributor, setup.images)
        activities = [torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=activities) as profile:
            start = time.perf_counter()
            _explained(attributor, setup.images)
            seconds = time.perf_counter() - start
        kernels = sum(event.device_time_total for event in profile.events()) / 1e6
        return {"kernels": kernels / seconds}


def _explained(attributor: Attributor, images: Tensor) -> list[Attribution]:
    found = attributor.attribute(images)
    synchronise(images.device)
    good = [record for record in found if isinstance(record, Attribution)]
    if len(good) < len(found):
        raise SystemExit(f"Only {len(good)} of {len(found)} images could be explained.")
    return good


def _parity(what: str, found: Tensor, expected: Tensor) -> Parity:
    rows = found.flatten(1), expected.flatten(1)
    off = (rows[0] - rows[1]).abs().amax(1) / rows[1].abs().amax(1)
    return Parity(what, float(spearman(*rows).min()), float(off.max()))


def _seconds_per_pass(model: Callable[[Tensor], Tensor], images: Tensor, timed: int = 3) -> float:
    """Return the seconds forward and backward that an image takes, after two that warm up."""
    for turn in range(2 + timed):
        if turn == 2:
            synchronise(images.device)
            start = time.perf_counter()
        images.grad = None
        model(images).sum().backward()  # type: ignore[no-untyped-call]
    synchronise(images.device)
    return (time.perf_counter() - start) / timed / len(images)


@contextmanager
def drawn_on_the_cpu() -> Iterator[None]:
    """Let the noise of every device be that of the CPU, so that only rounding differs."""
    draws = {name: getattr(NoiseSource, name) for name in ("_filled", "uniform", "permutation")}
    make = NoiseSource.__init__

    def made(self: Any, ids: Any, seed: int, stage: str, device: Any, *rest: Any) -> None:
        make(self, ids, seed, stage, "cpu", *rest)
        self.place = device

    def moved(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda self, *args: draw(self, *args).to(self.place)

    changed: Any = {"__init__": made, **{name: moved(draw) for name, draw in draws.items()}}
    with patch.multiple(NoiseSource, **changed):
        yield
