"""Show masks to people: heat maps, a table, an HTML page, a contact sheet."""

from input_iba.visualization.contact_sheet import write_contact_sheet
from input_iba.visualization.curves import Chart, Line, mean_line, share_line, write_chart
from input_iba.visualization.heat_map import (
    COLOUR_MAP,
    check_colour_map,
    colourise,
    has_display,
    overlay,
    scale_to_peak,
    scale_to_range,
    show,
    smoothed,
    to_8_bits,
)
from input_iba.visualization.overview import RunSummary, overview_page
from input_iba.visualization.rows import Row
from input_iba.visualization.table import format_table

__all__ = [
    "COLOUR_MAP",
    "Chart",
    "Line",
    "Row",
    "RunSummary",
    "check_colour_map",
    "colourise",
    "format_table",
    "has_display",
    "mean_line",
    "overlay",
    "overview_page",
    "scale_to_peak",
    "scale_to_range",
    "share_line",
    "show",
    "smoothed",
    "to_8_bits",
    "write_chart",
    "write_contact_sheet",
]
