"""Explainers and approximators take pictures of any size, in both of their own sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from input_iba.errors import ConfigError
from input_iba.vibi import (
    ApproximatorSettings,
    ExplainerSettings,
    build_approximator,
    build_explainer,
)
from input_iba.vibi.chunks import grid_of
from input_iba.vibi.settings import STRIDES


@pytest.mark.parametrize("type_", STRIDES)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 19, 23)])
def test_an_explainer_gives_a_logit_per_chunk(type_: str, shape: tuple[int, int, int]) -> None:
    settings = ExplainerSettings(type_, channels=shape[0])
    grid = grid_of(settings, *shape)
    explainer = build_explainer(settings, shape[0], grid)
    logits = explainer(torch.rand(2, *shape))
    assert logits.shape == (2, grid.count)
    torch.autograd.backward(logits.sum())
    assert all(parameter.grad is not None for parameter in explainer.parameters())


@pytest.mark.parametrize("type_", STRIDES)
def test_the_published_size_is_larger(type_: str) -> None:
    small, published = (
        sum(
            parameter.numel()
            for parameter in build_explainer(settings, 1, grid_of(settings, 1, 16, 16)).parameters()
        )
        for settings in (ExplainerSettings(type_), ExplainerSettings(type_, "published", width=16))
    )
    assert published > small


def test_the_chunks_may_be_larger_than_the_map() -> None:
    settings = ExplainerSettings("ResNet_2x", chunk_size=5)
    grid = grid_of(settings, 1, 14, 14)
    assert grid.shape == (1, 3, 3)
    assert build_explainer(settings, 1, grid)(torch.rand(1, 1, 14, 14)).shape == (1, 9)


def test_chunks_smaller_than_the_map_are_refused() -> None:
    settings = ExplainerSettings("ResNet_4x", chunk_size=2)
    with pytest.raises(ConfigError, match="Unet or ResNet_2x"):
        build_explainer(settings, 1, grid_of(settings, 1, 28, 28))


def test_unknown_names_are_refused_with_the_closest() -> None:
    with pytest.raises(ConfigError, match="Closest: 'ResNet_4x'"):
        ExplainerSettings("ResNet4x")
    with pytest.raises(ConfigError, match="'published'"):
        ApproximatorSettings("publishd")


def test_no_network_keeps_statistics_of_batches() -> None:
    settings = ExplainerSettings("Unet")
    networks = [
        build_explainer(settings, 1, grid_of(settings, 1, 8, 8)),
        build_approximator(ApproximatorSettings(), 1, 2),
        build_approximator(ApproximatorSettings("published", width=8), 1, 2),
    ]
    for network in networks:
        kinds = {type(module) for module in network.modules()}
        assert not any(issubclass(kind, nn.modules.batchnorm._BatchNorm) for kind in kinds)
        assert nn.GroupNorm in kinds
        assert not list(network.buffers())


@pytest.mark.parametrize("type_", STRIDES)
def test_dense_layers_see_where_something_lies(type_: str) -> None:
    """Far from a chunk, something may still decide about it, at whichever place."""
    settings = ExplainerSettings(type_, width=4, dense=6)
    grid = grid_of(settings, 1, 19, 23)
    explainer = build_explainer(settings, 1, grid)
    images = torch.rand(2, 1, 19, 23)
    assert explainer(images).shape == (2, grid.count)
    torch.autograd.backward(explainer(images)[:, 0].sum())
    assert all(parameter.grad is not None for parameter in explainer.parameters())
    plain = build_explainer(ExplainerSettings(type_, width=4), 1, grid)
    more = set(explainer.state_dict()) - set(plain.state_dict())
    assert all(name.startswith("dense.") for name in more) and len(more) == 4
