"""A trained explainer of pictures and its black box, for files."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from input_iba.datasets.images import read_image
from input_iba.datasets.pipeline import Pipeline
from input_iba.drawing import write_explanation
from input_iba.results import write_arrays, written_whole
from input_iba.vibi import BlackBox, ChunkGrid, hard_top_k
from input_iba.vibi.commands.checkpoints import LoadedVibi
from input_iba.vibi.commands.explanation import ChunkExplanation, likeliest, timed
from input_iba.vibi.commands.pictures import chunk_map


class PictureExplainer:
    """A trained explainer of pictures with its black box.

    Args:
        loaded: What the checkpoint holds.
        black_box: What it explains, on `device`.
        device: Where to compute.
    """

    def __init__(self, loaded: LoadedVibi, black_box: BlackBox, device: torch.device) -> None:
        self.loaded = loaded
        self.black_box = black_box
        self.device = device
        self.channels, self.height, self.width = loaded.input_shape
        chunks = loaded.vibi.chunks
        assert isinstance(chunks, ChunkGrid)  # pictures fall into squares
        self.grid = chunks
        # The first pass builds kernels; it would be counted as the first picture's time.
        self._map(torch.zeros(1, *loaded.input_shape, device=device))

    def read(self, path: Path) -> Tensor:
        """Read a picture of any size as (C, H, W), uint8, of the size that was trained on.

        Raises:
            DataError: It cannot be read.
        """
        image = read_image(path, self.channels)
        steps = [{"type": "Resize", "height": self.height, "width": self.width}]
        same = (image.height, image.width) == (self.height, self.width)
        _, pixels, _ = Pipeline([] if same else steps)(image)
        return pixels[: self.channels]

    @torch.no_grad()
    def explain(self, read: Tensor, id_: str, out: Path) -> ChunkExplanation:
        """Explain a picture (C, H, W), uint8, and write `<id>.npz` and `<id>.png` into `out`."""
        picture = read.to(self.device)[None].float() / 255
        (heat, logits), milliseconds = timed(lambda: self._map(picture), self.device)
        shown = hard_top_k(logits, self.loaded.vibi.k)
        masked = self.grid.hide(picture, shown[:, None])
        with self.black_box.frozen():
            whole, reacted = (
                self.black_box.log_probabilities(x)[0].exp().cpu() for x in (picture, masked)
            )
        approximated = self.loaded.vibi.approximate(masked)[0].softmax(0).cpu()
        mask = self.grid.upsample(shown)[0].cpu()
        files = (out / f"{id_}.npz", out / f"{id_}.png")
        values, names = heat[0].cpu().numpy(), self.loaded.class_names
        write_arrays(files[0], mask=values, top_k=mask.numpy(), logits=logits[0].cpu().numpy())
        with written_whole(files[1]) as aside:
            drawn = (picture[0].cpu(), values, mask, whole, approximated)
            write_explanation(aside, *drawn, names)
        return ChunkExplanation(
            *(id_, milliseconds, likeliest(whole, names)),
            approximator=likeliest(approximated, names),
            rationale=likeliest(reacted, names),
            files=files,
        )

    @torch.no_grad()
    def _map(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map (1, H, W), the probability of each pixel's chunk, and logits (1, N)."""
        logits = self.loaded.vibi.explain(picture)
        return chunk_map(self.grid, logits.softmax(1)), logits
