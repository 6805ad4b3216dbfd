"""What is released is of one version, and says so."""

from __future__ import annotations

import pytest

import input_iba
from tests.documents.printed import read
from tests.release import disagreements, main, version_of


def test_the_version_stands_in_one_place() -> None:
    version = version_of(read("pyproject.toml"))
    assert input_iba.__version__ == version
    assert f"\nversion: {version}\n" in read("CITATION.cff")


@pytest.mark.parametrize(
    ("changelog", "citation", "tag", "named"),
    [
        ("## Unreleased\n\n## [1.0] - 2026-12-01", "version: 1.0", None, "CHANGELOG"),
        ("## [1.0] - soon", "version: 1.0", None, "'soon'"),
        ("## [0.9] - 2026-12-01", "version: 1.0", None, "'0.9'"),
        ("", "version: 1.0", None, "'nothing'"),
        ("## [1.0] - 2026-12-01", "version: 1.0.1", None, "CITATION"),
        ("## [1.0] - 2026-12-01", "version: 1.0", "v1.1", "'v1.1'"),
    ],
)
def test_what_disagrees_is_named(
    changelog: str, citation: str, tag: str | None, named: str
) -> None:
    [wrong] = disagreements("1.0", changelog, citation, tag)
    assert named in wrong


def test_nothing_is_built_of_what_disagrees() -> None:
    with pytest.raises(SystemExit, match="The tag is 'v0'"):
        main(["--tag", "v0"])
