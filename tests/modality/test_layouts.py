"""Where channels, rows and columns lie: told by where features change, and put back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.tap import TappedClassifier
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality import VisionModality
from input_iba.modality.axes import grid_size
from input_iba.modality.layouts import CHANNELS_FIRST, NAMED, Axes, Layout, layout_of
from input_iba.modality.probe import PLACES, changed_images, choose

SIDE, CELLS = 32, 8


def patches(images: Tensor) -> Tensor:
    """Return the mean colours of 8 × 8 patches, (B, 3, 8, 8), spread over eight channels."""
    means = F.avg_pool2d(images, SIDE // CELLS)
    weights = torch.randn(CELLS, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    maps: Tensor = F.conv2d(means, weights)
    return maps


class Laid(nn.Module):
    """Puts out one patch's features each, laid as a function says."""

    def __init__(self, lay: object) -> None:
        super().__init__()
        self.lay = lay
        self.layer = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        assert callable(self.lay)
        laid: Tensor = self.layer(self.lay(patches(x)))
        return laid.reshape(len(x), -1)[:, :4]


def tokens(maps: Tensor, prefix: int = 0) -> Tensor:
    rows = maps.flatten(2).mT
    return torch.cat([torch.ones(len(maps), prefix, CELLS), rows], 1)


def in_windows(maps: Tensor) -> Tensor:
    """Return tokens in the order of 4 × 4 windows, (B, 64, C)."""
    split = maps.reshape(len(maps), CELLS, 2, 4, 2, 4)
    return split.permute(0, 2, 4, 3, 5, 1).flatten(1, 4)


def tapped(lay: object, layout: object = None) -> TappedClassifier:
    net = Laid(lay)
    wrapping = VisionModality().wrapping(net, "layer", "output", layout)  # type: ignore[arg-type]
    return TappedClassifier(net, "layer", wrapping=wrapping)


LAID = [
    pytest.param(lambda m: m, "channels_first", id="channels first"),
    pytest.param(lambda m: m.permute(0, 2, 3, 1), "channels_last", id="channels last"),
    pytest.param(tokens, "tokens", id="tokens"),
    pytest.param(lambda m: tokens(m).mT, "channels_then_tokens", id="channels, tokens"),
    pytest.param(lambda m: tokens(m).transpose(0, 1), "sequence_first", id="sequence first"),
]


@pytest.mark.parametrize(("lay", "name"), LAID)
def test_features_are_read_where_they_are_though_all_sides_are_equal(
    lay: object, name: str
) -> None:
    images = torch.randn(2, 3, SIDE, SIDE)
    tap = tapped(lay)
    torch.testing.assert_close(tap.features(images), patches(images))
    asked = tapped(lay, name)
    assert torch.equal(asked.features(images), tap.features(images))


@pytest.mark.parametrize("prefix", [0, 1, 2, 4, 5, 9, 16])
def test_tokens_of_no_place_are_told_from_those_of_patches(prefix: int) -> None:
    images = torch.randn(1, 3, SIDE, SIDE)
    tap = tapped(lambda maps: tokens(maps, prefix))
    torch.testing.assert_close(tap.features(images), patches(images))


@pytest.mark.parametrize(
    ("lay", "message"),
    [
        (in_windows, "order of their own.*layout="),
        (lambda m: m.flip(2), "order of their own"),
        (lambda m: m.mT, "order of their own"),
        (
            lambda m: in_windows(m).reshape(-1, 16, CELLS),
            "folded into the batch dimension.*layout=",
        ),
        (lambda m: tokens(m)[:, :3], "not a grid of positions.*layout="),
    ],
    ids=["windows", "upside down", "transposed", "folded", "cut"],
)
def test_what_cannot_be_told_is_refused_with_the_remedy(lay: object, message: str) -> None:
    with pytest.raises(AttributionError, match=message):
        tapped(lay).features(torch.randn(1, 3, SIDE, SIDE))


def test_the_remedy_works_for_windows_in_the_batch_too() -> None:
    def order(value: Tensor) -> Tensor:
        windows = value.reshape(-1, 2, 2, 4, 4, CELLS)
        return windows.permute(0, 5, 1, 3, 2, 4).reshape(-1, CELLS, CELLS, CELLS)

    images = torch.randn(2, 3, SIDE, SIDE)
    for lay in (in_windows, lambda m: in_windows(m).reshape(-1, 16, CELLS)):
        tap = tapped(lay, order)
        features = tap.features(images)
        torch.testing.assert_close(features, patches(images))
        changed = tap.logits_with(images, 2 * features)
        torch.testing.assert_close(changed, 2 * tap.logits(images))


