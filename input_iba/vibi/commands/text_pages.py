"""Explanations of texts as pages with coloured words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from input_iba.core.tokens import lengths_of
from input_iba.drawing import agreement, highlighted_page, percent
from input_iba.drawing.words import Shown
from input_iba.results import write_text
from input_iba.vibi.black_box import BlackBox, TextBlackBox
from input_iba.vibi.fidelity import TopK, choose_top_k
from input_iba.vibi.model import Vibi
from input_iba.vibi.texts import to_tokens, unpacked


@dataclass(frozen=True)
class ReadText:
    """What is found about one text.

    Attributes:
        heat: Probability of each word's chunk, (T,).
        shown: 1 where a word is shown, (T,).
        answers: Probabilities (classes,) by who gives them: 'black box' for the whole text,
            'approximator' and 'black box on them' for the chosen chunks.
    """

    heat: Tensor
    shown: Tensor
    answers: dict[str, Tensor]


def read_top_k(found: TopK, whole: Tensor, inputs: Tensor) -> ReadText:
    """Return what was chosen of one prepared text (1, T, 1 + E), on the CPU, without padding.

    Args:
        found: The choice, and what is predicted from it.
        whole: The black box's ln p of the whole text, (1, classes).
        inputs: The text.
    """
    _, chunks = unpacked(inputs)
    length = int((chunks >= 0).sum())
    answers = {
        "black box": whole,
        "approximator": found.approximator,
        "black box on them": found.rationale,
    }
    return ReadText(
        to_tokens(found.logits.softmax(1), chunks)[0, :length].cpu(),
        to_tokens(found.shown, chunks)[0, :length].cpu(),
        {who: answer[0].exp().cpu() for who, answer in answers.items()},
    )


@torch.no_grad()
def write_texts(
    vibi: Vibi,
    black_box: BlackBox,
    inputs: Tensor,
    folder: Path,
    words: Sequence[str],
    class_names: Sequence[str],
) -> None:
    """Write a page for each of some texts, with its words coloured.

    Args:
        vibi: Explainer and approximator.
        black_box: What they explain.
        inputs: Token ids (n, T), padded at the end, on the CPU.
        folder: Where to write; made when it is missing.
        words: The vocabulary, by index.
        class_names: Names of the classes.
    """
    assert isinstance(black_box, TextBlackBox)
    device = next(vibi.parameters()).device
    lengths = lengths_of(inputs, black_box.modality.pad).tolist()
    for i, length in enumerate(lengths):
        ids = inputs[i, :length]
        prepared = black_box.prepare(ids[None].to(device))
        found = choose_top_k(vibi, black_box, prepared)
        with black_box.frozen():
            read = read_top_k(found, black_box.log_probabilities(prepared), prepared)
        tokens = [words[index] for index in ids.tolist()]
        page = text_page(f"text {i}", tokens, read, class_names)
        write_text(folder / f"text_{i:02d}.html", page)


def text_page(
    title: str, text: Shown | Sequence[str], found: ReadText, class_names: Sequence[str]
) -> str:
    """Return a page with what was predicted, where the explainer looks, and the chosen words."""
    facts = {who: answer(p, class_names) for who, p in found.answers.items()}
    compared = agreement(found.answers["black box"][None], found.answers["approximator"][None])
    facts["approximator agrees"] = (
        f"{'yes' if compared.agrees[0] else 'no'}, strength {compared.strength[0]:.2f}"
    )
    masks = {
        "Chosen chunks": found.shown.numpy(),
        "Where the explainer looks (probability)": found.heat.numpy(),
    }
    return highlighted_page(title, facts, text, masks)


def answer(probabilities: Tensor, class_names: Sequence[str]) -> str:
    """Return the likeliest class with its probability, for reading."""
    index = int(probabilities.argmax())
    return f"{class_names[index]} {percent(float(probabilities[index]))}"
