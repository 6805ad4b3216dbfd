"""Images in VIBI: data, networks, and how explanations are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from input_iba.datasets import ImageDataset, build_dataset
from input_iba.datasets.images import read_image
from input_iba.datasets.normalization import Normalize
from input_iba.datasets.pipeline import Pipeline
from input_iba.drawing.vibi_images import write_explanation
from input_iba.results import write_arrays, written_whole
from input_iba.run.shell import Run
from input_iba.training.classifier import Labelled
from input_iba.training.data import read_images
from input_iba.vibi.approximators import build_approximator
from input_iba.vibi.chunks import ChunkGrid, grid_of
from input_iba.vibi.commands.black_box import (
    build_like_black_box,
    load_black_box,
    provide_black_box,
)
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.commands.sheets import chunk_map, write_sheets
from input_iba.vibi.copies import BlackBoxCopy, CopiedApproximator, CopiedExplainer
from input_iba.vibi.explainers import build_explainer
from input_iba.vibi.fidelity import TopK
from input_iba.vibi.inputs import UNASKED, ExplainedInputs, Samples
from input_iba.vibi.model import Networks, Vibi

FORMATS = ("png", "jpg", "jpeg", "bmp")

IMAGENET_SPLITS = {"train": "estimation", "test": "attribution"}
"""Folders of ImageNet's images, as the other commands use them."""

CROPPED = 224 / 256
"""Share of a photograph's shorter side that its central crop keeps."""

MAX_PIXELS = 2**26
"""Of the images that a checkpoint says it is for."""


def build_vibi(
    config: VibiConfig, shape: Sequence[int], classes: int, run: Run | None = None
) -> Vibi:
    """Build explainer and approximator, untrained, for images of a shape (C, H, W).

    Those that start as copies of the black box have its layers, not yet its weights.
    """
    channels, height, width = shape
    grid = grid_of(config.explainer, channels, height, width)
    normalize = Normalize(config.data.mean, config.data.std)

    def copy() -> nn.Module:
        return build_like_black_box(config, channels, classes)

    if config.explainer.start == "random":
        explainer = build_explainer(config.explainer, channels, grid)
    else:
        own = config.explainer
        trained = own.start == "black_box"
        explainer = CopiedExplainer(
            copy(), normalize, grid, channels, trained, own.layer, own.dense
        )
    if config.approximator.start == "random":
        approximator = build_approximator(config.approximator, channels, classes)
    else:
        approximator = CopiedApproximator(copy(), normalize)
    vibi = Vibi(explainer, approximator, grid, config.explainer.k, run.autocast if run else None)
    return vibi.to(run.device) if run else vibi


