"""The map: its sum is the bits of the feature bottleneck, and settings of configs reach it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from input_iba.attribution import FAST, Attributor, Preset, Reading, described
from input_iba.attribution.presets import PRESETS
from input_iba.errors import ConfigError
from input_iba.records import Attribution, TextSample
from tests.attribution.nets import assert_same, estimated, inputs, small_net
from tests.attribution.text_nets import TinyLSTM, sentences, text_attributor


def images() -> list[Any]:
    return estimated(small_net()).attribute(inputs(), ids="abcd")


def texts() -> list[Any]:
    attributor = text_attributor(TinyLSTM(1).double(), "rnn_1")
    attributor.estimate([sentences(20, seed=3)])
    return attributor.attribute(sentences(4, seed=1), ids="abcd")


@pytest.mark.parametrize("explained", [images, texts])
def test_the_sum_of_a_map_is_the_bits_that_pass_times_how_far_the_target_holds(
    explained: Any,
) -> None:
    for record in explained():
        assert isinstance(record, Attribution)
        assert record.map.shape == record.input_mask.shape
        assert record.map.min() >= 0
        assert record.bits > 0
        met = (-record.losses["input_iba/target"][-1]).exp()
        torch.testing.assert_close(record.map.sum(), record.feature_mask.sum() * met)
        assert f"{record.bits:.3g} bits" in record.title()


def test_a_product_is_the_gain_where_the_features_have_bits() -> None:
    attributor = estimated(small_net())
    by_gain, by_product = (attributor_reading(attributor, source) for source in ("gain", "product"))
    for gain, product in zip(by_gain, by_product, strict=True):
        share = gain.map * gain.feature_mask.clamp_min(0)
        torch.testing.assert_close(product.map, share * (gain.map.sum() / share.sum()))


def attributor_reading(attributor: Attributor, source: str) -> list[Any]:
    attributor.reading = Reading(source=source, smoothing=0.0)
    return attributor.attribute(inputs(), ids="abcd")


@pytest.mark.parametrize("order", [[2, 0, 3, 1], [1, 3], [2]])
def test_neighbours_do_not_change_a_map(order: list[int]) -> None:
    together = images()
    again = estimated(small_net()).attribute(inputs()[order], ids=["abcd"[i] for i in order])
    for i, record in zip(order, again, strict=True):
        # What is explained for the predicted class depends on nothing but the input and the id.
        assert_same(record, together[i])


def test_of_one_word_the_map_is_all_bits() -> None:
    attributor = text_attributor(TinyLSTM(1).double(), "rnn_1")
    attributor.estimate([sentences(20, seed=3)])
    [found] = attributor.attribute(torch.tensor([[5]]))
    assert isinstance(found, Attribution)
    met = (-found.losses["input_iba/target"][-1]).exp()
    torch.testing.assert_close(found.map, found.feature_mask * met)
    assert found.bits > 0


def test_the_bits_of_a_words_pieces_are_added_up() -> None:
    record = replace(texts()[0], map=torch.tensor([1.0, 2.0, 4.0]))
    words = (0, 1, 1)
    sample = TextSample("a", torch.zeros(3), tokens=("one", "two"), words=words)
    assert described(record, sample).words == (("one", 1.0), ("two", 6.0))


def test_presets_pass_the_reading_on_to_the_map() -> None:
    for kinds in PRESETS.values():
        for preset in kinds.values():
            assert preset.stages["reading"] == preset.reading
            assert "n_samples" not in preset.stages

    class Twice(Reading):
        def read(self, *found: Any) -> Tensor:
            return 2 * super().read(*found)

    net = small_net()
    assert Attributor(net, "4").reading == Reading()
    own = Preset(FAST.feature_iba, FAST.prior, FAST.input_iba, reading=Twice())
    assert isinstance(Attributor(net, "4", **own.stages).reading, Twice)
    [once], [twice] = (
        estimated(net, reading=reading).attribute(inputs(1)) for reading in (Reading(), Twice())
    )
    assert isinstance(once, Attribution)
    assert isinstance(twice, Attribution)
    assert torch.equal(2 * once.map, twice.map)
    assert torch.equal(once.input_mask, twice.input_mask)


def test_settings_check_themselves() -> None:
    for item in fields(Reading):
        with pytest.raises(ConfigError, match=rf"map\.{item.name} must be"):
            Reading(**{item.name: "much"})  # type: ignore[arg-type]
