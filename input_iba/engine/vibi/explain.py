"""Explain new pictures with a trained explainer: one pass each, in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from input_iba.datasets.ids import unique_ids
from input_iba.datasets.images import read_image
from input_iba.datasets.normalization import Normalize
from input_iba.datasets.pipeline import Pipeline
from input_iba.engine.device import choose_device
from input_iba.engine.precision import choose_precision
from input_iba.engine.vibi.black_box import load_black_box
from input_iba.engine.vibi.checkpoints import LoadedVibi, load_vibi
from input_iba.engine.vibi.pictures import chunk_map
from input_iba.errors import DataError
from input_iba.records import Failure
from input_iba.results import file_names, write_arrays, written_whole
from input_iba.vibi import BlackBox, ChunkGrid, hard_top_k
from input_iba.visualization import write_explanation


@dataclass(frozen=True)
class ExplainVibiOptions:
    """How to explain.

    Attributes:
        checkpoint: `best.pth` or `last.pth` of a run.
        out: Folder of what is written.
        black_box: File with the black box's weights; None for the one that training named.
        device: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.
        gpu_id: Index of the GPU, as older commands give it.
        precision: 'auto', 'fp32' or 'bf16'.
    """

    checkpoint: Path
    out: Path
    black_box: Path | None = None
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "auto"


@dataclass(frozen=True)
class ChunkExplanation:
    """What was found about one input.

    Attributes:
        id: Name of its files, without extension.
        milliseconds: From the input in memory to its map: explainer, top-k, one value per pixel.
        black_box: Class and probability that the black box gives the whole input.
        approximator: Class and probability that the approximator gives the chosen chunks.
        rationale: Class and probability that the black box gives the chosen chunks.
        files: What was written.
    """

    id: str
    milliseconds: float
    black_box: tuple[str, float]
    approximator: tuple[str, float]
    rationale: tuple[str, float]
    files: tuple[Path, ...]


class PictureExplainer:
    """A trained explainer with its black box.

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
    def explain(self, pixels: Tensor, id_: str, out: Path) -> ChunkExplanation:
        """Explain a picture (C, H, W), uint8, and write `<id>.npz` and `<id>.png` into `out`."""
        picture = pixels.to(self.device)[None].float() / 255
        self._synchronise()
        began = time.perf_counter()
        heat, logits = self._map(picture)
        self._synchronise()
        milliseconds = 1000 * (time.perf_counter() - began)
        shown = hard_top_k(logits, self.loaded.vibi.k)
        masked = self.grid.hide(picture, shown[:, None])
        with self.black_box.frozen():
            whole, reacted = (
                self.black_box.log_probabilities(x)[0].exp().cpu() for x in (picture, masked)
            )
        approximated = self.loaded.vibi.approximate(masked)[0].softmax(0).cpu()
        mask = self.grid.upsample(shown)[0].cpu()
        files = (out / f"{id_}.npz", out / f"{id_}.png")
        values = heat[0].cpu().numpy()
        write_arrays(files[0], mask=values, top_k=mask.numpy(), logits=logits[0].cpu().numpy())
        with written_whole(files[1]) as aside:
            drawn = (picture[0].cpu(), values, mask, whole, approximated)
            write_explanation(aside, *drawn, self.loaded.class_names)
        return ChunkExplanation(
            *(id_, milliseconds, self._answer(whole)),
            approximator=self._answer(approximated),
            rationale=self._answer(reacted),
            files=files,
        )

    @torch.no_grad()
    def _map(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map (1, H, W), the probability of each pixel's chunk, and logits (1, N)."""
        logits = self.loaded.vibi.explain(picture)
        return chunk_map(self.grid, logits.softmax(1)), logits

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _answer(self, probabilities: Tensor) -> tuple[str, float]:
        index = int(probabilities.argmax())
        return self.loaded.class_names[index], float(probabilities[index])


def explain_pictures(
    options: ExplainVibiOptions, paths: Sequence[Path]
) -> Iterator[ChunkExplanation | Failure]:
    """Explain pictures one by one; what cannot be read becomes a failure.

    Args:
        options: How.
        paths: Picture files.

    Raises:
        ConfigError: The device is not there.
        CheckpointError: A checkpoint cannot be used.
    """
    device, _ = choose_device(options.device, options.gpu_id)
    autocast = choose_precision(options.precision, device)
    loaded = load_vibi(options.checkpoint, device)
    loaded.vibi.autocast = autocast
    weights = options.black_box or loaded.black_box
    classes = len(loaded.class_names)
    classifier = load_black_box(loaded.config, loaded.input_shape[0], classes, weights, device)
    normalize = Normalize(loaded.config.data.mean, loaded.config.data.std)
    black_box = BlackBox(classifier, normalize, autocast)
    explainer = PictureExplainer(loaded, black_box, device)
    ids = unique_ids([(path.parent.name, path.name) for path in paths])
    names = file_names(ids)
    for path, id_ in zip(paths, ids, strict=True):
        try:
            pixels = explainer.read(path)
        except DataError as error:
            yield Failure(str(path), str(error))
            continue
        yield explainer.explain(pixels, names[id_], options.out)
