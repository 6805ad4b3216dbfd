"""Metrics of texts: functions of batches of token ids, and the classes with the published calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from input_iba.core.explainable import device_of
from input_iba.core.maps import as_map
from input_iba.errors import EvaluationError
from input_iba.evaluation.insertion_deletion import InsertionDeletion, insert_and_delete, order
from input_iba.evaluation.published import Heat, as_published
from input_iba.evaluation.sensitivity_n import (
    SensitivityN,
    correlated,
    drops_without,
    sum_and_drop,
)
from input_iba.evaluation.sets import random_sets, random_words
from input_iba.modality.text_classifier import TextClassifier
from input_iba.modality.units import TextClassify, Words


def text_insertion_deletion(
    classify: TextClassify,
    tokens: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    scored: Tensor,
    pixel_batch_size: int = 2,
    max_fraction: float = 1.0,
    internal_batch_size: int = 32,
    use_softmax: bool = True,
) -> InsertionDeletion:
    """Score texts while their words appear and disappear; see `insert_and_delete`.

    `classify` maps token ids, and which positions keep their embedding, (B, T) each, to logits; of
    one logit, target 1 stands for it and 0 for the other class. `tokens` are padded to one length,
    (S, T), and `scored` the positions that are changed: no padding, no special tokens.
    """
    return insert_and_delete(
        Words(classify, tokens, scored.to(tokens.device)),
        heats,
        targets,
        pixel_batch_size,
        max_fraction=max_fraction,
        internal_batch_size=internal_batch_size,
        use_softmax=use_softmax,
    )


def text_sensitivity_n(
    classify: TextClassify,
    tokens: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    internal_batch_size: int = 32,
) -> SensitivityN:
    """Correlate what sets of words foretell with what they cost; see `sum_and_drop`.

    The first arguments are those of `text_insertion_deletion`; what stands in `heats` at positions
    in no set does not matter. `sets` are positions whose embedding becomes 0, (M, T) or (S, M, T).
    """
    drops = text_logit_drops(classify, tokens, targets, sets, internal_batch_size)
    used = sets.any(-2).expand_as(tokens)
    Words(classify, tokens, used.to(tokens.device)).check(heats, targets)
    used, sets = used.to(heats.device), sets.to(heats.device)
    return correlated(drops, sets, heats.masked_fill(~used, 0))


def text_logit_drops(
    classify: TextClassify,
    tokens: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    internal_batch_size: int = 32,
) -> Tensor:
    """Return what the target's logit loses without each set, (S, M); see `drops_without`."""
    words = Words(classify, tokens, torch.ones_like(tokens, dtype=torch.bool))
    return drops_without(words, targets, sets, internal_batch_size)


class NLPInsertionDeletion:
    """Insertion and deletion of words, which are not blurred; see `insert_and_delete`.

    `embedding`, `ignored` and `forward` are those of `TextClassifier`. The published code's
    `max_fraction` is 0.4.
    """

    def __init__(
        self,
        classifier: nn.Module,
        pixel_batch_size: int = 2,
        sigma: float = 5.0,
        *,
        max_fraction: float = 1.0,
        embedding: nn.Module | str | None = None,
        ignored: Sequence[int] | None = None,
        forward: Callable[[Tensor], Any] | None = None,
        internal_batch_size: int = 32,
        use_softmax: bool = True,
    ) -> None:
        self.reader = TextClassifier(classifier, embedding, ignored, forward)
        self.max_fraction = max_fraction
        limits = (max_fraction, internal_batch_size, use_softmax)
        self.options = (pixel_batch_size, sigma, None, *limits)

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
            found = insert_and_delete(words, heats, [int(target)], *self.options)
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


class NLPSensitivityN:
    """Sensitivity-N of words of texts of `text_size` token ids; see `sum_and_drop`.

    `embedding`, `ignored` and `forward` are those of `TextClassifier`.
    """

    def __init__(
        self,
        classifier: nn.Module,
        text_size: int,
        n: int,
        num_masks: int = 100,
        *,
        embedding: nn.Module | str | None = None,
        ignored: Sequence[int] | None = None,
        forward: Callable[[Tensor], Any] | None = None,
        seed: int = 0,
        internal_batch_size: int = 32,
    ) -> None:
        random_sets((text_size,), n, num_masks)  # checks them
        self.reader = TextClassifier(classifier, embedding, ignored, forward)
        self.text_size = text_size
        self.draw = (n, num_masks, seed)
        self.internal_batch_size = internal_batch_size

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
        sets = random_words(scored[0], *self.draw)
        with self.reader.zeroing() as classify:
            words = Words(classify, tokens, scored)
            found = sum_and_drop(words, heats, [int(target)], sets, self.internal_batch_size)
        return as_published(found, calculate_corr)


def _text(reader: TextClassifier, text: Tensor, heatmap: Heat) -> tuple[Tensor, Tensor, Tensor]:
    """Return one text as a batch where the model is: token ids, heat and scored positions, (1, T).

    Raises:
        EvaluationError: `text` is not a row of token ids.
    """
    tokens = text[None] if text.ndim == 1 else text
    if tokens.ndim != 2 or len(tokens) != 1 or tokens.is_floating_point():
        raise EvaluationError(
            f"A text is a row of token ids, (T,) or (1, T), whole numbers; got {text.dtype} of "
            f"shape {tuple(text.shape)}."
        )
    tokens = tokens.detach().to(device_of(reader.model))
    heat = heatmap.reshape(1, -1) if isinstance(heatmap, Tensor) else np.atleast_2d(heatmap)
    return tokens, as_map(heat), reader.scored(tokens)
