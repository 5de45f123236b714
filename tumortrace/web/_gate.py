"""The gate in front of the page: who may ask, for what, and how much at once.

Gradio serves more than this page needs: functions by their names, its configuration, a monitoring page, a proxy,
files by their path. Only what the page itself asks for goes through, and nothing that names a file outside the
folder of uploads.
"""

import ipaddress
import json
import math
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tumortrace.web._auth import Door, TooSoonError
from tumortrace.web._headers import HEADERS, clean, policy
from tumortrace.web._uploads import Uploads

TITLE = "tumortrace demo"
LARGEST_UPLOAD = 220 * 1000**2
"""Bytes of all files that are uploaded at once: one volume, or many pictures."""
LARGEST_EVENT = 2 * 1000**2
"""Bytes of what a click sends."""

_ROUTES = {
    "GET": re.compile(
        r"/|/theme\.css|/favicon\.ico|/(assets|static)/[\w./-]+"
        r"|/gradio_api/(heartbeat/\w+|upload_progress|queue/data|file=.+)"
    ),
    "POST": re.compile(r"/gradio_api/(upload|queue/join|cancel|reset)"),
}


class RefusedError(Exception):
    """A request is not let through; the message says why, in words for who sent it."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None):
        self.status, self.headers = status, headers
        super().__init__(message)


class Gate:
    """ASGI middleware that lets through what the page needs, from who may ask for it.

    Parameters
    ----------
    app : ASGI application
        The page.
    uploads : Uploads
        No path that a request names may lead out of its folder.
    door : Door, optional
        Who may log in. Without one, everybody who reaches the server may, and then it answers only to the names of
        this machine: a page elsewhere whose name was made to point here (DNS rebinding) gets nothing.
    """

    def __init__(self, app: ASGIApp, uploads: Uploads, door: Door | None = None):
        self.app, self.uploads, self.door = app, uploads, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":  # the start and the end of the server
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, scope["path"])
        try:
            await self._admit(scope, Headers(scope=scope))
            if scope["path"] == "/":
                # compressed it could not be cleaned; a query could ask Gradio for other pages than this one
                headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
                scope = {**scope, "headers": headers, "query_string": b""}
            elif scope["method"] == "POST":
                receive = await self._checked(scope, _Body(receive, scope, answer))
            await self.app(scope, receive, answer)
        except RefusedError as error:
            answer.refused = None
            await PlainTextResponse(str(error), error.status, error.headers)(scope, receive, answer)

    async def _admit(self, scope: Scope, headers: Headers) -> None:
        """Raise where the request is none that the page would send, or its sender may not."""
        host = headers.get("host", "")
        if self.door is None and not _is_this_machine(host):
            raise RefusedError(421, "This demo answers on its own machine only: open it as http://127.0.0.1")
        if (origin := headers.get("origin")) is not None and origin.partition("://")[2] != host:
            raise RefusedError(403, "This request comes from another page than the demo's.")
        if self.door is not None:
            await _log_in(self.door, headers, scope)
        method, path = scope["method"], scope["path"]
        route = _ROUTES.get("GET" if method == "HEAD" else method)
        if route is None or not route.fullmatch(path) or ".." in path.split("/"):
            raise RefusedError(404, "There is nothing here.")
        _, is_file, name = path.partition("/gradio_api/file=")
        if is_file and not self.uploads.holds(name):
            raise RefusedError(404, "There is no such file.")

    async def _checked(self, scope: Scope, body: "_Body") -> Receive:
        """Return what gives the body of a request that was sent, once it is known to be none to refuse."""
        if scope["path"] == "/gradio_api/upload":
            if not await anyio.to_thread.run_sync(self.uploads.has_room):
                raise RefusedError(507, "The demo has no room for another upload; try again in an hour.")
            return body
        content = b""
        while (part := await body())["type"] == "http.request":
            content += part.get("body", b"")
            if not part.get("more_body"):
                break
        self._check_files(content)
        return _replayed(content, body)

    def _check_files(self, content: bytes) -> None:
        """Raise where an event names a file that is no upload: Gradio would copy it, or fetch it from elsewhere."""
        try:
            paths = list(_paths(json.loads(content)))
        except (ValueError, RecursionError):
            raise RefusedError(400, "The request is no JSON.") from None
        if not all(isinstance(path, str) and self.uploads.holds(path) for path in paths):
            raise RefusedError(400, "The request names a file that was not uploaded.")


class _Body:
    """Gives the body of a request in parts, and refuses it where it grows too large."""

    def __init__(self, receive: Receive, scope: Scope, answer: "_Answer"):
        self.receive, self.answer, self.seen = receive, answer, 0
        self.limit, what = (
            (LARGEST_UPLOAD, "The upload is larger than {} MB in all; send fewer or smaller files.")
            if scope["path"] == "/gradio_api/upload"
            else (LARGEST_EVENT, "The request is larger than {} MB.")
        )
        self.message = what.format(self.limit // 1000**2)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > self.limit:
            raise RefusedError(413, self.message)

    async def __call__(self) -> Message:
        part = await self.receive()
        self.seen += len(part.get("body", b""))
        if self.seen > self.limit:
            self.answer.refused = RefusedError(413, self.message)
            raise self.answer.refused
        return part


class _Answer:
    """Passes an answer on with the headers of `_headers`, and Gradio's page cleaned."""

    def __init__(self, send: Send, path: str):
        self.send, self.path = send, path
        self.refused: RefusedError | None = None
        self.start: Message | None = None
        self.page = b""

    async def __call__(self, message: Message) -> None:
        if self.refused is not None:  # while Gradio was reading: its own word about that is not what is to be said
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers.update(HEADERS | {"Content-Security-Policy": policy()})
            assets = self.path.startswith("/assets/")  # named by their content
            headers.setdefault("Cache-Control", "private, max-age=86400" if assets else "no-store")
            if self.path == "/" and headers.get("content-type", "").startswith("text/html"):
                self.start = message
                return
        elif self.start is not None:
            self.page += message.get("body", b"")
            if message.get("more_body"):
                return
            page, scripts = clean(self.page.decode(), TITLE)
            headers = MutableHeaders(raw=self.start["headers"])
            headers["Content-Security-Policy"] = policy(scripts)
            headers["Content-Length"] = str(len(page.encode()))
            await self.send(self.start)
            message = {"type": "http.response.body", "body": page.encode()}
        await self.send(message)


async def _log_in(door: Door, headers: Headers, scope: Scope) -> None:
    address = scope["client"][0] if scope.get("client") else ""
    try:
        user = await door.who(headers.get("authorization"), address)
    except TooSoonError as error:
        raise RefusedError(429, str(error), {"Retry-After": str(math.ceil(error.wait))}) from None
    if user is None:
        challenge = {"WWW-Authenticate": f'Basic realm="{TITLE}", charset="UTF-8"'}
        raise RefusedError(401, "Log in to use this demo.", challenge)


def _is_this_machine(host: str) -> bool:
    """Return whether a header ``Host`` names this machine to itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _replayed(content: bytes, receive: Receive) -> Receive:
    parts: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return parts.pop() if parts else await receive()

    return replay


def _paths(value: Any) -> Iterator[Any]:
    """Yield what stands under the key path anywhere in the data of an event."""
    if isinstance(value, dict):
        if "path" in value:
            yield value["path"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _paths(item)
