"""Explainers of texts that read what the black box makes of each word."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer, hooked, layer_shapes, unwrap
from input_iba.errors import ConfigError
from input_iba.vibi.texts import TextBlackBox, TextExplainer


class WordFeatures:
    """What the black box makes of every word of a text: the output of a layer, as it is.

    Args:
        black_box: Neither copied nor trained.
        example: Prepared texts (B, T, 1 + E) of several words.
        layer: Its name; '' for the last that puts out a vector for each word.

    Raises:
        ConfigError: The layer puts out no vector for each word, or none does.
        LayerNotFoundError: There is no such layer.
    """

    def __init__(self, black_box: TextBlackBox, example: Tensor, layer: str = "") -> None:
        self.black_box = black_box
        if layer:
            find_layer(black_box.classifier, layer)  # says which names are closest
        shapes = layer_shapes(black_box.classifier, example[:1], black_box.logits)
        per_word = [
            (name, found[0][1])
            for name, found in shapes.items()
            if (not layer or name == layer)
            and len(found) == 1
            and len(found[0]) == 2
            and found[0][0] == example.shape[1]
        ]
        if not per_word:
            kind = type(black_box.classifier).__name__
            raise ConfigError(
                f"explainer.start='features': {kind} has no layer {layer!r} that puts out a vector "
                "for each word. Set explainer.layer to one that does, or explainer.start='random'."
            )
        self.layer, self.width = per_word[-1]

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> Tensor:
        """Return texts (B, T, 1 + E) with the features behind the vectors, (B, T, 1 + E + D)."""
        seen: list[Tensor] = []

        def keep(output: object) -> object:
            seen.append(unwrap(output).float())
            return output

        module = find_layer(self.black_box.classifier, self.layer)
        with self.black_box.frozen(), hooked(module, keep):
            self.black_box.log_probabilities(inputs)
        return torch.cat([inputs, seen[0]], 2)


class FeatureTextExplainer(nn.Module):
    """Chooses chunks by what the black box makes of each word, beside the words themselves."""

    def __init__(self, features: WordFeatures, embedding_dim: int, width: int) -> None:
        super().__init__()
        self.features = features
        self.chooser = TextExplainer(embedding_dim + features.width, width)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map texts (B, T, 1 + E) to logits (B, N); see `TextExplainer`."""
        logits: Tensor = self.chooser(self.features(inputs))
        return logits
