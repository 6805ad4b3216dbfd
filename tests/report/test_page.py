"""The report as HTML: escaped, linked, complete."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import pytest

from input_iba.drawing import Chart, Shown, mean_line
from input_iba.report.model import Evaluation, Report, Row, Source
from input_iba.report.page import report_page, sort_keys

FILES = {
    "photograph": "images/a%2F1#.jpg",
    "overlay": "overlays/a%2F1#.jpg",
    "heat": "overlays/a%2F1#.png",
    "feature_mask_picture": "feat_masks/a%2F1#.JPEG",
    "prior_mask_picture": "prior_masks/a%2F1#.JPEG",
    "input_mask_picture": "input_masks/a%2F1#.JPEG",
    "input_mask": "input_masks/a%2F1#.npz",
}
EVIL = '"><script>alert("1")</script><!--'
VOID = {"meta", "img", "br", "input"}


class Page(HTMLParser):
    """Collects tags and text, and fails where tags do not nest or ids repeat."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.open == []
        ids = [attributes["id"] for _, attributes in self.tags if "id" in attributes]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def source(*rows: Row, name: str = "run", samples: int = 0, method: str = "") -> Source:
    done = sum(not row.failure for row in rows)
    complete = done == (samples or len(rows))
    return Source(name, rows, samples or len(rows), complete, {"Layer": "layer1"}, {}, method)


def page_of(*sources: Source, evaluations: tuple[Evaluation, ...] = ()) -> Page:
    return Page(report_page(Report("samples", sources, evaluations)))


def test_every_picture_is_linked_described_and_lazy() -> None:
    images = page_of(source(Row("a/1#", "tabby", 0.9, files=FILES))).all("img")
    shown = {unquote(str(image["src"])) for image in images}
    assert shown == {
        f"./{path}" for kind, path in FILES.items() if kind not in ("overlay", "input_mask")
    }
    assert all(image["loading"] == "lazy" for image in images)
    # The heat layer is a part of the overlay, which its photograph describes.
    assert [image["class"] for image in images if image["alt"] == ""] == ["heat"]
    assert all("a/1#" in str(image["alt"]) for image in images if image["alt"])
    assert "#" not in "".join(str(image["src"]) for image in images)


def test_without_a_heat_layer_the_finished_overlay_is_shown() -> None:
    files = {kind: path for kind, path in FILES.items() if kind != "heat"}
    images = page_of(source(Row("a", "tabby", 0.9, files=files))).all("img")
    assert "./overlays/a%252F1%23.jpg" in {image["src"] for image in images}


def test_text_from_outside_is_escaped() -> None:
    rows = [
        Row(
            *(EVIL, EVIL, 0.5, EVIL, 0.6, [(EVIL, 0.5)], {EVIL: 1.0}),
            files=FILES,
            scores={EVIL: 1.0},
        ),
        Row("b", failure=EVIL),
        Row("c", EVIL, 0.5, text=Shown([EVIL, "fun"]), word_masks={"input_mask": [0.1, 0.9]}),
    ]
    chart = Chart(EVIL, EVIL, EVIL, [mean_line(EVIL, [0, 1], [[0, 1]])])
    measured = Evaluation(
        *(EVIL, EVIL, EVIL, False, {"scored": 1}),
        summary={EVIL: {"mean": 1.0, "low": None, "high": None, "n": 1}},
        higher_is_better={EVIL: True},
        chart=chart,
        left_out={EVIL: EVIL},
        verdict=EVIL,
        settings={EVIL: EVIL},
    )
    evil = Source(EVIL, rows, 3, False, {EVIL: EVIL}, {EVIL: {EVIL: EVIL}}, EVIL)
    for sources in ([evil], [evil, source(Row(EVIL, EVIL, files=FILES))]):
        page = Page(report_page(Report(EVIL, sources, [measured])))
        assert len(page.all("script")) == 1
        assert page.words.count(EVIL) > 20


def test_only_the_own_script_may_run_and_nothing_is_loaded_from_elsewhere() -> None:
    text = report_page(Report("samples", [source(Row("a", files=FILES))]))
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    [policy] = [meta["content"] for meta in Page(text).all("meta") if "http-equiv" in meta]
    assert f"script-src 'sha256-{digest}'" in str(policy)
    assert "default-src 'none'" in str(policy)
    assert "http://" not in text
    assert "https://" not in text


def test_a_complete_run_says_so() -> None:
    page = page_of(source(Row("a", files=FILES)))
    assert "1 of 1 sample explained" in page.words
    assert "Partial" not in page.words


def test_a_partial_run_says_what_is_missing_and_why() -> None:
    page = page_of(source(Row("a", files=FILES), Row("b", failure="truncated image"), samples=4))
    assert "Partial. 1 of 4 samples explained; 1 failed; 2 not done yet" in page.words
    assert "1 sample failed" in page.words
    assert "truncated image" in page.words


def test_the_preferred_class_is_named_where_another_was_explained() -> None:
    page = page_of(source(Row("a", "tabby", 0.1, "tiger cat", 0.8, files=FILES)))
    assert "classifier prefers tiger cat, 80 %" in page.words


def test_the_most_probable_classes_are_listed_with_the_explained_one() -> None:
    classes = [("tiger cat", 0.75), ("tabby", 0.125), ("lynx", 0.00004)]
    page = page_of(source(Row("a", "tabby", 0.125, "tiger cat", 0.75, classes, files=FILES)))
    assert "tiger cat 75 %tabby explained 12.5 %lynx < 0.1 %" in page.words
    assert "Classes, numbers, files" in page.words
    shares = [item["style"] for item in page.all("li") if "style" in item]
    assert shares == ["--share:75", "--share:12.5", "--share:0.004"]
    assert "Most probable classes" not in page_of(source(Row("a", files=FILES))).words


