"""The gate in front of the page: what comes through, and what its answers carry."""

import os
import re
import time

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from tumortrace.web import _auth, _gate, _uploads
from tumortrace.web._auth import Door
from tumortrace.web._gate import Gate
from tumortrace.web._headers import clean, policy
from tumortrace.web._uploads import Uploads, private_folder

EVENT = "/gradio_api/queue/join"
UPLOAD = "/gradio_api/upload"


async def behind(request):
    """Answer whatever comes through: this is not Gradio."""
    if request.url.path == "/":
        return HTMLResponse("<html><head><script>run()</script></head></html>")
    body = await request.body()
    return PlainTextResponse(f"through: {request.url.query} {len(body)}")


@pytest.fixture
def uploads(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    return Uploads(folder)


def ask(uploads, method, path, *, door=None, host="127.0.0.1:7860", **more):
    """Return the answer to one request that goes through the gate."""
    app = Starlette(routes=[Route("/{path:path}", behind, methods=["GET", "HEAD", "POST", "PUT"])])

    async def once():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Gate(app, uploads, door))) as client:
            headers = {"host": host} | more.pop("headers", {})
            return await client.request(method, f"http://server{path}", headers=headers, **more)

    return anyio.run(once)


@pytest.mark.parametrize(
    "path",
    ["/theme.css", "/assets/index-x.js", "/static/fonts/a.woff2", "/gradio_api/heartbeat/ab1", "/favicon.ico"],
)
def test_what_the_page_needs_comes_through(uploads, path):
    answer = ask(uploads, "GET", path)
    assert (answer.status_code, answer.text[:7]) == (200, "through")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/config"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/gradio_api/proxy=http://example.org"),
        ("GET", "/gradio_api/vibe-code"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/call/predict"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/login"),
        ("POST", "/"),
        ("PUT", UPLOAD),
        ("GET", "/assets/../monitoring"),
        ("GET", "/static/..%2f..%2fetc/passwd"),
        ("GET", "/assets/%2e%2e/%2e%2e/secret"),
    ],
)
def test_everything_else_is_shut(uploads, method, path):
    answer = ask(uploads, method, path)
    assert (answer.status_code, answer.text) == (404, "There is nothing here.")


def test_files_are_those_of_the_folder(uploads, tmp_path):
    inside, outside = uploads.folder / "a.csv", tmp_path / "secret"
    inside.write_text("a")
    outside.write_text("b")
    (uploads.folder / "link").symlink_to(outside)
    assert ask(uploads, "GET", f"/gradio_api/file={inside}").status_code == 200
    for name in (
        outside,
        "/etc/passwd",
        f"{uploads.folder}/../secret",
        f"{uploads.folder}/link",
        f"{uploads.folder}-other/a",
        "a.csv",
        "http://example.org/a.csv",
        "%00",
    ):
        answer = ask(uploads, "GET", f"/gradio_api/file={name}")
        assert answer.status_code == 404, name


