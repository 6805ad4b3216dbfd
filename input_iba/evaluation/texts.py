"""The classes with the published calls about texts, which score one text at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from input_iba.core.explainable import device_of
from input_iba.core.maps import as_map
from input_iba.errors import EvaluationError
from input_iba.evaluation.insertion_deletion import insert_and_delete, order
from input_iba.evaluation.published import Heat, as_published
from input_iba.evaluation.sensitivity_n import sum_and_drop
from input_iba.evaluation.sets import random_sets, random_words
from input_iba.modality.text_classifier import TextClassifier
from input_iba.modality.units import Words


@dataclass(eq=False)
class NLPInsertionDeletion:
    """Insertion and deletion of words, which are not blurred; see `insert_and_delete`.

    `embedding`, `ignored` and `forward` are those of `TextClassifier`. The published code's
    `max_fraction` is 0.4.
    """

    classifier: nn.Module
    pixel_batch_size: int = 2
    sigma: float = 5.0
    _: KW_ONLY
    max_fraction: float = 1.0
    embedding: nn.Module | str | None = None
    ignored: Sequence[int] | None = None
    forward: Callable[[Tensor], Any] | None = None
    internal_batch_size: int = 32
    use_softmax: bool = True

    def __post_init__(self) -> None:
        self.reader = TextClassifier(self.classifier, self.embedding, self.ignored, self.forward)

    def evaluate(self, heatmap: Heat, text: Tensor, target: int) -> dict[str, Any]:
        """Score one map of token ids, (T,) or (1, T).

        Returns:
            `ins_scores` and `del_scores`, arrays of the target's probability before the first and
            after every step; `ins_auc` and `del_auc`, floats; `ins_text` and `del_text`, the token
            ids after the last step, (T,), −1 where the embedding is 0.
        """
        tokens, heats, scored = _text(self.reader, text, heatmap)
        with self.reader.zeroing() as classify:
            words = Words(classify, tokens, scored)
            found = insert_and_delete(
                words,
                heats,
                [int(target)],
                self.pixel_batch_size,
                max_fraction=self.max_fraction,
                internal_batch_size=self.internal_batch_size,
                use_softmax=self.use_softmax,
            )
        places, count = order(words, heats, self.max_fraction)
        changed = places[0] < int(count)
        return {
            "del_scores": found.deletion[0].numpy(),
            "ins_scores": found.insertion[0].numpy(),
            "del_text": tokens[0].masked_fill(changed, -1),
            "ins_text": tokens[0].masked_fill(scored[0] & ~changed, -1),
            "ins_auc": found.insertion_auc.item(),
            "del_auc": found.deletion_auc.item(),
        }


@dataclass(eq=False)
class NLPSensitivityN:
    """Sensitivity-N of words of texts of `text_size` token ids; see `sum_and_drop`.

    `embedding`, `ignored` and `forward` are those of `TextClassifier`.
    """

    classifier: nn.Module
    text_size: int
    n: int
    num_masks: int = 100
    _: KW_ONLY
    embedding: nn.Module | str | None = None
    ignored: Sequence[int] | None = None
    forward: Callable[[Tensor], Any] | None = None
    seed: int = 0
    internal_batch_size: int = 32

    def __post_init__(self) -> None:
        random_sets((self.text_size,), self.n, self.num_masks)  # checks them
        self.reader = TextClassifier(self.classifier, self.embedding, self.ignored, self.forward)

    def evaluate(
        self, heatmap: Heat, text: Tensor, target: int, calculate_corr: bool = False
    ) -> dict[str, Any]:
        """Score one map of token ids, (T,) or (1, T); returns what `VisionSensitivityN` does."""
        tokens, heats, scored = _text(self.reader, text, heatmap)
        if tokens.shape[1] != self.text_size:
            raise EvaluationError(
                f"The text has {tokens.shape[1]} token ids, text_size is {self.text_size}. Make "
                "another NLPSensitivityN for texts of another length."
            )
        sets = random_words(scored[0], self.n, self.num_masks, self.seed)
        with self.reader.zeroing() as classify:
            words = Words(classify, tokens, scored)
            found = sum_and_drop(words, heats, [int(target)], sets, self.internal_batch_size)
        return as_published(found, calculate_corr)


def _text(reader: TextClassifier, text: Tensor, heatmap: Heat) -> tuple[Tensor, Tensor, Tensor]:
    """Return one text as a batch where the model is: token ids, heat and scored positions."""
    tokens = text[None] if text.ndim == 1 else text
    if tokens.ndim != 2 or len(tokens) != 1 or tokens.is_floating_point():
        raise EvaluationError(
            f"A text is a row of token ids, (T,) or (1, T), whole numbers; got {text.dtype} of "
            f"shape {tuple(text.shape)}."
        )
    tokens = tokens.detach().to(device_of(reader.model))
    heat = heatmap.reshape(1, -1) if isinstance(heatmap, Tensor) else np.atleast_2d(heatmap)
    return tokens, as_map(heat), reader.scored(tokens)
