"""A page about small networks of images and texts, served on this machine."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from input_iba.app.options import AppOptions
from tests.models.tiny_bert import tiny_bert, tokenizer
from tests.models.transformers_families import save

SMALL: dict[str, Any] = {"max_megabytes": 0.5, "max_megapixels": 0.1, "max_characters": 100}


@dataclass(frozen=True)
class Served:
    """A page, and the networks on it."""

    address: str
    images: str
    texts: str

    def request(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """Return status and content, of JSON as Python has it."""
        request = urllib.request.Request(self.address + path, body, headers)
        try:
            with urllib.request.urlopen(request) as response:
                status, content = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        return status, json.loads(content) if content[:1] == b"{" else content

    def ask(self, body: bytes, **asked: str) -> tuple[int, Any]:
        """Ask as the page does."""
        headers = {"X-Input-IBA": "1", "Content-Type": "application/octet-stream"}
        return self.request(f"/jobs?{urlencode(asked)}", body, **headers)

    def answered(self, body: bytes, **asked: str) -> tuple[str, dict[str, Any]]:
        """Ask, wait for the answer, and return its key and what is known of it."""
        status, found = self.ask(body, **asked)
        assert status == 200, found
        key = found["job"]
        while True:
            status, job = self.request(f"/jobs/{key}")
            assert status == 200
            if job["state"] in ("done", "failed"):
                return key, job
            time.sleep(0.02)


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 60)) -> bytes:
    """Return an image file of noise."""
    values = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, format=kind)
    return stream.getvalue()


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    uvicorn = pytest.importorskip("uvicorn")
    from input_iba.app.server import App

    root = tmp_path_factory.mktemp("networks")
    images, texts = str(save("vit", root / "vit")), str(root / "bert")
    tiny_bert().save_pretrained(Path(texts))
    tokenizer().save_pretrained(Path(texts))
    app = App(AppOptions(model=(images, texts), **SMALL))
    how = {"port": 0, "lifespan": "off", "log_level": "error"}
    server = uvicorn.Server(uvicorn.Config(app, **how))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://127.0.0.1:{port}", images, texts)
    server.should_exit = True
    thread.join()
