"""The demo's server: on this machine only, private, bounded, and silent towards everywhere else."""

import ipaddress
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumortrace import _check

if TYPE_CHECKING:
    import gradio

    from tumortrace.web._auth import Door
    from tumortrace.web._gate import Gate
    from tumortrace.web._uploads import Uploads

NOTICE = "Research use only, no medical device."
FIRST_PORT = 7860
_PORTS = 100
_WAITING = 64  # events of all users
_AT_ONCE = 2
_SESSIONS = 64  # of which the page remembers what was uploaded
_CONNECTIONS = 256
_ENVIRONMENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",  # who asked what when, which the monitoring page would show
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_MCP_SERVER": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


def serve(
    models: Sequence[str | os.PathLike[str]] = (),
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    auth_file: str | os.PathLike[str] | None = None,
    flag_folder: str | os.PathLike[str] | None = None,
    own_folder: str | os.PathLike[str] | None = None,
    backbones: Sequence[str] = ("resnet8",),
    open_browser: bool = False,
    say: Callable[[str], object] = print,
) -> None:
    """Serve the demo's page until the process is interrupted or told to end.

    Nothing leaves the machine: no share link, no analytics, no font or script from elsewhere. What is uploaded lies
    in a temporary folder that only this user can read, and is removed within the hour and at the end.

    Parameters
    ----------
    models : sequence of path
        Folders of models, or folders that hold such folders. By default the demo's own, trained on synthetic
        lesions at the first start.
    host : str, default "127.0.0.1"
        The address to listen on. Any but one of this machine to itself needs `auth_file`.
    port : int, optional
        By default 7860 or, where that is taken, the next one that is free.
    auth_file : path, optional
        A file of accounts as `add_user` writes it, readable by its owner only; who is not in it sees nothing.
    flag_folder : path, optional
        Where answers that users flag are written, with their images. By default users cannot flag.
    own_folder : path, optional
        Where the demo's own models are kept, by default in the user's cache.
    backbones : sequence of str, default ("resnet8",)
        Networks of the demo's own models of one crop.
    open_browser : bool, default False
        Open the page once it is served.
    say : callable, default print
        What is told line by line.

    Raises
    ------
    ValueError
        If the host is not this machine's, or reaches beyond it without `auth_file`, or the port is taken.
    """
    from tumortrace.web._auth import Door, read_accounts

    door = None if auth_file is None else Door(read_accounts(auth_file))
    flags = None if flag_folder is None else Path(flag_folder)
    if flags is not None:
        flags.mkdir(parents=True, exist_ok=True)
    with listening(host, port, guarded=door is not None) as sock:
        from tumortrace.web._examples import examples
        from tumortrace.web._own import own_models
        from tumortrace.web._shelf import open_shelf

        say(f"tumortrace demo. {NOTICE}")
        shelf = open_shelf(models) if models else own_models(own_folder, backbones=backbones, say=say)
        for notice in shelf.notices:
            say(notice)

        def make(workplace: Path) -> "gradio.Blocks":
            from tumortrace.web._page import build

            shown = shelf if shelf.examples else replace(shelf, examples=examples(workplace / "examples"))
            return build(shown, flag_folder=flags, workplace=workplace)

        def ready() -> None:
            say(f"{address(sock)}  is the page; Ctrl+C ends it")
            # loaded while somebody looks for an image: the first answer need not wait for torch
            threading.Thread(target=lambda: next(iter(shelf)).model, daemon=True).start()
            if open_browser:
                webbrowser.open(address(sock))

        serve_page(make, sock, ready, door)
    say("ended; what was uploaded is removed")


def serve_page(
    make: "Callable[[Path], gradio.Blocks]",
    sock: socket.socket,
    ready: Callable[[], object],
    door: "Door | None" = None,
) -> None:
    """Serve a page of Gradio, with all that it does not need shut, until SIGINT or SIGTERM comes.

    Parameters
    ----------
    make : callable
        Returns the page, given a private folder for its work, which is removed at the end.
    sock : socket
        That `listening` opened.
    ready : callable
        Is called once the page is served.
    door : Door, optional
        Who may log in.
    """
    from tumortrace.web._uploads import Uploads, private_folder

    with _ended_as_interrupted(), private_folder() as folder:
        uploads, work = folder / "uploads", folder / "work"
        for made in (uploads, work):
            made.mkdir()
        os.environ |= _ENVIRONMENT | {"GRADIO_TEMP_DIR": str(uploads)}  # said before Gradio is imported
        _run(_behind_gate(make(work), Uploads(uploads), door), sock, ready)


def _behind_gate(page: "gradio.Blocks", uploads: "Uploads", door: "Door | None") -> "Gate":
    """Return the application that serves a page."""
    import fastapi
    import gradio

    from tumortrace.web._gate import Gate
    from tumortrace.web._look import launch_options
    from tumortrace.web._volumes import MAX_BYTES

    page.analytics_enabled = False
    page.state_session_capacity = _SESSIONS
    for (
        event
    ) in page.fns.values():  # Gradio takes from several queues in random order; one keeps that of the clicks
        event.concurrency_id = "page"
    page.queue(max_size=_WAITING, default_concurrency_limit=_AT_ONCE, api_open=False)
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        allowed_paths=[],
        favicon_path=str(Path(__file__).with_name("page") / "favicon.svg"),
        max_file_size=MAX_BYTES,  # of a volume; a picture may have less, which its reader says
        show_error=False,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        **launch_options(),
    )
    # Gradio checks the paths of files in events only once a page is launched; this one is mounted
    page.has_launched = True
    return Gate(app, uploads, door)


def _run(gate: "Gate", sock: socket.socket, ready: Callable[[], object]) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    config = uvicorn.Config(
        gate,
        ws="none",
        log_level="critical",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=1,
    )
    try:
        Server(config).run(sockets=[sock])
    except KeyboardInterrupt:  # how a server ends
        return


@contextmanager
def listening(host: str, port: int | None, *, guarded: bool) -> Iterator[socket.socket]:
    """Open the socket of a server, so that nobody else takes the port while models are trained.

    Raises
    ------
    ValueError
        If `host` is no address of this machine, or others reach it and there is no log-in (`guarded`), or the port
        is taken.
    """
    if port is not None:
        _check.integer("port", port, 0, 65535)
    try:
        family, _, _, _, found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise ValueError(f"host is {host!r}; give an address or a name of this machine") from None
    if not (guarded or ipaddress.ip_address(str(found[0]).partition("%")[0]).is_loopback):
        raise ValueError(
            f"host is {host!r}, which others can reach; give a file of accounts (--auth-file) so that they have to "
            "log in, or leave the host out to serve this machine only"
        )
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        if os.name == "posix":  # a port that a server has just left is free again
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for candidate in range(FIRST_PORT, FIRST_PORT + _PORTS) if port is None else [port]:
            try:
                sock.bind((found[0], candidate, *found[2:]))
                sock.listen(socket.SOMAXCONN)
            except OSError as error:
                problem = error
            else:
                break
        else:
            taken = f"{FIRST_PORT} to {FIRST_PORT + _PORTS - 1}" if port is None else str(port)
            raise ValueError(f"{host}, port {taken}: {problem.strerror}; give another --host or --port") from None
        yield sock


def address(sock: socket.socket) -> str:
    """Return what to type into a browser to reach a listening socket."""
    name, port = sock.getsockname()[:2]
    if ipaddress.ip_address(name.partition("%")[0]).is_unspecified:
        name = socket.gethostname()
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Treat SIGTERM as Ctrl+C inside, so that what is temporary is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
