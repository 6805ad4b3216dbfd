"""Sensitivity-N of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.errors import EvaluationError
from input_iba.evaluation.hiding import target_scores
from input_iba.evaluation.sensitivity_n import SensitivityN, correlated
from input_iba.evaluation.sets import random_words
from input_iba.modality.text_classifier import (
    TextClassifier,
    TextClassify,
    as_class_logits,
    as_text,
    check_texts,
)


def text_sensitivity_n(
    classify: TextClassify,
    tokens: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    rows: int = 32,
) -> SensitivityN:
    """Correlate summed attribution with the drop of the target's logit.

    Args:
        classify: Maps token ids and the positions that keep their embedding to logits.
        tokens: Token ids, padded to one length, (S, T).
        heats: (S, T), signed or not; what stands at positions in no set does not matter.
        targets: Class indices, (S,); of one logit l, 1 has the logit l and 0 the logit −l.
        sets: Positions whose embedding becomes 0, (S, M, T), bool.
        rows: Texts that the classifier sees at once.

    Returns:
        Correlations, sums and drops.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, or a target is no class.

    References:
        As of `sensitivity_n`.
    """
    drops = text_logit_drops(classify, tokens, targets, sets, rows)
    used = sets.any(1)
    check_texts(tokens, heats, targets, used.to(tokens.device))
    heats = heats.masked_fill(~used.to(heats.device), 0)
    return correlated(drops, sets.to(heats.device), heats)


def text_logit_drops(
    classify: TextClassify,
    tokens: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    rows: int = 32,
) -> Tensor:
    """Return what the target's logit loses without each set, (S, M), float64, on the CPU.

    It does not depend on any map, so that one is enough for all maps of the same texts. The
    arguments are those of `text_sensitivity_n`.

    Raises:
        EvaluationError: Shapes do not fit, or a target is no class.
    """
    labels = torch.as_tensor(targets, dtype=torch.int64).to(tokens.device)
    if (
        tokens.ndim != 2
        or sets.ndim != 3
        or (len(sets), sets.shape[2]) != tuple(tokens.shape)
        or labels.shape != tokens.shape[:1]
    ):
        raise EvaluationError(
            "Expected token ids (S, T), one target each, and sets of positions (S, M, T); got "
            f"{tuple(tokens.shape)}, {tuple(labels.shape)} and {tuple(sets.shape)}."
        )
    count, sets = sets.shape[1], sets.to(tokens.device)

    def whole(part: Tensor) -> Tensor:
        return as_class_logits(
            classify(tokens[part], torch.ones_like(tokens[part], dtype=torch.bool))
        )

    def without(part: Tensor) -> Tensor:
        return as_class_logits(classify(tokens[part // count], ~sets[part // count, part % count]))

    before = target_scores(whole, lambda part: part, labels, rows)
    after = target_scores(without, lambda part: part, labels.repeat_interleave(count), rows)
    return before[:, None] - after.view(-1, count)


class NLPSensitivityN:
    """Sensitivity-N of one text at a time.

    Args:
        classifier: Maps token ids (B, T) to logits; put into eval mode for each evaluation, and
            given back as it was.
        text_size: Token ids T of the text.
        n: Words of a set.
        num_masks: Number of sets M.
        embedding: As of `TextClassifier`.
        ignored: As of `TextClassifier`.
        forward: As of `TextClassifier`.
        seed: Seeds the draw of the sets.
        rows: Texts that the classifier sees at once.

    Raises:
        EvaluationError: n or the number of sets is out of its range.
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
        rows: int = 32,
    ) -> None:
        random_words(torch.ones(text_size, dtype=torch.bool), n, num_masks)  # checks them
        self.reader = TextClassifier(classifier, embedding, ignored, forward)
        self.text_size = text_size
        self.n = n
        self.num_masks = num_masks
        self.seed = seed
        self.rows = rows

    def evaluate(
        self,
        heatmap: ArrayLike | Tensor,
        text: Tensor,
        target: int,
        calculate_corr: bool = False,
    ) -> dict[str, Any]:
        """Score one map.

        Args:
            heatmap: (T,) or (1, T); it is not changed.
            text: Token ids, (T,) or (1, T).
            target: Class index.
            calculate_corr: Whether to correlate the two.

        Returns:
            `score_diffs`, what the target's logit loses, and `sum_attributions`, arrays (M,);
            `correlation`, a float, or None without `calculate_corr`.

        Raises:
            EvaluationError: Map, text and target do not fit each other or the classifier.
        """
        tokens, heats, scored = as_text(self.reader, text, heatmap)
        if tokens.shape[1] != self.text_size:
            raise EvaluationError(
                f"The text has {tokens.shape[1]} token ids, text_size is {self.text_size}. Make "
                "another NLPSensitivityN for texts of another length."
            )
        sets = random_words(scored[0], self.n, self.num_masks, self.seed)
        with self.reader.zeroing() as classify:
            found = text_sensitivity_n(
                classify, tokens, heats, [int(target)], sets[None], self.rows
            )
        return found.published(calculate_corr)
