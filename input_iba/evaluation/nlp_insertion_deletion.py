"""Insertion and deletion of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.errors import EvaluationError
from input_iba.evaluation.hiding import target_scores
from input_iba.evaluation.insertion_deletion import InsertionDeletion
from input_iba.evaluation.ranks import ranks
from input_iba.modality.text_classifier import (
    TextClassifier,
    TextClassify,
    as_text,
    check_texts,
    class_probabilities,
)


def text_insertion_deletion(
    classify: TextClassify,
    tokens: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    scored: Tensor,
    pixel_batch_size: int = 2,
    max_fraction: float = 1.0,
    rows: int = 32,
    use_softmax: bool = True,
) -> InsertionDeletion:
    """Score texts while their words appear, and while they disappear, hottest first.

    Deleted words, and words not yet inserted, have the embedding 0. Words of equal heat follow each
    other as in `ranks`, in an order drawn once. A text shorter than another of its batch stays
    at its last step.

    Args:
        classify: Maps token ids and the positions that keep their embedding to logits.
        tokens: Token ids, padded to one length, (S, T).
        heats: (S, T); only their order counts.
        targets: Class indices, (S,); of one logit, 1 stands for it and 0 for the other class.
        scored: Positions that are changed, (S, T), bool: no padding, no special tokens.
        pixel_batch_size: Words per step.
        max_fraction: Share of the words that are changed at the most, in (0, 1].
        rows: Texts that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.

    Returns:
        Scores before the first step and after every one; `shares` are those of the words that are
        changed in the end, (S, steps + 1), so that areas are mean probabilities for any
        `max_fraction`.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, or a setting is out of its range.
    """
    labels = check_texts(tokens, heats, targets, scored)
    if pixel_batch_size < 1 or not 0 < max_fraction <= 1:
        raise EvaluationError(
            f"pixel_batch_size is at least 1 and max_fraction in (0, 1]; got {pixel_batch_size!r} "
            f"and {max_fraction!r}."
        )
    scored = scored.to(tokens.device)
    places, most = _order(heats.to(tokens.device), scored, max_fraction)
    steps = -(-int(most.max()) // pixel_batch_size) + 1
    counts = torch.arange(steps, device=tokens.device) * pixel_batch_size
    counts = torch.minimum(counts, most[:, None])

    def curve(keep: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        def score(part: Tensor) -> Tensor:
            of, step = part // steps, part % steps
            changed = places[of] < counts[of, step][:, None]
            return class_probabilities(classify(tokens[of], keep(changed, of)), use_softmax)

        found = target_scores(score, lambda part: part, labels.repeat_interleave(steps), rows)
        return found.view(len(tokens), steps)

    insertion = curve(lambda changed, of: changed | ~scored[of])
    deletion = curve(lambda changed, of: ~changed)
    shares = (counts / most[:, None]).double().cpu()
    areas = (torch.trapezoid(scores, shares, dim=1) for scores in (insertion, deletion))
    return InsertionDeletion(shares, insertion, deletion, *areas)


def _order(heats: Tensor, scored: Tensor, max_fraction: float) -> tuple[Tensor, Tensor]:
    """Return each word's place in the order of heat, (S, T), and how many are changed, (S,)."""
    places = ranks(heats.double().masked_fill(~scored, -torch.inf))
    return places, (scored.sum(1) * max_fraction - 1e-9).ceil().long()


class NLPInsertionDeletion:
    """Insertion and deletion of the words of one text at a time.

    Args:
        classifier: Maps token ids (B, T) to logits; put into eval mode for each evaluation, and
            given back as it was.
        pixel_batch_size: Words per step.
        sigma: Accepted from published calls; words are not blurred.
        max_fraction: Share of the words that are changed at the most; the published code changes
            0.4.
        embedding: As of `TextClassifier`.
        ignored: As of `TextClassifier`.
        forward: As of `TextClassifier`.
        rows: Texts that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.
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
        rows: int = 32,
        use_softmax: bool = True,
    ) -> None:
        self.reader = TextClassifier(classifier, embedding, ignored, forward)
        self.pixel_batch_size = pixel_batch_size
        self.sigma = sigma
        self.max_fraction = max_fraction
        self.rows = rows
        self.use_softmax = use_softmax

    def evaluate(self, heatmap: ArrayLike | Tensor, text: Tensor, target: int) -> dict[str, Any]:
        """Score one map.

        Args:
            heatmap: (T,) or (1, T); it is not changed.
            text: Token ids, (T,) or (1, T).
            target: Class index.

        Returns:
            `ins_scores` and `del_scores`, arrays of the target's probability before the first and
            after every step; `ins_auc` and `del_auc`, floats; `ins_text` and `del_text`, the token
            ids after the last step, (T,), −1 where the embedding is 0.

        Raises:
            EvaluationError: Map, text and target do not fit each other or the classifier.
        """
        tokens, heats, scored = as_text(self.reader, text, heatmap)
        with self.reader.zeroing() as classify:
            found = text_insertion_deletion(
                *(classify, tokens, heats, [int(target)], scored),
                pixel_batch_size=self.pixel_batch_size,
                max_fraction=self.max_fraction,
                rows=self.rows,
                use_softmax=self.use_softmax,
            )
        places, most = _order(heats.to(scored.device), scored, self.max_fraction)
        changed, words = (places < most[:, None])[0], tokens[0]
        return {
            "del_scores": found.deletion[0].numpy(),
            "ins_scores": found.insertion[0].numpy(),
            "del_text": words.masked_fill(changed, -1),
            "ins_text": words.masked_fill(scored[0] & ~changed, -1),
            "ins_auc": found.insertion_auc.item(),
            "del_auc": found.deletion_auc.item(),
        }
