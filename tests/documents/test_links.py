"""Files that the documents and notebooks link to or name are there, and so are headings."""

from __future__ import annotations

import json
import re

import pytest

from tests.documents.printed import DOCUMENTS, ROOT, blocks, read
from tests.test_imports import LAYERS

NOTEBOOKS = [
    path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "tutorials").glob("*.ipynb"))
]


def text_of(document: str) -> str:
    """Return a document's text, or that of a notebook's sentences."""
    if not document.endswith(".ipynb"):
        return read(document)
    cells = json.loads(read(document))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", [*DOCUMENTS, *NOTEBOOKS])
def test_every_link_leads_somewhere(document: str) -> None:
    text = text_of(document)
    links = re.findall(r"\]\((?!http)([^)\s]+)\)", text) + re.findall(
        r'src="(?!http)([^"]+)"', text
    )
    wrong = []
    for link in links:
        name, _, anchor = link.partition("#")
        target = (ROOT / document).parent / name if name else ROOT / document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("document", [*DOCUMENTS, *NOTEBOOKS])
def test_every_file_that_is_named_exists(document: str) -> None:
    text = text_of(document)
    folders = "tools|configs|benchmarks|docs|resources|tutorials|examples|tests"
    named = re.findall(rf"(?<![\w/.])(?:{folders})/[\w/]+\.\w+", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, "benchmarks/README.md"])
def test_every_part_of_the_package_that_is_named_exists(document: str) -> None:
    package = ROOT / "input_iba"
    rooms = "|".join(path.name for path in package.iterdir() if (path / "__init__.py").exists())
    named = re.findall(
        rf"`input_iba/([\w/]+(?:\.py)?)`|`((?:{rooms}|engine)/[\w/]+\.py)`", read(document)
    )
    assert [path for pair in named if not (package / (path := "".join(pair))).exists()] == []


def test_the_readme_names_what_it_must() -> None:
    commands = " ".join(c for b in blocks("README.md") if b.language == "shell" for c in b.commands)
    for name in ("make demo", "make test", "tools/vision/train.py", "tools/nlp/train_nlp.py"):
        assert name in commands
    assert anchors("## From Python\n### A `b`, c") == {"from-python", "a-b-c"}


def test_the_architecture_says_which_way_imports_point() -> None:
    text = read("docs/ARCHITECTURE.md")
    [line] = re.findall(r"^tools →.*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert [set(re.findall(r"\w+", rooms)) for rooms in line.split("→")] == list(LAYERS[:-1])
    layout = text[text.index("```") : text.rindex("```")]
    rooms = {room for layer in LAYERS[:-1] for room in layer}
    assert [room for room in rooms if not re.search(rf"^ *{room}\b", layout, re.MULTILINE)] == []


def test_the_site_leads_to_every_document() -> None:
    nav = read("mkdocs.yml").partition("\nnav:\n")[2]
    led_to = set(re.findall(r"[\w/-]+\.(?:md|ipynb)", nav))
    assert {*DOCUMENTS, *NOTEBOOKS} - led_to == {"README.md"}
    assert [name for name in led_to if not (ROOT / name).exists()] == []


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 120


def test_the_readme_says_why_each_dependency_is_there() -> None:
    needed = re.findall(r'"([\w-]+)>=', read("pyproject.toml"))
    table = read("README.md").partition("## Dependencies, and why")[2]
    assert [name for name in needed if not re.search(rf"\b{name}\b", table, re.IGNORECASE)] == []


def test_the_index_names_every_tutorial() -> None:
    index = read("tutorials/README.md")
    files = [p.name for p in (ROOT / "tutorials").iterdir() if p.suffix in (".md", ".ipynb")]
    assert [name for name in files if name != "README.md" and f"({name})" not in index] == []
