"""How masks are saved and shown."""

from __future__ import annotations

from dataclasses import dataclass

from input_iba.core.words import MERGES
from input_iba.drawing import COLOUR_MAP
from input_iba.errors import ConfigError


@dataclass(frozen=True)
class MaskSettings:
    """How a mask is saved and shown.

    Attributes:
        upscale: Save the feature mask of an image at the input's resolution; else at the layer's.
            Other masks have the input's in any case.
        show: Open a window with the mask where there is a display.
        colour_map: Colours of the JPEG, a name of matplotlib's; the published 'bwr' has white
            in the middle.
        merge: How the values of a word's pieces become one: 'mean' or 'max'.
    """

    upscale: bool = True
    show: bool = False
    colour_map: str = COLOUR_MAP
    merge: str = "mean"

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ConfigError(f"merge must be one of {', '.join(MERGES)}, got {self.merge!r}.")