def test_events_name_files_of_the_folder_only(uploads, tmp_path):
    def event(path):
        return {"data": [1, [{"path": path, "meta": {"_type": "gradio.FileData"}}]], "fn_index": 0}

    (uploads.folder / "a.png").write_text("a")
    assert ask(uploads, "POST", EVENT, json=event(f"{uploads.folder}/a.png")).text == "through:  " + str(
        len(httpx.Request("POST", "http://a", json=event(f"{uploads.folder}/a.png")).content)
    )
    for path in (
        "/etc/passwd",
        f"{uploads.folder}/../secret",
        "http://example.org/a.png",
        "a.png",
        None,
        3,
        ["/a"],
    ):
        answer = ask(uploads, "POST", EVENT, json=event(path))
        assert (answer.status_code, answer.text) == (400, "The request names a file that was not uploaded."), path


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_events_are_json(uploads, content):
    answer = ask(uploads, "POST", EVENT, content=content)
    assert (answer.status_code, answer.text) == (400, "The request is no JSON.")


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "localhost:1", "[::1]:7860", "127.0.0.9"])
def test_this_machine_is_answered_by_each_of_its_names(uploads, host):
    assert ask(uploads, "GET", "/theme.css", host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1.example.org:7860", "192.168.0.2", "[", "", "localhost."]
)
def test_a_name_that_was_made_to_point_here_gets_nothing(uploads, host):
    answer = ask(uploads, "GET", "/", host=host)
    assert (answer.status_code, answer.text[:45]) == (421, "This demo answers on its own machine only: op")


def test_requests_of_other_pages_are_refused(uploads):
    assert ask(uploads, "GET", "/theme.css", headers={"origin": "http://127.0.0.1:7860"}).status_code == 200
    for origin in ("http://example.org", "null", "http://127.0.0.1:9999", "http://localhost:7860"):
        answer = ask(uploads, "POST", UPLOAD, headers={"origin": origin})
        assert (answer.status_code, answer.text) == (403, "This request comes from another page than the demo's.")


def test_too_large_uploads_and_events_are_refused_in_words(uploads, monkeypatch):
    monkeypatch.setattr(_gate, "LARGEST_UPLOAD", 2_000_000)
    monkeypatch.setattr(_gate, "LARGEST_EVENT", 1_000_000)

    async def parts(count):
        for _ in range(count):
            yield b"x" * 100_000

    for content in (b"x" * 2_000_001, parts(21)):  # of a length that is told, and one that is not
        answer = ask(uploads, "POST", UPLOAD, content=content)
        said = "The upload is larger than 2 MB in all; send fewer or smaller files."
        assert (answer.status_code, answer.text) == (413, said)
    assert ask(uploads, "POST", UPLOAD, content=parts(20)).text == "through:  2000000"
    answer = ask(uploads, "POST", EVENT, content=parts(11))
    assert (answer.status_code, answer.text) == (413, "The request is larger than 1 MB.")


def test_a_full_folder_takes_no_more_and_is_emptied_with_time(uploads, monkeypatch):
    monkeypatch.setattr(_uploads, "LARGEST_FOLDER", 10)
    kept = uploads.folder / "of the page"
    kept.write_bytes(b"x")
    os.utime(kept, (1, 1))  # lay there before the server began
    late, early = uploads.folder / "late", uploads.folder / "sub" / "early"
    early.parent.mkdir()
    early.write_bytes(b"x" * 20)
    late.write_bytes(b"x" * 5)
    answer = ask(uploads, "POST", UPLOAD)
    said = "The demo has no room for another upload; try again in an hour."
    assert (answer.status_code, answer.text) == (507, said)
    monkeypatch.setattr(uploads, "_since", time.time() - 8000)
    os.utime(early, (time.time() - 3700,) * 2)
    assert ask(uploads, "POST", UPLOAD).status_code == 200
    assert [path.exists() for path in (kept, early, late)] == [True, False, True]


def test_the_private_folder_is_the_owners_and_goes():
    with private_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "a").write_text("a")
    assert not folder.exists()


def test_the_page_is_asked_for_without_a_query(uploads):
    seen = []

    async def page(scope, receive, send):
        seen.append(scope)
        await HTMLResponse("<head></head>")(scope, receive, send)

    async def once():
        transport = httpx.ASGITransport(Gate(page, uploads))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get("http://localhost/?deep_link=x&view=api")

    assert anyio.run(once).status_code == 200
    assert seen[0]["query_string"] == b""


def test_who_has_not_logged_in_sees_nothing(uploads, monkeypatch):
    monkeypatch.setattr(_auth, "is_right", lambda hashed, password: (hashed, password) == ("hash", "secret"))
    door = Door({"ada": "hash"})
    for path in ("/", "/theme.css", "/assets/a.js", "/monitoring", "/gradio_api/file=/etc/passwd"):
        answer = ask(uploads, "GET", path, door=door, host="demo.example.org")
        assert (answer.status_code, answer.text) == (401, "Log in to use this demo.")
        assert answer.headers["www-authenticate"] == 'Basic realm="tumortrace demo", charset="UTF-8"'
    inside = ask(uploads, "GET", "/theme.css", door=door, host="demo.example.org", auth=("ada", "secret"))
    assert inside.text[:7] == "through"
    assert ask(uploads, "GET", "/", door=door, auth=("ada", "wrong")).status_code == 401
    soon = ask(uploads, "GET", "/", door=door, auth=("ada", "other"))
    assert (soon.status_code, soon.headers["retry-after"]) == (429, "1")
    assert soon.text == "too many failed log-ins: wait 1 s and try again"


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/theme.css", 200), ("/config", 404), (EVENT, 404)])
def test_every_answer_carries_the_headers(uploads, path, status):
    answer = ask(uploads, "GET", path)
    assert answer.status_code == status
    expected = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in rules["script-src"]
    assert not re.search(r"https?:|\*", answer.headers["content-security-policy"])


def test_the_scripts_in_the_page_run_and_no_others():
    # the digest of "run()", by: printf 'run()' | openssl dgst -sha256 -binary | base64
    known = "sha256-AvyuiL0SD1mVY3NNxR+V2uo+lhk6RMFrytWmRt6CrJQ="
    page, scripts = clean("<head><script>run()</script><script src='a.js'></script></head>", "a title")
    assert scripts == ("run()",)
    assert f"'{known}'" in policy(scripts)
    assert page == "<head><script>run()</script><script src='a.js'></script><title>a title</title>\n</head>"


def test_assets_are_kept_by_the_browser(uploads):
    assert ask(uploads, "GET", "/assets/index-x.js").headers["cache-control"] == "private, max-age=86400"
