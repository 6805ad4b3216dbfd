"""A trained explainer of texts and its black box, for files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from input_iba.datasets.tokens import cleaned, read_text, words_read
from input_iba.drawing.words import Shown, split_at
from input_iba.errors import DataError
from input_iba.models.checkpoints import fit_state_dict
from input_iba.results import write_arrays, write_text
from input_iba.vibi.commands.checkpoints import read_checkpoint
from input_iba.vibi.commands.config import vibi_config
from input_iba.vibi.commands.explanation import (
    ChunkExplanation,
    ExplainVibiOptions,
    likeliest,
    timed,
)
from input_iba.vibi.commands.text_pages import read_texts, text_page
from input_iba.vibi.commands.texts import build_text_parts


class TextFileExplainer:
    """A trained explainer of texts with its black box.

    Args:
        options: Names the checkpoint.
        device: Where to compute.
        autocast: Number format of all networks' layers, or None for float32.

    Raises:
        CheckpointError: A checkpoint cannot be used.
        DataError: The reviews that the vocabulary was built from are not there.
    """

    def __init__(
        self, options: ExplainVibiOptions, device: torch.device, autocast: torch.dtype | None
    ) -> None:
        content = read_checkpoint(options.checkpoint, device)
        config = vibi_config(content["config"], content["name"], options.checkpoint)
        weights = options.black_box or content["black_box"]
        parts = build_text_parts(config, device, autocast, weights)
        fit_state_dict(parts.vibi, content["vibi"], options.checkpoint)
        self.vibi, self.black_box = parts.vibi.eval(), parts.black_box
        self.vocabulary = parts.dataset.vocabulary
        self.max_length = config.texts.max_length
        self.class_names: list[str] = content["class_names"]
        self.device = device
        self.vibi.explain(self.black_box.prepare(torch.zeros(1, 32, dtype=torch.int64).to(device)))

    def read(self, path: Path) -> tuple[list[str], Shown]:
        """Read a text file; return its last `max_length` tokens, and how they are shown.

        Raises:
            DataError: It cannot be read, is no text, or is empty.
        """
        tokens, part, spans = words_read(cleaned(read_text(path)), self.max_length)
        if not tokens:
            raise DataError(f"Text '{path}' is empty: it has no token.")
        return tokens, split_at(part, spans)

    def explain(self, read: tuple[list[str], Shown], id_: str, out: Path) -> ChunkExplanation:
        """Explain what `read` returned, and write `<id>.npz` and `<id>.html` into `out`."""
        tokens, shown = read
        ids = self.vocabulary.encode(tokens)[None].to(self.device)
        inputs = self.black_box.prepare(ids)
        with torch.no_grad():
            _, milliseconds = timed(lambda: self.vibi.explain(inputs), self.device)
        [found] = read_texts(self.vibi, self.black_box, inputs)
        files = (out / f"{id_}.npz", out / f"{id_}.html")
        values = {"mask": found.heat.numpy(), "top_k": found.shown.numpy()}
        write_arrays(files[0], **values, tokens=np.array(tokens, dtype=np.str_))
        write_text(files[1], text_page(id_, shown, found, self.class_names))
        answers = (likeliest(p, self.class_names) for p in found.answers.values())
        whole, approximated, reacted = answers
        return ChunkExplanation(id_, milliseconds, whole, approximated, reacted, files)
