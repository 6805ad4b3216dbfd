"""Classifier and explainer in one file: what it computes elsewhere, and what is refused."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba import AmortisedIBA
from input_iba.attribution.amortised import (
    Explainer,
    build_explainer,
    export_explainer,
    write_explainer,
)
from input_iba.core.classifier import Classifier
from input_iba.core.explainable import weights_digest
from input_iba.core.tokens import NO_TOKENS
from input_iba.errors import AttributionError, ConfigError, MissingExtraError
from input_iba.modality.vision import VisionModality
from tests.attribution.tiny_vit import TinyViT

SHAPE = (3, 24, 36)
VISION = VisionModality()
Trained = tuple[nn.Module, Explainer]


def cnn(classes: int, channels: int = 3) -> nn.Module:
    """Return a small CNN whose batch norm has seen something."""
    torch.manual_seed(classes)
    parts = [nn.Conv2d(channels, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(inplace=True)]
    parts += [nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU(inplace=True)]
    net = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes))
    net(torch.randn(8, channels, 24, 36) + 1)
    return net.eval()


def explained(net: nn.Module, shape: Sequence[int] = SHAPE) -> Trained:
    """Return a network, and an explainer whose weights depend on everything."""
    inputs = torch.randn(4, *shape)
    explainer, _ = build_explainer(Classifier(net), VISION, inputs, NO_TOKENS)
    with torch.no_grad():
        for values in explainer.parameters():
            values.add_(0.1 * torch.randn_like(values))
    return net, explainer.eval().requires_grad_(False)


def of_facade(net: nn.Module, explainer: Explainer, folder: Path, **how: Any) -> AmortisedIBA:
    path = write_explainer(folder / "explainer.safetensors", explainer)
    return AmortisedIBA.load(path, net, precision="fp32", **how)


def runs_onnx(path: Path) -> Callable[..., list[Tensor]]:
    """Return what runs a file as somebody does who has onnxruntime alone."""
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(str(path))

    def run(*values: Tensor) -> list[Tensor]:
        names = [given.name for given in session.get_inputs()]
        feeds = {name: value.numpy() for name, value in zip(names, values, strict=True)}
        return [torch.from_numpy(found) for found in session.run(["logits", "map"], feeds)]

    return run


def assert_equal(found: Sequence[Tensor], logits: Tensor, maps: Tensor) -> None:
    torch.testing.assert_close(found[0], logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found[1].sum((1, 2)), torch.ones(len(maps)))
    maps = maps[:, 0]
    shares = found[1] / found[1].amax((1, 2), keepdim=True)
    assert float((shares - maps).abs().max()) < 1e-4
    assert float(maps.std()) > 0.01  # there is something to see


@pytest.mark.slow
@pytest.mark.parametrize("classes", [5, 1])
def test_onnxruntime_puts_out_what_the_explainer_does(classes: int, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    net, explainer = explained(cnn(classes))
    fast = of_facade(net, explainer, tmp_path)
    assert fast.export(tmp_path / "new" / "model.onnx") == tmp_path / "new" / "model.onnx"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["model.onnx"]
    run = runs_onnx(tmp_path / "new" / "model.onnx")
    for rows in (1, 3):
        inputs = torch.randn(rows, *SHAPE)
        found = fast.attribute(inputs)
        assert_equal(run(inputs), net(inputs).detach(), found.maps)


def test_what_torch_loads_puts_out_what_the_explainer_does(tmp_path: Path) -> None:
    net, explainer = explained(cnn(4))
    fast = of_facade(net, explainer, tmp_path)
    path = fast.export(tmp_path / "model.pt2", torch.randn(*SHAPE), "torch", any_class=True)
    run = torch.export.load(path).module()
    inputs = torch.randn(3, *SHAPE)
    predicted = fast.attribute(inputs)
    assert_equal(run(inputs, torch.full((3,), -1)), net(inputs).detach(), predicted.maps)
    of_one = run(inputs[:1], torch.tensor([2]))
    assert_equal(of_one, net(inputs[:1]).detach(), fast.attribute(inputs[:1], 2).maps)
    assert not torch.allclose(run(inputs[:1], torch.tensor([3]))[1], of_one[1])


def test_tokens_and_half_precision_are_exported_in_single_precision(tmp_path: Path) -> None:
    class Counted(TinyViT):
        def embedded(self, x: Tensor) -> Tensor:
            patches = self.patches(x).flatten(2).mT
            first = self.class_token.expand(x.shape[0], -1, -1)
            return torch.cat([first, patches], 1) + self.positions

    net, explainer = explained(Counted().eval(), (2, 8, 8))
    half = deepcopy(net).bfloat16()
    explainer.plan = replace(explainer.plan, classifier=weights_digest(half))
    path = export_explainer(tmp_path / "m", explainer, half, VISION, format="torch")
    run = torch.export.load(io.BytesIO(path.read_bytes())).module()
    logits, maps = run(torch.randn(3, 2, 8, 8))
    assert (logits.dtype, maps.shape) == (torch.float32, (3, 8, 8))
    assert next(half.parameters()).dtype == torch.bfloat16


def test_the_model_comes_back_as_it_was(tmp_path: Path) -> None:
    net, explainer = explained(cnn(3))
    net.train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    export_explainer(tmp_path / "m.pt2", explainer, net, VISION, format="torch")
    assert net.training
    assert all(module.training for module in net.modules())
    assert all(value.requires_grad for value in net.parameters())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


class Decides(nn.Module):
    """Computes something else for bright images, which no graph can hold."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = cnn(3)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.inner(x)
        return logits if x.mean() > 0 else -logits