def test_a_thousand_samples_are_a_page_of_a_few_megabytes() -> None:
    classes = [("standard schnauzer", 0.125)] * 5
    losses = {f"{stage}/target": [0.12345] * 20 for stage in ("feature_iba", "input_iba")}
    rows = [
        Row(f"n{i}", "tabby", 0.9, "", None, classes, files=FILES, losses=losses)
        for i in range(1000)
    ]
    assert len(report_page(Report("samples", [source(*rows)]))) < 8e6


def test_runs_stand_side_by_side() -> None:
    first = source(Row("a", "tabby", 0.9, files=FILES), Row("b", "dog", 0.8, files=FILES))
    other = source(Row("b", "dog", 0.7, files=FILES), name="grad_cam", method="grad_cam")
    page = page_of(first, other)
    assert [article["data-id"] for article in page.all("article")] == ["a", "b"]
    assert page.words.count("grad_cam") > 2
    photographs = [img for img in page.all("img") if str(img["alt"]).startswith("Photograph")]
    assert len(photographs) == 2


def test_a_sample_that_one_run_failed_on_is_shown_by_the_other() -> None:
    first = source(Row("a", failure="too dark"))
    page = page_of(first, source(Row("a", "tabby", 0.9, files=FILES), name="other"))
    assert [article["data-id"] for article in page.all("article")] == ["a"]
    assert "too dark" in page.words


def test_numbers_to_sort_by_name_their_run_and_direction() -> None:
    scores = {"insertion_deletion del_auc": 0.25}
    first = source(Row("a", "x", 0.9, seconds={"all": 2.0}, files=FILES, scores=scores))
    other = source(Row("a", "x", 0.8, files=FILES), name="other")
    measured = Evaluation("insertion_deletion", "run", "r.json", True, {}, {}, {"del_auc": False})
    keys = sort_keys(Report("", [first, other], [measured]))
    assert [(key.source, key.label, key.descending) for key in keys] == [
        ("run", "probability", True),
        ("run", "seconds", True),
        ("run", "insertion_deletion del_auc", False),
        ("other", "probability", True),
    ]
    [article] = page_of(first, other, evaluations=(measured,)).all("article")
    assert article["data-keys"] == "0.9 2 0.25 0.8"


def test_words_and_values_stand_side_by_side() -> None:
    masks = {"map": [0.5, 2.0], "input_mask": [0.25, 1.0], "feature_mask": [3.0, 0.5]}
    page = page_of(
        source(Row("a", "pos", 0.9, map_bits=2.5, text=Shown(["a b", "fun"]), word_masks=masks))
    )
    [text] = [p for p in page.all("p") if p.get("class") == "text"]
    assert text["data-map"] == "0.5 2"
    assert text["data-input-mask"] == "0.25 1"
    assert text["data-feature-mask"] == "3 0.5"
    assert text["data-places"] == "0 3 1 3 0"
    assert "a b fun" in page.words
    kinds = [o["value"] for o in page.all("option") if o["value"] in masks]
    assert kinds == list(masks)
    assert "2.5 bits" in page.words
    assert "pixel" not in page.words


def test_metrics_are_told_with_interval_direction_and_what_is_left_out() -> None:
    measured = Evaluation(
        *("insertion_deletion", "run", "insdel.json", False),
        {"data_set": 3, "selected": 3, "scored": 1, "skipped": 2},
        {"del_auc": {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 1}},
        {"del_auc": False},
        left_out={"b": "no boxes", "c": "no boxes"},
    )
    page = page_of(source(Row("a", files=FILES)), evaluations=(measured,))
    for said in ("0.5000", "0.2500 to 0.7500", "lower is better", "Partial.", "no boxes"):
        assert said in page.words
    assert "1 scored, 2 left out by a rule, of 3 samples" in page.words


def test_evaluations_that_got_equally_far_are_told_together() -> None:
    def measured(name: str, scored: int) -> Evaluation:
        counts = {"data_set": 3, "selected": 3, "scored": scored}
        return Evaluation("ehr", name, f"{name}.json", scored == 3, counts, {}, {})

    evaluations = (measured("first", 3), measured("second", 3), measured("third", 2))
    words = page_of(evaluations=evaluations).words
    assert "first, second: 3 selected, 3 scored, of 3 samples." in words
    assert "Partial. third: 3 selected, 2 scored, of 3 samples." in words


def test_a_report_of_metrics_alone_has_no_samples() -> None:
    measured = Evaluation("ehr", "maps", "ehr.json", True, {"scored": 1}, {}, {})
    page = page_of(evaluations=(measured,))
    assert "No sample is explained." in page.words
    assert page.all("article") == []


@pytest.mark.parametrize("words", [(), ("fun",)])
def test_headings_descend_step_by_step(words: tuple[str, ...]) -> None:
    masks = {"input_mask": [0.5]} if words else {}
    rows = [
        Row("a", "x", 0.9, files=FILES, text=Shown(words), word_masks=masks),
        Row("b", failure="x"),
    ]
    page = page_of(source(*rows), source(*rows, name="other"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_every_control_has_a_label() -> None:
    page = page_of(source(Row("a", "x", 0.9, files=FILES)))
    labels = {label.get("for") for label in page.all("label")}
    for control in page.all("input") + page.all("select"):
        assert control["id"] in {"search", "class", "sort"} | labels
