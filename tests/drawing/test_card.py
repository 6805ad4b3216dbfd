"""Records draw themselves: pictures inline, words escaped, a window or a file."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from input_iba.attribution import Attributor, InputBottleneck, SaliencyPrior, described
from input_iba.attribution.found import Attributions
from input_iba.attribution.methods import Gradient, MethodAttributor
from input_iba.drawing import heat_of, overlay, rendered
from input_iba.drawing.card import draw_card
from input_iba.records import Attribution, Checks, Explanation, ImageSample, TextSample

EVIL = "<script>alert('a')</script>"


def explanation(mask: torch.Tensor, **keys: Any) -> Explanation:
    known = {"target": 1, "prediction": 0, "target_probability": 0.25, "seconds": {"a": 1.0}}
    known |= {"map": mask, "input_mask": mask}
    return Explanation(id="x", prediction_probability=0.75, **{**known, **keys})


def attribution(picture: torch.Tensor | None) -> Attribution:
    mask = torch.linspace(0, 1, 48).view(6, 8)
    return Attribution(
        id="x",
        target=0,
        prediction=0,
        target_probability=0.5,
        prediction_probability=0.5,
        map=mask.square(),
        input_mask=mask,
        feature_mask=3 * mask,
        feature_capacity=mask,
        prior_mask=1 - mask,
        picture=picture,
    )


def pictures_in(html: str) -> dict[str, np.ndarray[Any, Any]]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)" alt="([^"]+)"', html)
    return {
        caption: np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        for data, caption in found
    }


def test_a_notebook_gets_photograph_overlay_and_masks_inline() -> None:
    photograph = torch.arange(144, dtype=torch.uint8).view(3, 6, 8)
    shown = pictures_in(attribution(photograph)._repr_html_())
    assert list(shown) == ["input", "overlay", "map", "input mask", "feature mask", "prior"]
    heat = heat_of(attribution(None).map.numpy())
    assert np.array_equal(shown["overlay"], overlay(shown["input"], heat))
    assert np.array_equal(shown["input"], photograph.permute(1, 2, 0).numpy())
    assert shown["feature mask"][0, 0].sum() < shown["feature mask"][5, 7].sum()
    assert shown["prior"][0, 0].sum() > shown["prior"][5, 7].sum()
    without = pictures_in(attribution(None)._repr_html_())
    assert list(without) == ["map", "input mask", "feature mask", "prior"]


def test_a_map_of_an_absent_class_says_so_and_does_not_glow() -> None:
    photograph = torch.full((3, 6, 8), 100, dtype=torch.uint8)
    record, absent = (
        replace(attribution(photograph), losses={"input_iba/target": torch.tensor([loss])})
        for loss in (0.01, 6.0)
    )
    assert "hardly any evidence" in absent.title()
    assert "hardly any evidence" not in record.title()
    shown, empty = (made.images()["overlay"].astype(int) for made in (record, absent))
    assert abs(empty - 70).max() < 3 < abs(shown - 70).max()


def test_a_card_says_whether_to_believe_its_map(tmp_path: Path) -> None:
    checks = Checks(hidden=0.01, spared=0.5, halves=0.1, agreement=0.5)
    record = replace(attribution(None), checks=checks)
    assert record.belief.verdict == "red"
    html = record._repr_html_()
    assert f'<p class="believed red">{record.belief.line}</p>' in html
    figure = draw_card(Figure(layout="constrained"), record)
    assert figure.get_supxlabel().replace("\n", " ") == record.belief.line
    record.save(tmp_path / "card.png")
    words = (("a", 0.1), ("b", 0.9))
    text = replace(record, words=words, map=torch.tensor([0.1, 0.9]))
    both = Attributions([replace(text, target=0), replace(text, target=1, checks=None)])
    page = both.to_html(tmp_path / "card.html").read_text(encoding="utf-8")
    assert re.findall(r'class="believed ([a-z ]+)"', page) == ["red", "not checked"]


def test_the_title_says_class_probability_and_seconds() -> None:
    record = explanation(torch.rand(4, 4), class_names=("dog", EVIL))
    assert record.title() == f"{EVIL}: 25 % · predicted: dog 75 % · 1.0 s"
    assert "<script" not in record._repr_html_()
    bits = f"{float(attribution(None).map.sum()):.3g} bits"
    assert attribution(None).title() == f"class 0: 50 % · {bits}"
    assert replace(record, target=0).title() == "dog: 25 % · 1.0 s"
    own = replace(record, target=None, class_names=())
    assert own.title() == "a loss of the caller's own · predicted: class 0 75 % · 1.0 s"


def test_words_are_coloured_and_escaped() -> None:
    record = explanation(torch.tensor([0.0, 0.5, 1.0]))
    assert re.findall(r">(\d+)</span>", record._repr_html_()) == ["0", "1", "2"]
    sample = TextSample("x", torch.zeros(3), tokens=(EVIL, "good"), words=(0, 1, 1))
    html = described(record, sample, ["bad", "fine"])._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert re.findall(r'--heat:([\d.]+)" title="([\d.]+)"', html) == [
        ("0.000", "0"),
        ("1.000", "0.75"),
    ]
    assert "fine: 25 %" in html
    assert "<img" not in html


def test_a_text_is_shown_with_what_stands_between_its_words(tmp_path: Path) -> None:
    text, spans = "“So”\n\nfun!", ((1, 3), (6, 9))
    sample = TextSample("x", torch.zeros(2), tokens=("so", "fun"), text=text, spans=spans)
    found = described(explanation(torch.tensor([0.0, 1.0])), sample)
    [shown] = re.findall(r'<p class="text">(.*?)</p>', found._repr_html_(), re.DOTALL)
    assert re.sub(r"<[^>]*>", "", shown) == text
    figure = draw_card(Figure(), found)
    drawn = {part.get_text(): part.get_position() for part in figure.axes[0].texts}
    assert drawn == {"“": (0, 0), "So": (1, 0), "”": (3, 0), "fun": (0, 2), "!": (3, 2)}


def test_a_described_image_is_shown_as_its_data_set_shows_it() -> None:
    image = torch.full((3, 4, 4), 7, dtype=torch.uint8)
    sample = ImageSample("x", torch.zeros(3, 4, 4), image=image)
    found = described(explanation(torch.rand(4, 4)), sample)
    assert found.images()["input"].tolist() == np.full((4, 4, 3), 7).tolist()


@pytest.mark.parametrize("ending", ["png", "svg"])
@pytest.mark.parametrize("words", [(), (("$x$", 0.1), ("b" * 100, 0.9), ("c", 0.5))])
def test_show_writes_a_file(tmp_path: Path, ending: str, words: Any) -> None:
    file = tmp_path / f"card.{ending}"
    explanation(torch.rand(4, 4), words=words).show(file)
    start = file.read_bytes()[:200]
    assert start.startswith(b"\x89PNG") if ending == "png" else b"<?xml" in start


def test_show_opens_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: opened.append(len(plt.gcf().axes)))
    monkeypatch.setattr(plt, "figure", lambda **keys: _figure(Figure(**keys), monkeypatch))
    attribution(None).show()
    assert opened == [4]


def _figure(figure: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(plt, "gcf", lambda: figure)
    return figure


def test_what_attributors_return_shows_the_input() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 7))
    inputs = torch.randn(2, 3, 8, 8)
    attributor = Attributor(
        net, "1", prior=SaliencyPrior(), input_iba=InputBottleneck(opt_steps=1, batch_size=1)
    )
    attributor.estimate([torch.randn(16, 3, 8, 8)])
    found = attributor.attribute(inputs)[1]
    assert isinstance(found, Attribution)
    assert found.picture is not None
    assert (int(found.picture.min()), int(found.picture.max())) == (0, 255)
    highest = inputs[1].argmax()
    assert found.picture.flatten()[highest] == 255
    with torch.no_grad():
        chances = net(inputs)[1].softmax(0)
    assert [index for index, _ in found.top] == chances.argsort(descending=True)[:5].tolist()
    assert found.top[0][1] == pytest.approx(float(chances.max()), rel=1e-5)
    [other, _] = MethodAttributor(net, Gradient()).attribute(inputs)
    assert isinstance(other, Explanation)
    assert list(other.images()) == ["input", "overlay", "input mask"]


def test_signed_maps_have_zero_in_the_middle_of_a_diverging_map() -> None:
    pixels = rendered(np.array([[-1.0, 0.0, 0.5]]), "bwr")
    assert pixels[0, 1].min() >= 253
    assert pixels[0, 0].tolist() == [0, 0, 255]
    assert pixels[0, 2, 0] > pixels[0, 2, 2] + 100
    grey = rendered(np.array([[-1.0, 0.0, 1.0]]))[0, 1].astype(int)
    assert np.ptp(grey) < 5
    unsigned = rendered(np.array([[2.0, 3.0, 4.0]]), "bwr")
    assert unsigned[0, 0].tolist() == [0, 0, 255]
