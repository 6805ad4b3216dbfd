"""The SVG filter that turns a grey map into a heat layer with a threshold.

A script may not read the pixels of a picture that was opened from disk, but a filter may change
them. The layer's colours come from the map's grey values by three tables; its opacity comes from
the same values by a fourth, which the threshold's slider sets anew.
"""

from __future__ import annotations

import matplotlib

from input_iba.drawing.heat_map import COLOUR_MAP

STEPS = 32
"""Intervals of the tables of colours; between them the browser interpolates."""


def heat_filter() -> str:
    """Return the filter `#heat`, whose element `#cut` holds the table of opacities."""
    colours = [matplotlib.colormaps[COLOUR_MAP](i / STEPS) for i in range(STEPS + 1)]
    tables = "".join(
        f'<feFunc{name} type="table" tableValues="'
        f'{" ".join(f"{colour[channel]:.3f}" for colour in colours)}"/>'
        for channel, name in enumerate("RGB")
    )
    # Colours and opacity apart: a browser that multiplies them early would round dark colours.
    return f"""<svg class="filter" width="0" height="0" aria-hidden="true" focusable="false">
<filter id="heat" x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">
<feComponentTransfer in="SourceGraphic" result="colours">{tables}</feComponentTransfer>
<feColorMatrix in="SourceGraphic" values="0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  1 0 0 0 0"/>
<feComponentTransfer result="opacity"><feFuncA id="cut" type="table" tableValues="0 1"/>
</feComponentTransfer>
<feComposite in="colours" in2="opacity" operator="in"/>
</filter>
</svg>"""
