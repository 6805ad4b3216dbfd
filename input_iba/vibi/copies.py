"""Explainers and approximators that start as copies of the black box."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer, hooked, layer_shapes, unwrap
from input_iba.errors import ConfigError
from input_iba.vibi.black_box import BlackBox, logit_per_class
from input_iba.vibi.chunks import ChunkGrid
from input_iba.vibi.networks import WholeImage


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


class CopiedExplainer(BlackBoxCopy):
    """Chooses chunks by the features that the black box classifies by.

    It reads the last feature map of the copy that is at least as fine as the chunks.

    Raises:
        ConfigError: No feature map is as fine as the chunks.
    """

    def __init__(
        self,
        classifier: nn.Module,
        normalize: Callable[[Tensor], Tensor] | None,
        grid: ChunkGrid,
        in_channels: int,
    ) -> None:
        super().__init__(classifier, normalize)
        self.grid = grid
        self.layer, channels = self._finest_last(in_channels)
        self.whole = WholeImage(channels)
        self.head = nn.Conv2d(channels, grid.channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [0, 1] to logits (B, N)."""
        seen: list[Tensor] = []

        def keep(output: object) -> object:
            seen.append(unwrap(output))
            return output

        with hooked(find_layer(self.classifier, self.layer), keep):
            self.reader.logits(images)
        return self.grid.averages(self.head(self.whole(seen[0])))

    def _finest_last(self, in_channels: int) -> tuple[str, int]:
        """Return the layer to read and its channels."""
        example = torch.zeros(1, in_channels, self.grid.height, self.grid.width)
        shapes = layer_shapes(self.classifier, example, self.reader.logits)
        _, rows, columns = self.grid.shape
        fine = [
            (name, found[0][0])
            for name, found in shapes.items()
            if len(found) == 1
            and len(found[0]) == 3
            and (found[0][1] >= rows and found[0][2] >= columns)
        ]
        if not fine:
            raise ConfigError(
                f"explainer.start='black_box': {type(self.classifier).__name__} has no feature map "
                f"of {rows}×{columns} positions or more, one for each chunk. Take larger chunks, "
                "or start='random'."
            )
        return fine[-1]
