"""Explainers and approximators that start as copies of the black box."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer, hooked, layer_shapes, unwrap
from input_iba.errors import ConfigError
from input_iba.vibi.black_box import BlackBox, logit_per_class
from input_iba.vibi.chunks import ChunkGrid
from input_iba.vibi.explainers import ChunkHead, WholeImage


class _MapReadError(Exception):
    """Stops a forward pass once the feature map has been read."""


class BlackBoxCopy(nn.Module):
    """A copy of the black box, with its normalisation, that is trained for something else.

    Its running statistics stay those of the black box: softly masked images have others than the
    hard masks of evaluation.
    """

    def __init__(
        self, classifier: nn.Module, normalize: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.reader = BlackBox(classifier, normalize)

    def start_from(self, black_box: nn.Module) -> None:
        """Take over the black box's weights and statistics."""
        self.classifier.load_state_dict(black_box.state_dict())

    def train(self, mode: bool = True) -> BlackBoxCopy:
        """Set train or eval mode, but keep layers with statistics of batches in eval mode."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self


class CopiedApproximator(BlackBoxCopy):
    """Starts as faithful as the black box itself on the chosen chunks."""

    def forward(self, images: Tensor) -> Tensor:
        """Map images with hidden chunks (B, C, H, W) to logits (B, classes)."""
        return logit_per_class(self.reader.logits(images))


class CopiedExplainer(BlackBoxCopy, ChunkHead):
    """Chooses chunks by the features that the black box classifies by.

    It reads the feature map of a layer of the copy, '' for the last that is at least as fine as the
    chunks, and runs no layer behind it. If `trained` is not set, the copy stays as it is, and no
    graph of it is kept.

    Raises:
        ConfigError: No feature map is as fine as the chunks.
        LayerNotFoundError: The classifier has no such layer.
    """

    def __init__(
        self,
        classifier: nn.Module,
        normalize: Callable[[Tensor], Tensor] | None,
        grid: ChunkGrid,
        in_channels: int,
        trained: bool = True,
        layer: str = "",
        dense: int = 0,
    ) -> None:
        super().__init__(classifier.requires_grad_(trained), normalize)
        self.grid, self.trained = grid, trained
        self.layer, channels = self._map_to_read(in_channels, layer)
        self.whole = WholeImage(channels)
        self.add_head(channels, grid, dense)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [0, 1] to logits (B, N)."""
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            features = self._features(images)
        return self.chosen(self.whole(features))

    def train(self, mode: bool = True) -> CopiedExplainer:
        """Set train or eval mode; a copy that stays as it is stays in eval mode."""
        super().train(mode)
        if not self.trained:
            self.classifier.eval()
        return self

    def _features(self, images: Tensor) -> Tensor:
        """Return the feature map (B, C, h, w) that chunks are chosen by."""
        seen: list[Tensor] = []

        def keep(output: object) -> object:
            seen.append(unwrap(output))
            raise _MapReadError

        with hooked(find_layer(self.classifier, self.layer), keep), suppress(_MapReadError):
            self.reader.logits(images)
        return seen[0]

    def _map_to_read(self, in_channels: int, layer: str) -> tuple[str, int]:
        """Return the layer to read and its channels; '' for the last that is fine enough."""
        if layer:
            find_layer(self.classifier, layer)  # says which names are closest
        example = torch.zeros(1, in_channels, self.grid.height, self.grid.width)
        shapes = layer_shapes(self.classifier, example, self.reader.logits)
        _, rows, columns = self.grid.shape
        fine = [
            (name, found[0][0])
            for name, found in shapes.items()
            if (not layer or name == layer)
            and len(found) == 1
            and len(found[0]) == 3
            and (found[0][1] >= rows and found[0][2] >= columns)
        ]
        if not fine:
            raise ConfigError(
                f"explainer.start: {type(self.classifier).__name__} has no feature map "
                f"{f'in {layer!r} ' if layer else ''}of {rows}×{columns} positions or more, one "
                "for each chunk. Take larger chunks, another explainer.layer, or "
                "explainer.start='random'."
            )
        return fine[-1]
