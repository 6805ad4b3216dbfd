"""Show masks to people: heat maps, highlighted texts, tables, HTML pages, figures."""

from input_iba.drawing.agreement import Agreement, agreement
from input_iba.drawing.curves import (
    Chart,
    Line,
    mean_line,
    share_line,
    write_chart,
    write_charts,
)
from input_iba.drawing.figures import (
    GridRow,
    figure_format,
    write_grid,
    write_panels,
)
from input_iba.drawing.heat_map import (
    COLOUR_MAP,
    Pixels,
    check_colour_map,
    colourise,
    has_display,
    heat_of,
    overlay,
    rendered,
    scale_to_peak,
    scale_to_range,
    show,
    smoothed,
    to_8_bits,
)
from input_iba.drawing.pages import highlighted_page, strip
from input_iba.drawing.rows import Row, percent
from input_iba.drawing.table import format_table
from input_iba.drawing.tables import Grid, as_html, as_markdown, as_plain, markdown_text
from input_iba.drawing.vibi_images import (
    write_distribution,
    write_explanation,
    write_test_batch,
    write_top_k,
    write_training_curves,
)
from input_iba.drawing.words import highlighted

__all__ = [
    "COLOUR_MAP",
    "Agreement",
    "Chart",
    "Grid",
    "GridRow",
    "Line",
    "Pixels",
    "Row",
    "agreement",
    "as_html",
    "as_markdown",
    "as_plain",
    "check_colour_map",
    "colourise",
    "figure_format",
    "format_table",
    "has_display",
    "heat_of",
    "highlighted",
    "highlighted_page",
    "markdown_text",
    "mean_line",
    "overlay",
    "percent",
    "rendered",
    "scale_to_peak",
    "scale_to_range",
    "share_line",
    "show",
    "smoothed",
    "strip",
    "to_8_bits",
    "write_chart",
    "write_charts",
    "write_distribution",
    "write_explanation",
    "write_grid",
    "write_panels",
    "write_test_batch",
    "write_top_k",
    "write_training_curves",
]
