"""Write how the notebooks install input_iba, and where Colab opens them.

    python tutorials/colab.py --repository OWNER/NAME [--revision v1.0.0]

Without --repository the address is that of `project.urls.Repository` in pyproject.toml, on
github.com; where there is none, notebooks have no badge, and their first code cell says what is
missing. Running the script again replaces what it wrote before.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import nbformat

FOLDER = Path(__file__).parent
HOST, COLAB = "https://github.com/", "https://colab.research.google.com"
BADGE = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]"

EXTRAS = {
    "evaluation": "[samples]",
    "nlp_attribution": "[minilm]",
    "vibi": "",
    "vision_attribution": "[samples]",
    "your_own_model": "",
}
"""What each notebook needs beside the package itself."""

INSTALL = '''\
# Where input_iba is missing, as in Colab, this cell installs it; elsewhere it does nothing.
from importlib.util import find_spec

ADDRESS = "{address}"
if find_spec("input_iba") is None:
    if not ADDRESS:
        raise ImportError("input_iba is missing: install it from a copy of its repository.")
    %pip install --quiet "input-iba{extra} @ git+{{ADDRESS}}"'''


def written(notebook: Any, name: str, repository: str, revision: str) -> Any:
    """Return a notebook with the badge and the cell that installs, in place of earlier ones.

    Args:
        notebook: Changed in place.
        name: Of its file, without the ending.
        repository: OWNER/NAME on github.com; empty for none.
        revision: A branch or a tag of it.
    """
    first = notebook.cells[0]
    first.source = re.sub(rf"\A{re.escape(BADGE)}.*\n\n", "", first.source)
    address = f"{HOST}{repository}@{revision}" if repository else ""
    if repository:
        page = f"{COLAB}/github/{repository}/blob/{revision}/tutorials/{name}.ipynb"
        first.source = f"{BADGE}({page})\n\n{first.source}"
    cells = [cell for cell in notebook.cells if cell.id != "install"]
    install = nbformat.v4.new_code_cell(
        INSTALL.format(address=address, extra=EXTRAS[name]), id="install"
    )
    notebook.cells = [cells[0], install, *cells[1:]]
    return notebook


def own_repository(project: Path) -> str:
    """Return OWNER/NAME as a pyproject.toml has it, or nothing."""
    pattern = rf'^Repository = "{re.escape(HOST)}([^"]+)"'
    found = re.search(pattern, project.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].removesuffix(".git").strip("/") if found else ""


def main() -> None:
    """Write all notebooks of this folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = own_repository(FOLDER.parent / "pyproject.toml")
    parser.add_argument(
        "--repository", metavar="OWNER/NAME", default=default, help="on github.com; empty for none"
    )
    parser.add_argument("--revision", default="main", help="branch or tag (default: main)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the notebooks")
    given = parser.parse_args()
    if given.repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", given.repository):
        parser.error(f"--repository: expected OWNER/NAME; got {given.repository!r}")
    for name in EXTRAS:
        path = given.folder / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook = written(notebook, name, given.repository, given.revision)
        path.write_text(f"{nbformat.writes(notebook)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