@pytest.mark.parametrize(
    ("net", "shape"), [(Decides(), SHAPE), (TinyViT().eval(), (2, 8, 8))], ids=["values", "len"]
)
def test_what_cannot_be_traced_is_an_error_that_says_so(
    net: nn.Module, shape: tuple[int, ...], tmp_path: Path
) -> None:
    net, explainer = explained(net.eval(), shape)
    with pytest.raises(AttributionError, match=r"cannot be written as one graph: .*torch\.export"):
        export_explainer(tmp_path / "m", explainer, net, VISION, format="torch")
    assert list(tmp_path.iterdir()) == []


def test_other_classifiers_kinds_formats_and_examples_are_refused(tmp_path: Path) -> None:
    net, explainer = explained(cnn(3))
    path = tmp_path / "m"
    with pytest.raises(ConfigError, match="trained for a classifier with other weights"):
        export_explainer(path, explainer, cnn(4), VISION, format="torch")
    with pytest.raises(ConfigError, match=r"Unknown format 'tflite'\. Known: onnx, torch"):
        export_explainer(path, explainer, net, VISION, format="tflite")  # type: ignore[arg-type]
    with pytest.raises(AttributionError, match=r"give \(n, 3, 24, 36\)"):
        example = torch.zeros(1, 3, 24, 24)
        export_explainer(path, explainer, net, VISION, format="torch", example=example)
    explainer.plan = replace(explainer.plan, kind="texts")
    with pytest.raises(ConfigError, match="Explainers of images can be exported"):
        export_explainer(path, explainer, net, VISION, format="torch")
    with pytest.raises(AttributionError, match="Nothing is trained yet"):
        AmortisedIBA(net).export(path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    net, explainer = explained(cnn(3))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"'onnx' .* pip install 'input-iba\[export\]'"):
        export_explainer(tmp_path / "m.onnx", explainer, net, VISION)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [0, 1], ids=["logits", "map"])
def test_a_file_that_computes_something_else_is_not_kept(
    place: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Worse:
        """A program that was read wrongly."""

        def __init__(self, file: Any) -> None:
            self.run = load(file).module()

        def module(self) -> Any:
            return self

        def __call__(self, *values: Tensor) -> list[Tensor]:
            found = list(self.run(*values))
            found[place] = found[place] + 2e-4 * found[place].abs().max()
            return found

    load = torch.export.load
    monkeypatch.setattr(torch.export, "load", Worse)
    path = tmp_path / "model.pt2"
    path.write_bytes(b"before")
    net, explainer = explained(cnn(3))
    with pytest.raises(AttributionError, match=f"another {('logits', 'map')[place]}: it differs"):
        export_explainer(path, explainer, net, VISION, format="torch")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
