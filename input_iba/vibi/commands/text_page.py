"""The page of one text: what was predicted, and the words that were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from input_iba.drawing import highlighted_page, percent
from input_iba.drawing.vibi_images import agreement
from input_iba.drawing.words import Shown
from input_iba.vibi.fidelity import TopK
from input_iba.vibi.texts import to_tokens, unpacked


@dataclass(frozen=True)
class ReadText:
    """What is found about one text.

    Attributes:
        heat: Probability of each word's chunk, (T,).
        shown: 1 where a word is shown, (T,).
        answers: Probabilities (classes,) by who gives them, on the whole text or on the chunks.
    """

    heat: Tensor
    shown: Tensor
    answers: dict[str, Tensor]


def read_top_k(found: TopK, whole: Tensor, inputs: Tensor) -> ReadText:
    """Return what was chosen of a prepared text (1, T, 1 + E), whose ln p is (1, classes)."""
    _, chunks = unpacked(inputs)
    length = int((chunks >= 0).sum())
    return ReadText(
        heat=to_tokens(found.logits.softmax(1), chunks)[0, :length].cpu(),
        shown=to_tokens(found.shown, chunks)[0, :length].cpu(),
        answers={
            "black box": whole[0].exp().cpu(),
            "approximator": found.approximator[0].exp().cpu(),
            "black box on them": found.rationale[0].exp().cpu(),
        },
    )


def text_page(
    title: str,
    text: Shown | Sequence[str],
    found: ReadText,
    class_names: Sequence[str],
    note: str = "",
) -> str:
    """Return a page with what was predicted, where the explainer looks, and the chosen words.

    Its title ends with `note`.
    """
    facts = {
        who: f"{class_names[int(p.argmax())]} {percent(float(p.max()))}"
        for who, p in found.answers.items()
    }
    compared = agreement(found.answers["black box"][None], found.answers["approximator"][None])
    facts["approximator agrees"] = (
        f"{'yes' if compared.agrees[0] else 'no'}, strength {compared.strength[0]:.2f}"
    )
    masks = {
        "Chosen chunks": found.shown.numpy(),
        "Where the explainer looks (probability)": found.heat.numpy(),
    }
    return highlighted_page(f"{title}. {note}" if note else title, facts, text, masks)
