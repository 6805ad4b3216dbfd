"""Samples of a comparison as its page shows them: the maps of all methods side by side."""

from __future__ import annotations

from collections.abc import Sequence

from input_iba.commands.compare.compared import Compared
from input_iba.datasets.loading import read_batches
from input_iba.drawing import Pixels, Shown, heat_of, overlay
from input_iba.drawing.heat_map import Floats
from input_iba.errors import InputIBAError
from input_iba.records import ImageSample, Sample, TextSample
from input_iba.report.comparison_page import Card, map_thumbnail, thumbnail
from input_iba.results.map_files import read_map_of


def drawn_cards(compared: Compared, most: int, overlaid: bool = False) -> tuple[list[Card], int]:
    """Read some samples that have rows and their maps, and draw them small; count them all.

    Those shown are spread over the data set. Maps of images are drawn alone, or over the image.
    """
    shown = {id_ for metric in compared.metrics for id_ in compared.scored(metric.name)}
    indices = [i for i, id_ in enumerate(compared.dataset.ids) if id_ in shown]
    count = min(most, len(indices))
    batches = [[indices[i * len(indices) // count]] for i in range(count)]
    cards = [
        _card(compared, sample, overlaid)
        for [sample] in read_batches(compared.dataset, batches)
        if isinstance(sample, Sample)
    ]
    return cards, len(indices)


def _card(compared: Compared, sample: Sample, overlaid: bool) -> Card:
    maps: list[tuple[str, Floats]] = []
    for method in compared.methods:
        path = compared.maps[method.name].get(sample.id)
        if path is None:
            continue
        try:
            maps.append((method.name, read_map_of(sample, path).numpy()))
        except InputIBAError:
            continue  # the reason stands with what failed
    records = [method.records.get(sample.id) for method in compared.methods]
    names = [record.class_name for record in records if record is not None and record.class_name]
    return card_of(sample, maps, names[0] if names else "", overlaid)


def card_of(
    sample: Sample, maps: Sequence[tuple[str, Floats]], class_name: str, overlaid: bool = False
) -> Card:
    """Return a sample with maps of it, (H, W) each, or (W,) of a text, drawn small."""
    images, texts = list[tuple[str, str]](), list[tuple[str, Shown, list[float]]]()
    image = _pixels(sample) if isinstance(sample, ImageSample) else None
    if image is not None:
        images.append(("photograph", thumbnail(image)))
    for name, values in maps:
        if isinstance(sample, TextSample):
            texts.append((name, sample.shown, values.tolist()))
        elif overlaid and image is not None:
            images.append((name, thumbnail(overlay(image, heat_of(values)))))
        else:
            images.append((name, map_thumbnail(values)))
    return Card(sample.id, class_name, images, texts)


def _pixels(sample: ImageSample) -> Pixels:
    """Return what a sample shows, (H, W, 3), uint8."""
    pixels: Pixels = sample.image.permute(1, 2, 0).expand(-1, -1, 3).contiguous().numpy()
    return pixels
