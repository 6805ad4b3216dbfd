"""The page over HTTP, by ASGI: what is asked for, how much is taken, and who may ask."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from input_iba.app.answers import OURS, Question, answer, uploaded_image
from input_iba.app.jobs import Jobs
from input_iba.app.networks import Networks
from input_iba.app.options import METHODS, AppOptions
from input_iba.datasets.class_index import imagenet_classes
from input_iba.drawing.heat_map import heat_tables
from input_iba.drawing.pages import render
from input_iba.errors import ConfigError, DataError, InputIBAError, import_extra

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")

POLICY = (
    "default-src 'none'; img-src 'self' data: blob:; style-src 'unsafe-inline'; "
    "script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'"
)
"""The page loads from its own address alone."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

OWN = "x-input-iba"
"""A header that pages of other addresses cannot send: they cannot ask in a visitor's name."""

KINDS = {"map.npz": "application/octet-stream", "card.png": "image/png"}
FIELDS = ("model", "target", "instead_of", "method", "beside")


@dataclass(frozen=True)
class Reply:
    """What is sent back."""

    body: bytes
    kind: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def of_json(status: int = 200, **values: Any) -> Reply:
    """Return values as a reply; a refusal has a `message` for the visitor."""
    return Reply(json.dumps(values).encode(), status=status)


class App:
    """The application, as ASGI servers call it.

    Raises:
        ConfigError: A network of the list does not exist.
    """

    def __init__(self, options: AppOptions) -> None:
        self.options = options
        self.networks = Networks(options.model, options.allow_any_model)
        self.jobs = Jobs(options.max_waiting, 60 * options.minutes)
        values = {"options": options, "models": self.networks.kinds, "policy": POLICY}
        values |= {"ours": OURS, "methods": METHODS, "channels": heat_tables()}
        values["classes"] = imagenet_classes().names
        page, script = (
            str(render(name, "input_iba.app", **values)).encode()
            for name in ("app.html.j2", "app.js")
        )
        self.files = {"/": Reply(page, "text/html; charset=utf-8")}
        self.files["/app.js"] = Reply(script, "text/javascript; charset=utf-8")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = await self._reply(scope, receive)
        told = {"content-type": reply.kind, **HEADERS, **reply.headers}
        headers = [(key.encode(), value.encode()) for key, value in told.items()]
        start = {"type": "http.response.start", "status": reply.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Message, receive: Receive) -> Reply:
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        own = re.sub(r":\d+$", "", headers.get("host", "")) in LOOPBACK
        if self.options.host in LOOPBACK and not own:
            # A name of another address leads here, whose page could read the answers.
            return of_json(400, message="This page is served to its own machine alone.")
        way, path = scope["method"], scope["path"]
        if way == "GET" and path in self.files:
            return self.files[path]
        if way == "POST" and path == "/jobs":
            if OWN not in headers:
                return of_json(403, message="Questions come from the page itself.")
            asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            return await self._asked(asked, receive)
        if way == "GET" and path.startswith("/jobs/"):
            key, _, name = path.removeprefix("/jobs/").partition("/")
            return self._saved(key, name) if name else self._known(key)
        return of_json(404, message="There is no such page.")

    async def _asked(self, asked: dict[str, str], receive: Receive) -> Reply:
        try:
            content = await read_body(receive, int(self.options.max_megabytes * 1e6))
            question = read_question(asked, content, self.options)
        except InputIBAError as error:
            return of_json(400, message=str(error))
        key = self.jobs.add(partial(answer, question, self.networks))
        if key is None:
            return of_json(503, message="Too many questions wait already. Try again in a minute.")
        return of_json(job=key)

    def _known(self, key: str) -> Reply:
        job = self.jobs.get(key)
        if job is None:
            return of_json(404, message="This answer is forgotten. Ask again.")
        told = {name: getattr(job, name) for name in ("state", "stage", "done", "of", "message")}
        html = job.answer.html if job.answer else ""
        return of_json(**told, ahead=self.jobs.ahead(job), html=html)

    def _saved(self, key: str, name: str) -> Reply:
        job = self.jobs.get(key)
        if job is None or job.answer is None or name not in job.answer.files:
            return of_json(404, message="There is no such file, or it is forgotten. Ask again.")
        saved = {"content-disposition": f'attachment; filename="{name}"'}
        return Reply(job.answer.files[name], KINDS[name], headers=saved)


async def read_body(receive: Receive, most: int) -> bytes:
    """Return what is uploaded, of which no more than `most` bytes and a part are ever held.

    Raises:
        DataError: There is more, or the visitor has gone.
    """
    content, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DataError("The visitor has gone.")
        content += message.get("body", b"")
        more = message.get("more_body", False)
        if len(content) > most:
            raise DataError(f"The file is larger than {most / 1e6:g} MB. Make it smaller.")
    return bytes(content)


def read_question(asked: dict[str, str], content: bytes, options: AppOptions) -> Question:
    """Return what is asked: the image or text is uploaded, all else stands in the address.

    Raises:
        DataError: Nothing is given, or it is too large, or not what it should be.
        ConfigError: There is no such method, or something unknown is asked.
    """
    of_text = asked.pop("kind", "") == "texts"
    if unknown := asked.keys() - FIELDS:
        raise ConfigError(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(FIELDS)}.")
    text = content.decode("utf-8", "replace").strip() if of_text else ""
    if not (text if of_text else content):
        raise DataError(
            "There is no text: write one." if of_text else "There is no image: choose or drop one."
        )
    if len(text) > options.max_characters:
        raise DataError(
            f"The text has {len(text)} characters; at most {options.max_characters} are taken. "
            "Shorten it."
        )
    return Question(
        text or uploaded_image(content, options.max_megapixels),
        **{"model": options.model[0], **asked},
    )


def serve(options: AppOptions) -> None:
    """Serve the page until it is interrupted.

    Raises:
        MissingExtraError: The server's package is not installed.
    """
    uvicorn = import_extra("uvicorn", "uvicorn", "app")
    app = App(options)
    where = f"http://{options.host}:{options.port}"
    print(f"{where} – open it in a browser; Ctrl-C ends it.", flush=True)
    how = {"host": options.host, "port": options.port, "lifespan": "off", "log_level": "warning"}
    uvicorn.run(app, **how)
