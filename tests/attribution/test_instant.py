"""The preset 'instant': its cost in rows of the classifier, and that batches change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from torch import Tensor, nn

import input_iba
from input_iba.attribution.presets import INSTANT, INSTANT_TEXT, preset_of
from input_iba.modality import TextModality
from tests.attribution.nets import IDS, assert_same, estimated, inputs, small_net
from tests.attribution.test_several import pairs, trained
from tests.attribution.text_nets import PAD, TinyLSTM, sentences, text_attributor

ROWS = 30
"""The most rows, forward and backward, that the stages may take for a sample."""

CHECKS = 11
"""The most rows forward by which a call looks at the classifier, however many samples it has."""

BESIDE = 3
"""Rows forward that a sample takes beside the steps: as it is, and twice with a part hidden."""


@dataclass
class Rows:
    """Rows that came out of a classifier's end, those of them with a graph, and their gradients."""

    forward: int = 0
    steps: int = 0
    backward: int = 0


@contextmanager
def counted(last: nn.Module) -> Iterator[Rows]:
    """Count the rows of a classifier's last module."""
    rows = Rows()

    def back(gradient: Tensor) -> None:
        rows.backward += len(gradient)

    def note(_module: nn.Module, _args: Any, output: Tensor) -> None:
        rows.forward += len(output)
        if output.requires_grad:
            rows.steps += len(output)
            output.register_hook(back)  # type: ignore[no-untyped-call]

    handle = last.register_forward_hook(note)
    try:
        yield rows
    finally:
        handle.remove()


def cases() -> dict[str, tuple[nn.Module, nn.Module, Any, Any, dict[str, Any]]]:
    """Return networks, their last module, usual inputs, others, and settings, by kind of input."""
    image, text, several = small_net(), TinyLSTM(2), trained()
    signals, pictures, *_ = pairs(40, seed=0)
    words = {"modality": TextModality(pad=PAD)}
    return {
        "images": (image, image[-1], inputs(20), inputs(1), {"layer": "4"}),
        "texts": (text, text.fc, sentences(20, 3), sentences(1), {"layer": "rnn_1", **words}),
        "several inputs": (
            several,
            several.head[-1],
            (signals, pictures),
            (signals[:1], pictures[:1]),
            {},
        ),
    }


@pytest.mark.parametrize("kind", ["images", "texts", "several inputs"])
def test_a_sample_costs_at_most_thirty_rows_forward_and_backward(kind: str) -> None:
    net, last, usual, one, settings = cases()[kind]
    iba = input_iba.InputIBA(net, preset="instant", **settings).fit(usual)
    iba.attribute(one)  # which checks the network, once
    with counted(last) as rows:
        iba.attribute(one)
    preset = preset_of("instant", kind)
    steps = sum(s.opt_steps * s.batch_size for s in (preset.feature_iba, preset.input_iba))
    assert rows.backward == rows.steps == steps <= ROWS
    assert rows.forward <= steps + BESIDE + CHECKS
    with counted(last) as rows:
        input_iba.InputIBA(net, preset="fast", **settings).fit(usual).attribute(one)
    assert rows.backward >= 200  # what the count is to be compared with


def test_what_looks_at_the_classifier_is_paid_once_a_batch() -> None:
    net = small_net()
    iba = input_iba.InputIBA(net, "4", preset="instant").fit(inputs(20))
    iba.attribute(inputs(8))
    with counted(net[-1]) as rows:
        iba.attribute(inputs(8))
    assert rows.backward == rows.steps <= 8 * ROWS
    assert rows.forward <= rows.steps + 8 * BESIDE + CHECKS


def test_many_images_at_once_are_as_each_alone_in_any_order() -> None:
    attributor = estimated(small_net(), **INSTANT.stages)
    x = inputs()
    together = attributor.attribute(x, [0, 1, 2, 0], ids=IDS)
    turned = attributor.attribute(x.flip(0), [0, 2, 1, 0], ids=IDS[::-1])
    for i, sample_id in enumerate(IDS):
        [alone] = attributor.attribute(x[i : i + 1], [[0, 1, 2, 0][i]], ids=[sample_id])
        assert_same(together[i], alone)
        assert_same(turned[3 - i], alone)


def test_many_texts_at_once_are_as_each_alone() -> None:
    attributor = text_attributor(TinyLSTM().double(), **INSTANT_TEXT.stages)
    attributor.estimate([sentences(20, seed=3)])
    ids = sentences(4, seed=1)
    together = attributor.attribute(ids, [0, 1, 1, 0], ids=IDS)
    for i, name in enumerate(IDS):
        own = ids[i : i + 1, : int((ids[i] != PAD).sum())]
        [alone] = attributor.attribute(own, [[0, 1, 1, 0][i]], ids=[name])
        assert_same(together[i], alone)
