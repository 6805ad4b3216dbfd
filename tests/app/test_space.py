"""The folder that is a Space of Hugging Face: it starts, and its files say the same."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.app.conftest import free_port

SPACE = Path(__file__).parents[2] / "examples" / "space"


@pytest.mark.slow
def test_the_space_starts_and_serves_the_page() -> None:
    pytest.importorskip("uvicorn")
    port = free_port()
    command = [sys.executable, "app.py"]
    environment = {"PORT": str(port), "PYTHONPATH": str(SPACE.parents[1]), "PATH": ""}
    with subprocess.Popen(command, cwd=SPACE, env=environment) as process:
        try:
            page = b""
            while not page:
                assert process.poll() is None
                try:
                    # Not the loopback's name: a Space is reached by its own.
                    request = urllib.request.Request(f"http://127.0.0.1:{port}/")
                    request.add_header("Host", "name.space.example")
                    with urllib.request.urlopen(request) as response:
                        page = response.read()
                except urllib.error.URLError:
                    time.sleep(0.1)
            assert b"What did the network look at?" in page
            assert b"efficientnet_lite0" in page
            assert b"another, of images" not in page  # nobody names what is to be downloaded
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def test_the_files_of_the_space_fit_each_other() -> None:
    _, front, _ = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    said = dict(line.split(": ", 1) for line in front.splitlines())
    assert said["sdk"] == "docker"
    assert f'"PORT", "{said["app_port"]}"' in (SPACE / "app.py").read_text(encoding="utf-8")
    docker = (SPACE / "Dockerfile").read_text(encoding="utf-8")
    [copied] = re.findall(r"COPY (.*) \./", docker)
    assert all((SPACE / name).is_file() for name in copied.split())
    assert "input-iba[app]" in (SPACE / "requirements.txt").read_text(encoding="utf-8")