@dataclass
class Images:
    """Images; files of them are of any size, and become as large as those of the training.

    What is here of images, `Texts` has of texts: all else in VIBI's commands is one path for both.
    """

    config: VibiConfig
    run: Run
    shape: Sequence[int] = ()

    def dataset(self, split: str) -> ImageDataset:
        """Return the images of 'train' or 'test'."""
        data = self.config.data
        cfg: dict[str, Any] = {"type": data.dataset, "pipeline": []}
        if data.size:
            cfg["pipeline"] = self._resizing(data.size, data.size)
        if data.dataset == "ImageFolder":
            cfg |= {"img_root": str(Path(data.root) / split), "valid_formats": FORMATS}
        elif data.dataset == "ImageNet":
            images = Path(data.root) / "images" / IMAGENET_SPLITS[split]
            index = Path(data.root) / "imagenet_class_index.json"
            cfg |= {"img_root": str(images), "ind_to_cls_file": str(index)}
        else:
            cfg |= {"root": data.root, "split": split}
        dataset = build_dataset(cfg)
        assert isinstance(dataset, ImageDataset)
        return dataset

    def read(self, dataset: Any, count: int) -> Labelled:
        """Read as many images, drawn at random; 0 for all."""
        return read_images(dataset, count, self.run.seed)

    def networks(self, samples: Samples) -> Networks:
        """Build the networks, and train the black box where it has no weights."""
        pixels, classes = samples.train.inputs, len(samples.class_names)
        # Says at once when channels and values do not match.
        Normalize(self.config.data.mean, self.config.data.std)(pixels[:1].float())
        self.shape = pixels.shape[1:]
        # Built first, so that a wrong k is said before the black box is trained.
        vibi = build_vibi(self.config, self.shape, classes, self.run)
        weights = provide_black_box(self.config, samples, self.run)
        black_box = load_black_box(self.config, self.shape[0], classes, weights, self.run)
        for network in (vibi.explainer, vibi.approximator):
            if isinstance(network, BlackBoxCopy):
                network.start_from(black_box.classifier)
        return Networks(vibi, black_box, weights, self.shape)

    def load(self, shape: Sequence[int], classes: int, weights: str) -> Networks:
        """Build the networks of a checkpoint, or raise a `ValueError` where it is not of images."""
        channels, height, width = map(int, shape)
        if channels not in (1, 3) or min(height, width) < 1 or height * width > MAX_PIXELS:
            raise ValueError(f"expected the shape of images, got {shape}")
        self.shape = shape
        vibi = build_vibi(self.config, shape, classes, self.run)
        black_box = load_black_box(self.config, shape[0], classes, weights, self.run)
        return Networks(vibi, black_box, weights, shape)

    def prepare(self, pixels: Tensor) -> Tensor:
        """Return 8-bit images as images in [0, 1], on the device."""
        return pixels.to(self.run.device).float() / 255

    def explained(self, networks: Networks, samples: Labelled) -> ExplainedInputs:
        """Ask the black box about all images."""
        inputs = ExplainedInputs(samples.inputs, UNASKED, self.prepare)
        return inputs.answered(networks.black_box)

    def draw(
        self,
        networks: Networks,
        inputs: Tensor,
        class_names: Sequence[str],
        folder: Path,
        note: str = "",
    ) -> None:
        """Draw explanations of images (n, C, H, W), uint8, with a note in the titles."""
        write_sheets(networks.vibi, networks.black_box, inputs, folder, class_names, note)

    def open(self, path: Path) -> Tensor:
        """Read an image of any size as (C, H, W), uint8, of the size that was trained on."""
        channels, height, width = self.shape
        image = read_image(path, channels)
        same = (image.height, image.width) == (height, width)
        _, pixels, _ = Pipeline([] if same else self._resizing(height, width))(image)
        return pixels[:channels]

    def _resizing(self, height: int, width: int) -> list[dict[str, Any]]:
        """Return the transforms that make images of any size as large as those of the training."""
        size = {"height": height, "width": width}
        if self.config.data.dataset != "ImageNet":
            return [{"type": "Resize", **size}]
        shorter = round(max(height, width) / CROPPED)
        scaled = {"type": "SmallestMaxSize", "max_size": shorter, "interpolation": "bicubic"}
        return [scaled, {"type": "CenterCrop", **size}]

    def inputs(self, networks: Networks, opened: Tensor) -> Tensor:
        """Return the prepared image (1, C, H, W)."""
        return self.prepare(opened[None])

    def heat(self, networks: Networks, inputs: Tensor, logits: Tensor) -> Tensor:
        """Return the probability of each pixel's chunk, (1, H, W)."""
        return chunk_map(_grid(networks), logits.softmax(1))

    def write(
        self,
        networks: Networks,
        opened: Tensor,
        found: TopK,
        whole: Tensor,
        class_names: Sequence[str],
        place: Path,
        note: str = "",
    ) -> tuple[Path, ...]:
        """Write `<place>.npz` and `<place>.png`, with a note as its title."""
        heat = self.heat(networks, opened, found.logits)[0].cpu().numpy()
        shown = _grid(networks).upsample(found.shown)[0].cpu()
        files = (place.with_name(f"{place.name}.npz"), place.with_name(f"{place.name}.png"))
        write_arrays(files[0], mask=heat, top_k=shown.numpy(), logits=found.logits[0].cpu().numpy())
        image = self.prepare(opened).cpu()
        approximated = found.approximator[0].exp().cpu()
        with written_whole(files[1]) as aside:
            write_explanation(aside, image, heat, shown, whole, approximated, class_names, note)
        return files


def _grid(networks: Networks) -> ChunkGrid:
    chunks = networks.vibi.chunks
    assert isinstance(chunks, ChunkGrid)  # images fall into squares
    return chunks
