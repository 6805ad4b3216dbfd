"""What the HTML pages share: the style sheet, light and dark, wide and narrow; the beginning."""

from __future__ import annotations

import matplotlib
from matplotlib.colors import to_hex

from input_iba.drawing.heat_map import COLOUR_MAP

RAMP = ", ".join(to_hex(matplotlib.colormaps[COLOUR_MAP](i / 8)) for i in range(9))

STYLE = """
:root {
  --page: #f6f5f2; --card: #ffffff; --ink: #1d1b20; --soft: #67636e; --line: #e2dfd9;
  --accent: #b4461f; --good: #2c6e49; --bad: #a3262a; --bad-page: #fbeceb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131217; --card: #1c1b21; --ink: #ece9f1; --soft: #a19cab; --line: #312f38;
    --accent: #ff9d5c; --good: #7fcf9f; --bad: #ff9a94; --bad-page: #2e1c1e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 75rem; padding: clamp(1rem, 3vw, 2.5rem);
  background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { margin: 0; font-size: clamp(1.5rem, 4vw, 2.25rem); line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1.125rem; line-height: 1.3; overflow-wrap: anywhere; }
p { margin: 0; }
code { font-family: ui-monospace, "SFMono-Regular", Consolas, monospace; font-size: .9em; }
.kicker { color: var(--accent); font-weight: 600; letter-spacing: .04em; }
.lead { color: var(--soft); margin-top: .25rem; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1.25rem 0; }
.facts dt { color: var(--soft); font-size: .8125rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.state { color: var(--good); font-weight: 600; }
.state.partial { color: var(--bad); font-weight: 400; }
article {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: clamp(.75rem, 2vw, 1.25rem); margin-top: 1.25rem;
}
.id { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; border-radius: .375rem;
  background: var(--line); image-rendering: auto; }
figcaption { color: var(--soft); font-size: .8125rem; margin-top: .25rem; }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; display: block; }
footer { color: var(--soft); font-size: .875rem; margin-top: 2rem; max-width: 46rem; }
.scale { display: flex; align-items: center; gap: .5rem; margin-top: .75rem; }
.ramp { width: 12rem; height: .625rem; border-radius: 1rem;
  background: linear-gradient(to right, RAMP); }
@media print { body { max-width: none; } article { break-inside: avoid; } }
""".replace("RAMP", RAMP)

TABLES = """
.scroll { overflow-x: auto; margin-top: .75rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9375rem; }
th, td { padding: .375rem .75rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child { text-align: left; }
thead th { color: var(--soft); font-weight: 600; white-space: normal; vertical-align: bottom; }
tbody th { font-weight: 400; }
td.best { color: var(--good); font-weight: 600; }
"""
"""Rules of pages with tables."""


def page_head(title: str, style: str = "", policy: str = "") -> str:
    """Return the beginning of a page, up to and with `<body>`.

    Args:
        title: Escaped.
        style: Rules of the page's own.
        policy: What the page may load and run (Content-Security-Policy); empty for no limits.
    """
    limits = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n' if policy else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{limits}<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{STYLE}{style}</style>
</head>
<body>"""


RAMP_KEY = """<p class="scale"><span>least</span><span class="ramp" role="img"
aria-label="Colour scale from black over red to yellow"></span><span>most</span></p>"""
"""Says what the colours of a map mean."""
