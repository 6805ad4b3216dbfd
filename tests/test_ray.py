"""A data set of Ray with what explains its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL.Image import Image
from torch import Tensor, nn

from input_iba.attribution.facade import InputIBA
from input_iba.errors import AttributionError, ConfigError
from input_iba.ray import explain
from input_iba.run.on_ray import session
from input_iba.run.options import LaunchOptions
from tests.models.tiny_bert import tiny_bert, tokenizer
from tests.tiny_runs import needs_ray

pytestmark = [pytest.mark.slow, needs_ray]


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Return Ray Data, connected to a Ray of one process on this machine."""
    with session(LaunchOptions(launcher="ray", num_workers=1)):
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False
        yield ray.data


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 5)
    return nn.Sequential(*layers).eval()


def shrunk(image: Image) -> Tensor:
    """Return an image as the network takes it; one that lets things shine through is refused."""
    if image.mode != "RGB":
        raise ValueError("transparent")
    pixels = torch.from_numpy(np.asarray(image.resize((16, 16)), np.float32).copy())
    return pixels.permute(2, 0, 1) / 255


def pictures() -> list[np.ndarray[Any, Any]]:
    draws = np.random.default_rng(0)
    sizes = [(16, 16, 3), (20, 30, 3), (16, 16, 4), (24, 16, 3)]
    return [draws.integers(0, 255, size, dtype=np.uint8) for size in sizes]


def test_rows_get_the_maps_that_the_explainer_makes_itself(ray: Any) -> None:
    torch.manual_seed(1)
    explainer = InputIBA(network(), "1", preset="instant", transform=shrunk)
    explainer.fit(torch.rand(20, 3, 16, 16))
    images = pictures()
    rows = [{"image": images[i], "path": f"{i}.png"} for i in (0, 1, 2, 3)]
    found = explain(ray.from_items(rows), explainer, batch_size=4, num_workers=1).take_all()
    by_path = {row["path"]: row for row in found}
    assert sorted(by_path) == [f"{i}.png" for i in range(4)]
    assert by_path["2.png"]["failure"] == "ValueError: transparent"
    assert by_path["2.png"]["map"].size == 0
    for i in (0, 1, 3):
        row = by_path[f"{i}.png"]
        ours = explainer.attribute(shrunk(_image(images[i])), ids=[f"{i}.png"])[0]
        assert row["failure"] == ""
        np.testing.assert_array_equal(row["map"], ours.map.numpy())
        assert row["map"].dtype == np.float32
        assert (row["target"], row["prediction"]) == (ours.target, ours.prediction)
        assert row["target_probability"] == pytest.approx(ours.target_probability)
        np.testing.assert_array_equal(row["image"], images[i])


def _image(pixels: np.ndarray[Any, Any]) -> Image:
    from PIL import Image as Images

    return Images.fromarray(pixels)


def test_texts_get_a_value_a_word_by_what_is_made_in_the_actor(ray: Any) -> None:
    def made() -> InputIBA:
        own = InputIBA(tiny_bert().eval(), preset="instant", tokenizer=tokenizer())
        return own.fit(["a great film", "dull and bad", "so flat", "fun fun"] * 5)

    texts = ["a great film", "so dull and flat", "a great film"]
    rows = ray.from_items([{"text": text} for text in texts])
    found = explain(rows, made, target=1, num_workers=1).take_all()
    assert [row["text"] for row in found] == texts
    for row in found:
        assert list(row["words"]) == row["text"].split()
        assert row["map"].shape == (len(row["words"]),)
        assert row["target"] == 1
    np.testing.assert_array_equal(found[0]["map"], found[2]["map"])  # equal rows, equal noise


def test_what_cannot_be_is_refused_before_anything_is_computed(ray: Any) -> None:
    rows = ray.from_items([{"picture": 1}])
    explainer = InputIBA(network(), "1")
    with pytest.raises(AttributionError, match="not fitted"):
        explain(rows, explainer)
    explainer.fit(torch.rand(20, 3, 16, 16))
    with pytest.raises(ConfigError, match=r"'image' or 'text'.*has 'picture'"):
        explain(rows, explainer)
