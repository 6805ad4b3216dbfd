"""How masks are saved and shown."""

from __future__ import annotations

from dataclasses import dataclass

from input_iba.drawing import COLOUR_MAP, check_colour_map
from input_iba.records import MERGES
from input_iba.settings import Settings, setting


@dataclass(frozen=True)
class MaskSettings(Settings):
    """How a mask is saved and shown."""

    upscale: bool = setting(
        True,
        "save the feature mask of an image at the input's resolution; else at the layer's (other "
        "masks have the input's in any case)",
    )
    show: bool = setting(
        False, "open a window with the mask where there is a display", changes_result=False
    )
    colour_map: str = setting(
        COLOUR_MAP,
        "colours of the JPEG, a name of matplotlib's; the published 'bwr' has white in the middle",
    )
    merge: str = setting("mean", "how the values of a word's pieces become one", choices=MERGES)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_colour_map(self.colour_map)
