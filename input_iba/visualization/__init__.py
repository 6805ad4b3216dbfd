"""Show masks to people: heat maps, highlighted texts, tables, HTML pages, figures."""

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
from input_iba.drawing.words import highlighted
from input_iba.visualization.agreement import Agreement, agreement
from input_iba.visualization.comparison_page import (
    Card,
    ComparisonPage,
    comparison_page,
    map_thumbnail,
    thumbnail,
)
from input_iba.visualization.curves import (
    Chart,
    Line,
    mean_line,
    share_line,
    write_chart,
    write_charts,
)
from input_iba.visualization.figures import (
    GridRow,
    figure_format,
    write_grid,
    write_panels,
)
from input_iba.visualization.grid import Grid, as_html, as_markdown, as_plain, markdown_text
from input_iba.visualization.highlighted_text import highlighted_page, strip
from input_iba.visualization.report import Evaluation, Report, Source, report_page
from input_iba.visualization.rows import Row, percent
from input_iba.visualization.table import format_table
from input_iba.visualization.vibi_pictures import (
    write_distribution,
    write_explanation,
    write_test_batch,
    write_top_k,
    write_training_curves,
)

__all__ = [
    "COLOUR_MAP",
    "Agreement",
    "Card",
    "Chart",
    "ComparisonPage",
    "Evaluation",
    "Grid",
    "GridRow",
    "Line",
    "Pixels",
    "Report",
    "Row",
    "Source",
    "agreement",
    "as_html",
    "as_markdown",
    "as_plain",
    "check_colour_map",
    "colourise",
    "comparison_page",
    "figure_format",
    "format_table",
    "has_display",
    "heat_of",
    "highlighted",
    "highlighted_page",
    "map_thumbnail",
    "markdown_text",
    "mean_line",
    "overlay",
    "percent",
    "rendered",
    "report_page",
    "scale_to_peak",
    "scale_to_range",
    "share_line",
    "show",
    "smoothed",
    "strip",
    "thumbnail",
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