def test_a_layout_that_computes_or_does_not_exist_is_refused() -> None:
    images = torch.randn(1, 3, SIDE, SIDE)
    with pytest.raises(ConfigError, match="not moved but computed"):
        tapped(lambda m: m, lambda value: value * 2).features(images)
    with pytest.raises(ConfigError, match=r"maps \(B, channels"):
        tapped(lambda m: m, lambda value: value.flatten(1)).features(images)
    with pytest.raises(ConfigError, match="Closest: 'channels_last'"):
        tapped(lambda m: m, "channel_last")


def test_a_network_that_sees_one_corner_is_read_by_its_proportions() -> None:
    def corner(maps: Tensor) -> Tensor:
        wide = F.pad(maps, (0, 0, 0, 0, 0, 12))  # 20 channels, so that only one axis order fits
        seen = torch.zeros(8, 8)
        seen[:2, 2:4] = 1
        return wide * seen

    assert tapped(corner).features(torch.randn(1, 3, SIDE, SIDE)).shape == (1, 20, 8, 8)
    with pytest.raises(AttributionError, match="layout="):  # 8 channels: any order fits
        tapped(lambda maps: corner(maps)[:, :8]).features(torch.randn(1, 3, SIDE, SIDE))


@given(
    name=st.sampled_from(sorted(NAMED)),
    cells=st.tuples(st.integers(2, 6), st.integers(2, 6)),
    channels=st.integers(1, 5),
    rows=st.integers(1, 3),
)
def test_maps_come_back_into_every_layout(
    name: str, cells: tuple[int, int], channels: int, rows: int
) -> None:
    image = (16 * cells[0], 16 * cells[1])
    layout: Layout = layout_of(name)
    maps = torch.randn(rows, channels, *cells)
    # From maps to what lies so: the inverse of reading, on tokens without a prefix.
    if isinstance(layout, Axes):
        value = maps.movedim(1, layout.channels)
    elif grid_size(cells[0] * cells[1], *image) != cells:
        return
    else:
        order = layout.order  # type: ignore[attr-defined]
        value = maps.flatten(2).mT.permute([order.index(axis) for axis in range(3)])
    torch.testing.assert_close(layout.maps(value, image), maps)
    torch.testing.assert_close(layout.put(value, 2 * maps, image), 2 * value)


@pytest.mark.parametrize("size", [(2, 2), (3, 3), (4, 4), (7, 7), (14, 14), (3, 5), (20, 11)])
def test_maps_of_any_size_are_confirmed_and_transposed_ones_are_not(size: tuple[int, int]) -> None:
    image = (96, 96 * size[1] // size[0])
    changed = changed_images(torch.randn(1, 3, *image))
    assert len(changed) == 1 + len(PLACES)
    maps = F.adaptive_avg_pool2d(changed, size)
    assert choose([maps], [CHANNELS_FIRST], image) is CHANNELS_FIRST
    turned = F.adaptive_avg_pool2d(changed.mT, size)
    assert choose([turned], [CHANNELS_FIRST], image) is None


def test_what_stands_beside_the_features_stays() -> None:
    wrapping = VisionModality().wrapping(Laid(tokens), "layer", "output", "tokens")
    images = torch.zeros(1, 3, SIDE, SIDE)
    value = torch.randn(1, 1 + CELLS * CELLS, 5)
    for output in ((value, "weights"), {"tokens": value, "beside": "weights"}):
        maps = wrapping.unwrap(output, images)
        assert maps.shape == (1, 5, CELLS, CELLS)
        again = wrapping.rewrap(output, 2 * maps, images)
        assert type(again) is type(output)
        found, beside = again.values() if isinstance(again, dict) else again
        assert beside == "weights"
        assert torch.equal(found[:, :1], value[:, :1])
        assert torch.equal(found[:, 1:], 2 * value[:, 1:])


def test_no_patches_make_no_grid() -> None:
    assert grid_size(0, 8, 8) is None
    assert grid_size(-1, 8, 8) is None
