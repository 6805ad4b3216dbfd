"""What MkDocs asks while it builds the site: pages lie where their files lie in the repository.

So a link of a document leads to the same place on the site as in a checkout, and no text stands
twice. Addresses drop the leading `docs/`.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

LOGGER = logging.getLogger("mkdocs.plugins.input_iba")

PAGES = (
    *("docs/**/*.md", "tutorials/*.md", "tutorials/*.ipynb"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md"),
)
BESIDE = (
    *("docs/images/*", "docs/site/site.*", "resources/*.jpg", "benchmarks/*.png"),
    *("tutorials/*.png", "tutorials/images/**/*.png"),
    *("tutorials/images/draw.py", "examples/*.py", "examples/browser/index.html"),
)
"""Pictures, and files that pages link to."""

EXECUTED = "build/executed"
"""Where notebooks lie that `make notebooks` has run; they are shown where they are up to date."""

HOME = "docs/index.md"
"""Stands on the site where the README stands in the repository."""

LABELLED = {
    '<div class="md-search" data-md-component="search" role="dialog"': ' aria-label="Search"',
    '<div class="highlight-ipynb hl-python"': ' tabindex="0"',
}
"""Beginnings of tags, and what people need there who cannot see, or have no mouse."""


def is_newer(path: Path, than: Path) -> bool:
    """Return whether a file is there and was written after another one."""
    return path.is_file() and path.stat().st_mtime > than.stat().st_mtime


@event_priority(100)  # before the plugins, which look at what is there
def _lay_out(files: Files, /, config: MkDocsConfig, **_others: Any) -> Files:
    """Return the files of the theme, and those of `PAGES` and `BESIDE`."""
    root = Path(config.config_file_path).parent
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    for pattern in (*PAGES, *BESIDE):
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            source = EXECUTED if is_newer(root / EXECUTED / name, path) else "."
            file = File(name, str(root / source), config.site_dir, config.use_directory_urls)
            if name.startswith("docs/"):
                file.dest_uri = file.dest_uri.removeprefix("docs/")
            elif name.startswith("examples/"):
                file.dest_uri = f"{file.dest_uri}.txt"  # to be read, not run
            files.append(file)
    return files


@event_priority(-100)  # behind them: a notebook may have the name of a text
def _part_notebooks(files: Files, /, config: MkDocsConfig, **_others: Any) -> Files:
    """Return the same files; pages of notebooks end in `_notebook.html`."""
    for file in files:
        if file.src_uri.endswith(".ipynb"):
            address = file.src_uri.replace(".ipynb", "_notebook.html")
            file.dest_uri = file.dest_path = file.url = address
            file.abs_dest_path = posixpath.join(config.site_dir, address)
    return files


on_files = CombinedEvent(_lay_out, _part_notebooks)


def on_page_content(html: str, page: Page, files: Files, **_others: Any) -> str:
    """Let the links of a notebook lead to pages, as MkDocs does for texts."""

    def led(found: re.Match[str]) -> str:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), found[1]))
        target = files.get_file_from_path(HOME if name == "README.md" else name)
        if target is None:
            LOGGER.warning("%s links to %s, which is no page.", page.file.src_uri, found[1])
            return found[0]
        return f'href="{target.url_relative_to(page.file)}'

    if not page.file.src_uri.endswith(".ipynb"):
        return html
    return re.sub(r'href="(?!http)([^"#]+\.(?:md|ipynb))', led, html)


def on_post_page(output: str, **_others: Any) -> str:
    """Give names and places to what axe finds without them."""
    for tag, more in LABELLED.items():
        output = output.replace(tag, tag + more)
    return output
