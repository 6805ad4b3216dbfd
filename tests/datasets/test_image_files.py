"""Pictures named one by one: ids, targets by name, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from input_iba.datasets import PictureFiles
from input_iba.datasets.class_index import Classes, classes_of_file, imagenet_classes
from input_iba.errors import ConfigError, DataError

RESIZE = [{"type": "Resize", "height": 8, "width": 8}]
INDEX = "resources/imagenet_class_index.json"


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    Image.new("RGB", (20, 10), "red").save(tmp_path / "cat.png")
    return tmp_path / "cat.png"


def test_without_targets_an_image_is_explained_for_what_is_predicted(cat: Path) -> None:
    dataset = PictureFiles([cat], RESIZE)
    assert (dataset.ids, dataset.target(0), dataset.path(0)) == (["cat"], None, str(cat))
    assert dataset[0].input.shape == (3, 8, 8)
    assert dataset.class_names is not None
    assert dataset.class_names[281] == "tabby"


def test_every_image_is_explained_for_every_target_once(cat: Path, tmp_path: Path) -> None:
    dog = tmp_path / "dog.jpg"
    Image.new("L", (9, 9)).save(dog)
    dataset = PictureFiles([cat, dog], RESIZE, ["tabby", "n02088364", 281])
    assert dataset.ids == ["cat_tabby", "cat_beagle", "dog_tabby", "dog_beagle"]
    assert [dataset.target(i) for i in range(4)] == [281, 162, 281, 162]
    assert dataset[3].path == str(dog)
    assert PictureFiles([cat], RESIZE, ["tabby"]).ids == ["cat"]


def test_images_of_one_name_in_two_folders_keep_names_of_their_own(tmp_path: Path) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / folder / "1.png")
    files = [tmp_path / "a" / "1.png", tmp_path / "b" / "1.png"]
    assert PictureFiles(files, RESIZE).ids == ["a__1", "b__1"]


def test_the_fingerprint_follows_content_and_target_not_the_folder(
    cat: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    moved = tmp_path / "other" / "cat.png"
    moved.write_bytes(cat.read_bytes())
    before = PictureFiles([cat], RESIZE).fingerprint()
    assert PictureFiles([moved], RESIZE).fingerprint() == before
    assert PictureFiles([cat], RESIZE, [3]).fingerprint() != before
    Image.new("RGB", (20, 10), "blue").save(moved)
    assert PictureFiles([moved], RESIZE).fingerprint() != before


@pytest.mark.parametrize(
    ("keys", "kind", "said"),
    [
        ({"files": []}, ConfigError, "list of paths"),
        ({"files": "cat.png"}, ConfigError, "list of paths"),
        ({"files": ["absent.png"]}, DataError, "'absent.png': expected a file, found none"),
        ({"files": ["tests"]}, DataError, "It is a folder"),
        ({"targets": ["tabbi"]}, ConfigError, "Unknown class 'tabbi'. Closest: 'tabby'"),
        ({"targets": ["retriever"]}, ConfigError, "207 golden retriever (n02099601)"),
        ({"targets": ["cardigan"]}, ConfigError, "264 Cardigan (n02113186) or 474 cardigan"),
        ({"targets": ["1000"]}, ConfigError, "from 0 to 999"),
        ({"targets": ["n0"]}, ConfigError, "Unknown class 'n0'"),
        ({"targets": ["tabby"], "classes": None}, ConfigError, "names of this classifier's"),
        ({"classes": "absent.json"}, DataError, "does not exist"),
    ],
)
def test_what_errors_say(cat: Path, keys: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught:
        PictureFiles(**{"files": [cat], "pipeline": RESIZE, **keys})
    assert said in str(caught.value)


def test_classes_can_stand_in_a_text_file_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("cat\r\n hot dog\n\n", encoding="utf-8")
    assert classes_of_file(path) == Classes(["cat", "hot dog"])
    for content, said in (("cat\n\ndog", "line 2 is empty"), ("", "line 1 is empty")):
        path.write_text(content)
        with pytest.raises(DataError, match=said):
            classes_of_file(path)


def test_the_packaged_wordnet_ids_are_those_of_the_class_index() -> None:
    content = json.loads(Path(INDEX).read_text(encoding="utf-8"))
    folders = [content[str(i)][0] for i in range(1000)]
    assert list(imagenet_classes().ids) == folders
    assert list(classes_of_file(INDEX).ids) == folders
    assert len(imagenet_classes().names) == 1000


@pytest.mark.parametrize("wanted", [1, "1", "n1", "Great_White  shark".replace("  ", " ")])
def test_a_class_by_index_id_or_name(wanted: int | str) -> None:
    assert Classes(["tench", "great white shark"], ["n0", "n1"]).find(wanted) == 1
