"""The page of `tutorials/in_the_browser.md`, in Chromium with onnxruntime-web and no server's help.

The package is found in `node_modules` of the repository, or in a folder that NODE_PATH names.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from input_iba.attribution.amortised import Explainer, export_explainer
from input_iba.commands.export import preparation
from input_iba.datasets.pipeline import Pipeline
from tests.attribution.amortised.test_exported import SHAPE, VISION, Trained, cnn, explained
from tests.datasets.pictures import gradient
from tests.documents.printed import ROOT

pytest.importorskip("playwright")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
PLACES = [ROOT / "node_modules", *map(Path, filter(None, [os.environ.get("NODE_PATH")]))]
MODULES = next((place for place in PLACES if (place / "onnxruntime-web").is_dir()), None)
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(MODULES is None, reason="npm install onnxruntime-web has not been run"),
]

NAMES = ["ant", "bee", "cat_fish", "dog", "elk"]
PIPELINE = Pipeline(
    [
        {"type": "SmallestMaxSize", "max_size": SHAPE[1]},
        {"type": "CenterCrop", "height": SHAPE[1], "width": SHAPE[2]},
        {"type": "Normalize"},
    ]
)
DROP = """async ([selector, data]) => {
    const answer = await fetch(`data:image/png;base64,${data}`);
    const transfer = new DataTransfer();
    transfer.items.add(new File([await answer.blob()], "photograph.png"));
    const event = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.querySelector(selector).dispatchEvent(new DragEvent("drop", event));
}"""
TOLD = "start => document.getElementById('status').textContent.startsWith(start)"


class Quiet(SimpleHTTPRequestHandler):
    """Hands out files, and says nothing."""

    def log_message(self, *_arguments: Any) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def trained() -> Trained:
    return explained(cnn(5))


@pytest.fixture(scope="module")
def address(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the page beside a small graph, as the tutorial says."""
    folder = tmp_path_factory.mktemp("page")
    net, explainer = trained
    export_explainer(folder / "model.onnx", explainer, net, VISION, any_class=True)
    said = {**preparation(PIPELINE, SHAPE), "classes": NAMES, "softmax": True}
    (folder / "model.json").write_text(json.dumps(said))
    shutil.copy(ROOT / "examples" / "browser" / "index.html", folder)
    assert MODULES is not None
    (folder / "node_modules").symlink_to(MODULES.resolve())
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """Open the page, and close it without complaints or requests to elsewhere."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page()
        page.set_default_timeout(120_000)
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_function(TOLD, arg="Ready")
        yield page
        assert complaints == []
        assert all(url.startswith((address, "data:", "blob:")) for url in asked)
        browser.close()


def found(page: Page, name: str) -> Tensor:
    return torch.tensor(page.evaluate("name => Array.from(window.found[name].data)", name))


def expected(explainer: Explainer, net: Any, inputs: Tensor, label: int) -> Tensor:
    watched = explainer.watching(net, VISION)
    with watched.frozen(), torch.no_grad():
        _, features = watched.look(inputs)
        return explainer.maps(inputs, features, torch.tensor([label])).flatten()


def test_a_photograph_is_dropped_and_the_map_is_the_explainers(
    page: Page, trained: Trained, tmp_path: Path
) -> None:
    net, explainer = trained
    image = gradient(SHAPE[2], SHAPE[1])
    image.save(tmp_path / "photograph.png")
    data = base64.b64encode((tmp_path / "photograph.png").read_bytes()).decode()
    page.evaluate(DROP, ["#drop", data])
    page.wait_for_function(TOLD, arg="Class and map")
    inputs = PIPELINE(image)[0][None]
    logits = net(inputs).detach()[0]
    torch.testing.assert_close(found(page, "logits"), logits, atol=1e-4, rtol=1e-4)
    maps = expected(explainer, net, inputs, int(logits.argmax()))
    assert float((found(page, "map") - maps).abs().max()) < 1e-4 * float(maps.max())
    order = logits.argsort(descending=True).tolist()
    shares = torch.softmax(logits, 0)
    shown = [f"{NAMES[i].replace('_', ' ')} {100 * float(shares[i]):.1f} %" for i in order]
    assert page.locator("#classes button").all_text_contents() == shown

    page.locator("#classes button").nth(1).click()
    page.wait_for_function("document.querySelectorAll('#classes button')[1].className === 'asked'")
    other = expected(explainer, net, inputs, order[1])
    assert float((found(page, "map") - other).abs().max()) < 1e-4 * float(other.max())
    assert not torch.allclose(other, maps, rtol=1e-3)


def test_the_map_lies_over_the_image_as_opaque_as_the_slider_says(
    page: Page, tmp_path: Path
) -> None:
    gradient(4 * SHAPE[1], 3 * SHAPE[2]).save(tmp_path / "photograph.png")
    page.set_input_files("#file", tmp_path / "photograph.png")
    page.wait_for_function(TOLD, arg="Class and map")
    image, heat = (page.locator(f"#{name}").bounding_box() for name in ("image", "heat"))
    assert image == heat
    drawn = "Array.from(document.getElementById('heat').getContext('2d').getImageData(0, 0, {}, {})"
    alpha = torch.tensor(page.evaluate(f"{drawn.format(SHAPE[2], SHAPE[1])}.data)"))[3::4]
    maps = found(page, "map")
    assert int(alpha[maps.argmax()]) == 255
    assert int(alpha.min()) == int(alpha[maps.argmin()]) < 200
    page.fill("#opacity", "30")
    assert page.locator("#heat").evaluate("heat => heat.style.opacity") == "0.3"


def test_what_is_not_an_image_is_said(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no image")
    page.set_input_files("#file", tmp_path / "notes.png")
    page.wait_for_function(TOLD, arg="It did not work")
