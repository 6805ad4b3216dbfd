"""Object boxes in the XML files of PASCAL VOC, which ImageNet uses too."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from defusedxml import DefusedXmlException, ElementTree
from torch import Tensor

from input_iba.core.maps import REMEDY, in_shares
from input_iba.errors import DataError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # the type alone  # nosec B405

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc_boxes(path: str | Path, width: int, height: int) -> Tensor:
    """Return the boxes of all objects in an image, (n, 4): x1, y1, x2, y2 in pixels, float32.

    They are cut at the edges of the image. A box whose corners share a row or column is one pixel
    thick.

    Raises:
        DataError: The file is absent or not XML, or a box is missing, inverted, outside, or in
            shares of the image.
    """
    path = Path(path)
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError as error:
        raise DataError(
            f"Boxes '{path}' do not exist. Add the file, or set with_bbox=False in the data set."
        ) from error
    except DefusedXmlException as error:
        raise DataError(
            f"Boxes '{path}' declare entities, which are not read, since they can fill the memory "
            "and open other files. Remove the <!DOCTYPE …> from the file."
        ) from error
    # An encoding that the file names and nobody knows is a LookupError or a ValueError.
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        raise DataError(f"Boxes '{path}' cannot be read as XML: {error}. Replace it.") from error
    found = [_box(element, path) for element in root.iter("bndbox")]
    if not found:
        raise DataError(
            f"Boxes '{path}': expected at least one <object> with a <bndbox>, found none. Add "
            "the box, or set with_bbox=False in the data set."
        )
    boxes = torch.tensor(found, dtype=torch.float32)
    shares = in_shares(boxes, width, height)
    if bool(shares.any()):
        raise DataError(
            f"Boxes '{path}': expected pixels of an image of {width}×{height}, got the box "
            f"{found[int(shares.nonzero()[0])]}, which is in shares of it, 0 to 1. {REMEDY}"
        )
    boxes[:, 2:] = torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    limits = torch.tensor([width, height, width, height], dtype=torch.float32)
    cut = torch.minimum(boxes.clamp(min=0), limits)
    outside = (cut[:, 2] <= cut[:, 0]) | (cut[:, 3] <= cut[:, 1])
    if bool(outside.any()):
        raise DataError(
            f"Boxes '{path}': box {boxes[outside][0].int().tolist()} lies outside its image of "
            f"{width}×{height} pixels. Correct the file."
        )
    return cut


def _box(element: Element, path: Path) -> list[float]:
    texts = [element.findtext(corner) for corner in CORNERS]
    try:
        box = [float(text or "") for text in texts]
    except ValueError as error:
        raise DataError(
            f"Boxes '{path}': expected the numbers {', '.join(CORNERS)}, got {texts}. Correct "
            "the file."
        ) from error
    if not all(map(math.isfinite, box)) or box[2] < box[0] or box[3] < box[1]:
        raise DataError(
            f"Boxes '{path}': inverted box: expected xmin ≤ xmax and ymin ≤ ymax, got "
            f"{dict(zip(CORNERS, box, strict=True))}. Correct the file."
        )
    return box
