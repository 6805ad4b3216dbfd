"""Questions over HTTP: what is answered, and what is refused with which words."""

from __future__ import annotations

import io
import threading
import time
from functools import partial

import numpy as np
import pytest

from input_iba.app.jobs import Answer, Jobs
from input_iba.errors import DataError
from tests.app.conftest import SMALL, Served, picture
from tests.models.transformers_families import NAMES


def test_an_image_is_explained_by_two_methods_with_files_to_save(served: Served) -> None:
    how = {"model": served.images, "method": "instant", "beside": "input_x_gradient"}
    key, job = served.answered(picture(), **how)
    assert job["state"] == "done", job["message"]
    html = job["html"]
    assert html.count('class="heat"') == 2
    assert html.count("With the hottest 10 % of the pixels hidden") == 2
    assert "Believe this map?" in html
    assert all(f'data-class="{name}"' in html for name in NAMES)
    status, content = served.request(f"/jobs/{key}/map.npz")
    assert (status, np.load(io.BytesIO(content))["map"].shape) == (200, (32, 32))
    status, content = served.request(f"/jobs/{key}/card.png")
    assert content.startswith(b"\x89PNG")
    assert served.request(f"/jobs/{key}/other")[0] == 404


def test_a_text_is_explained_for_a_class_rather_than_another(served: Served) -> None:
    asked = {"kind": "texts", "model": served.texts, "method": "instant"}
    key, job = served.answered(b"a fine film", target="1", instead_of="0", **asked)
    assert job["state"] == "done", job["message"]
    assert "rather than" in job["html"]
    assert job["html"].count("<span") == 3
    with np.load(io.BytesIO(served.request(f"/jobs/{key}/map.npz")[1])) as arrays:
        assert arrays["tokens"].tolist() == ["a", "fine", "film"]
        assert arrays["map"].shape == (3,)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no image"),
        (b"<script>alert(1)</script>", "not an image"),
        (picture("BMP", (400, 420)), "larger than 0.5 MB"),
        (picture("JPEG", (330, 320)), "0.1 million pixels"),
    ],
    ids=["nothing", "a script", "a large file", "a large image"],
)
def test_bad_uploads_get_a_message(served: Served, body: bytes, said: str) -> None:
    status, found = served.ask(body, model=served.images)
    assert status == 400
    assert said in found["message"]


def test_texts_and_words_that_do_not_fit_get_a_message(served: Served) -> None:
    texts = {"kind": "texts", "model": served.texts}
    long = b"a " * SMALL["max_characters"]
    for body, asked, said in (
        (b"  ", texts, "no text"),
        (long, texts, "at most 100"),
        (b"fine", {**texts, "method": "ours"}, "Unknown method"),
        (b"fine", {**texts, "layer": "1"}, "Unknown: layer"),
    ):
        status, found = served.ask(body, **asked)
        assert (status, said in found["message"]) == (400, True), found
    for body, asked, said in (
        (picture()[:2000], {"model": served.images}, "damaged"),
        (b"fine", {**texts, "model": served.images}, "explains images, not a text"),
        (picture(), {"model": served.images, "target": NAMES[0][:-1] + "x"}, "Closest"),
        (picture(), {"model": "resnet18"}, "not on this page's list"),
    ):
        _, job = served.answered(body, **asked)
        assert (job["state"], said in job["message"]) == ("failed", True), job


def test_only_the_page_itself_may_ask_and_only_by_its_own_name(served: Served) -> None:
    assert served.request("/jobs", picture())[0] == 403
    assert served.request("/", Host="other.example")[0] == 400
    assert served.request("/jobs/unknown")[0] == 404
    status, page = served.request("/")
    assert status == 200
    assert b"http://" not in page.replace(b"http://www.w3.org", b"")
    assert b"https://" not in page


def test_questions_wait_in_turn_and_too_many_are_refused() -> None:
    jobs, go = Jobs(waiting=2, seconds=60), threading.Event()
    order: list[str] = []

    def question(name: str, _: object) -> Answer:
        go.wait(10)
        order.append(name)
        return Answer(name)

    keys = [jobs.add(partial(question, "a"))]
    while jobs.get(keys[0] or "").state != "running":  # type: ignore[union-attr]
        time.sleep(0.01)
    keys += [jobs.add(partial(question, name)) for name in "bc"]
    assert jobs.add(partial(question, "d")) is None
    found = [jobs.get(key or "") for key in keys]
    assert [jobs.ahead(job) for job in found if job] == [0, 1, 2]
    go.set()
    while found[2] and found[2].state != "done":
        time.sleep(0.01)
    assert order == ["a", "b", "c"]


def test_answers_and_uploads_are_forgotten_and_faults_do_not_stop_the_worker() -> None:
    jobs = Jobs(waiting=5, seconds=0.2)
    upload = np.zeros(3)

    def bad(_: object) -> Answer:
        raise DataError("bad")

    def worse(_: object) -> Answer:
        raise ZeroDivisionError("worse")

    keys = [jobs.add(work) or "" for work in (bad, worse, lambda _: Answer(str(upload)))]
    last = jobs.get(keys[2])
    assert last is not None
    while last.state != "done":
        time.sleep(0.01)
    known = [jobs.get(key) for key in keys[:2]]
    assert [job.message for job in known if job] == [
        "bad",
        "Something went wrong: ZeroDivisionError: worse",
    ]
    assert last.work is None  # and with it what was uploaded
    time.sleep(0.25)
    assert [jobs.get(key) for key in keys] == [None] * 3
