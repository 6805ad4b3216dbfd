"""Take outputs, counts and traces of a machine out of the notebooks, as they belong into git.

python -m tests.documents.notebooks [FILE ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import nbformat

from tests.documents.printed import ROOT

NOTEBOOKS = sorted(path.name for path in (ROOT / "tutorials").glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def stripped(notebook: Any) -> str:
    """Return the text of a notebook's file without what running it leaves; changes the notebook."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return f"{nbformat.writes(notebook)}\n"


def main() -> None:
    """Strip the files that are named, or all notebooks of the tutorials."""
    parser = argparse.ArgumentParser(description=__doc__)
    every = [ROOT / "tutorials" / name for name in NOTEBOOKS]
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", default=every)
    for path in parser.parse_args().files:
        path.write_text(stripped(nbformat.read(path, as_version=4)), encoding="utf-8")


if __name__ == "__main__":
    main()
