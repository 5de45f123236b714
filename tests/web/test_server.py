"""The server of the demo: where it listens, what of Gradio it serves, and what is left when it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tumortrace.web import _server, add_user
from tumortrace.web._server import address, listening, serve

TOY = """
import sys
import time
from tumortrace.web import _volumes
from tumortrace.web._auth import Door, read_accounts
from tumortrace.web._server import address, listening, serve_page

def make(work):
    import gradio as gr  # late, as the demo does: it makes its temporary folder when it is imported

    with gr.Blocks() as page:
        files, names, go = gr.File(file_count="multiple"), gr.Textbox(), gr.Button()
        go.click(lambda paths: " ".join(paths), files, names)
        go.click(lambda: time.sleep(1))
    print(work, flush=True)
    return page

_volumes.MAX_BYTES = 10 * 2**20  # a limit that a test reaches soon
door = Door(read_accounts(sys.argv[1])) if sys.argv[1:] else None
with listening("127.0.0.1", 0, guarded=False) as sock:
    serve_page(make, sock, lambda: print(address(sock), flush=True), door)
print("ended")
"""


class Toy:
    """A page of one file and one button, served by a process of its own."""

    def __init__(self, folder, *arguments):
        command = [sys.executable, "-c", TOY, *map(str, arguments)]
        environment = os.environ | {"TMPDIR": str(folder)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.folder = Path(self.process.stdout.readline().strip()).parent
        self.client = httpx.Client(base_url=self.process.stdout.readline().strip())

    def click(self, path, session="a"):
        """Return what the server says to a click on the button with a file at `path`."""
        event = {"data": [[{"path": str(path), "meta": {"_type": "gradio.FileData"}}]], "fn_index": 0}
        return self.client.post("/gradio_api/queue/join", json=event | {"session_hash": session})

    def result(self, session="a"):
        """Return the line with which the click ends."""
        with self.client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as lines:
            return next(line for line in lines.iter_lines() if "process_completed" in line)

    def end(self, how):
        """Send a signal and return the exit code and what was printed."""
        self.client.close()
        self.process.send_signal(how)
        said = self.process.communicate(timeout=15)[0]
        return self.process.returncode, said


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    served = Toy(tmp_path_factory.mktemp("toy"))
    yield served
    if served.process.poll() is None:
        served.end(signal.SIGTERM)


def test_nothing_of_gradio_is_open_but_the_page(toy):
    page = toy.client.get("/")
    assert page.status_code == 200
    assert "gradio-app" in page.text
    for path in (
        "/monitoring",
        "/monitoring/summary",
        "/config",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/docs",
        "/openapi.json",
        "/robots.txt",
    ):
        assert toy.client.get(path).status_code == 404, path


def test_the_icon_is_our_own(toy):
    icon = toy.client.get("/favicon.ico")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.text.startswith("<svg")


def test_the_page_speaks_of_no_other_place_and_no_folder_of_this_one(toy):
    page = toy.client.get("/").text
    places = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+(?::\d+)?", page))
    assert places <= {f"http://127.0.0.1:{toy.client.base_url.port}"}, places
    assert str(toy.folder) not in page
    assert str(Path.home()) not in page
    settings = json.loads(re.search(r"window\.gradio_config = (.*?);</script>", page)[1])
    wanted = {"analytics_enabled": False, "footer_links": [], "run_history": False, "max_file_size": 10 * 2**20}
    assert {name: settings[name] for name in wanted} == wanted


def test_an_upload_lies_in_the_private_folder(toy):
    assert toy.folder.stat().st_mode & 0o777 == 0o700
    (path,) = toy.client.post("/gradio_api/upload", files={"files": ("../../a b.txt", b"hello")}).json()
    assert Path(path).is_relative_to(toy.folder / "uploads")
    assert toy.client.get(f"/gradio_api/file={path}").content == b"hello"
    assert toy.click(path).status_code == 200
    assert "a b.txt" in toy.result()


def test_too_large_a_file_is_refused(toy):
    answer = toy.client.post("/gradio_api/upload", files={"files": ("a.png", b"x" * 20_000_000)})
    assert answer.status_code == 413
    assert answer.text == "File size exceeded maximum allowed size of 10485760 bytes."
    assert not [path for path in (toy.folder / "uploads").rglob("*") if path.is_file() and path.stat().st_size > 99]


def test_no_other_file_is_read(toy):
    for path in ("/etc/passwd", __file__, f"{toy.folder}/uploads/../../a", "http://example.org/a"):
        assert toy.client.get(f"/gradio_api/file={path}").status_code == 404
        assert toy.click(path).status_code == 400


def test_a_full_queue_says_so(toy):
    # the last test of this page: it leaves it busy
    def ask(session):
        event = {"data": [], "fn_index": 1, "session_hash": session}
        return toy.client.post("/gradio_api/queue/join", json=event)

    answers = [ask(f"person{number}") for number in range(80)]
    assert {answer.status_code for answer in answers} == {200, 503}
    full = next(answer for answer in answers if answer.status_code == 503)
    assert full.json()["detail"] == "Queue is full. Max size is 64 and size is 64."
    assert sum(answer.status_code == 200 for answer in answers) < 64 + 16


def test_with_accounts_nothing_is_seen_without_a_log_in(tmp_path):
    accounts = add_user(tmp_path / "accounts", "ada", "a long sentence")
    folder = tmp_path / "tmp"
    folder.mkdir()
    toy = Toy(folder, accounts)
    for path in ("/", "/theme.css", "/gradio_api/heartbeat/a", "/gradio_api/queue/data?session_hash=a"):
        assert toy.client.get(path).status_code == 401, path
    assert toy.client.post("/gradio_api/upload", files={"files": ("a.txt", b"hello")}).status_code == 401
    toy.client.auth = ("ada", "a long sentence")
    assert "gradio-app" in toy.client.get("/").text
    (path,) = toy.client.post("/gradio_api/upload", files={"files": ("a.txt", b"hello")}).json()
    assert toy.click(path).status_code == 200
    assert "a.txt" in toy.result()
    assert toy.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_at_the_end_nothing_is_left(tmp_path, how):
    toy = Toy(tmp_path)
    toy.client.post("/gradio_api/upload", files={"files": ("a.txt", b"hello")})
    assert toy.folder.is_dir()
    with httpx.stream("GET", f"{toy.client.base_url}/gradio_api/heartbeat/a"):  # an open page does not keep it
        assert toy.end(how) == (0, "ended\n")
    assert list(tmp_path.iterdir()) == []


def test_the_server_listens_on_this_machine_only():
    with listening("127.0.0.1", 0, guarded=False) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert address(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "8.8.8.8"])
def test_an_address_that_others_reach_needs_accounts(host):
    with pytest.raises(ValueError, match=r"which others can reach; give a file of accounts \(--auth-file\)"):
        serve(host=host)


def test_with_accounts_the_server_may_listen_further():
    with listening("0.0.0.0", 0, guarded=True) as sock:
        assert address(sock) == f"http://{socket.gethostname()}:{sock.getsockname()[1]}"


def test_a_taken_port_is_said_and_by_default_the_next_is_used(monkeypatch):
    monkeypatch.setattr(_server, "_PORTS", 3)
    with listening("127.0.0.1", 0, guarded=False) as first:
        taken = first.getsockname()[1]
        monkeypatch.setattr(_server, "FIRST_PORT", taken)
        with (
            pytest.raises(ValueError, match=f"port {taken}: Address already in use; give another"),
            listening("127.0.0.1", taken, guarded=False),
        ):
            pass
        with listening("127.0.0.1", None, guarded=False) as second:
            assert taken < second.getsockname()[1] <= taken + 2


@pytest.mark.parametrize(("host", "port"), [("no such host.", 0), ("127.0.0.1", 65536), ("127.0.0.1", -1)])
def test_wrong_hosts_and_ports_are_named(host, port):
    with pytest.raises(ValueError, match=r"(host|port) is "), listening(host, port, guarded=False):
        pass


def test_gradio_by_itself_would_refuse_other_files_too(tmp_path):
    code = f"""
import os
from pathlib import Path
from tumortrace.web import _server
from tumortrace.web._uploads import Uploads
os.environ |= _server._ENVIRONMENT | {{"GRADIO_TEMP_DIR": {str(tmp_path)!r}}}
import gradio
from starlette.testclient import TestClient
with gradio.Blocks() as page:
    file, name, go = gradio.File(), gradio.Textbox(), gradio.Button()
    go.click(lambda path: path, file, name)
past_the_gate = _server._behind_gate(page, Uploads(Path({str(tmp_path)!r})), None).app
data = [{{"path": {__file__!r}, "meta": {{"_type": "gradio.FileData"}}}}]
with TestClient(past_the_gate) as client:
    client.post("/gradio_api/queue/join", json={{"data": data, "fn_index": 0, "session_hash": "a"}})
    print(client.get("/gradio_api/queue/data?session_hash=a").text)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '"success":false' in done.stdout
    assert "it was not uploaded by a user" in done.stderr
    assert not list(tmp_path.rglob(Path(__file__).name))
