"""The command demo: what it passes on, what it refuses, and how accounts are made."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tumortrace import web
from tumortrace.cli import _demo, main

PASSWORD = "a long sentence"


@pytest.fixture
def served(monkeypatch):
    """What `serve` was called with, instead of serving."""
    calls = []
    monkeypatch.setattr(web, "serve", lambda models, **options: calls.append((models, options | {"say": None})))
    return calls


def type_in(monkeypatch, *passwords):
    typed = iter(passwords)
    monkeypatch.setattr(_demo, "getpass", lambda prompt: next(typed))


def test_by_default_the_page_is_served_to_this_machine_with_nothing_else_open(served):
    assert main(["demo"]) == 0
    ((models, options),) = served
    assert models == []
    assert options == {
        "host": "127.0.0.1",
        "port": None,
        "auth_file": None,
        "flag_folder": None,
        "own_folder": None,
        "backbones": ["resnet8"],
        "open_browser": False,
        "say": None,
    }


def test_what_is_typed_is_passed_on(served):
    typed = "demo a b --host ::1 --port 8000 --auth-file accounts --flag flags --open"
    assert main(typed.split()) == 0
    ((models, options),) = served
    assert models == [Path("a"), Path("b")]
    assert options == {
        "host": "::1",
        "port": 8000,
        "auth_file": Path("accounts"),
        "flag_folder": Path("flags"),
        "own_folder": None,
        "backbones": ["resnet8"],
        "open_browser": True,
        "say": None,
    }
    assert main(["demo", "--backbones", "resnet8, vgg16", "--folder", "own"]) == 0
    assert served[1][1]["backbones"] == ["resnet8", "vgg16"]
    assert served[1][1]["own_folder"] == Path("own")


@pytest.mark.parametrize("option", [["--backbones", "vgg16"], ["--folder", "own"]])
def test_options_of_the_own_models_do_not_go_with_others(served, capsys, option):
    assert main(["demo", "model", *option]) == 2
    assert "leave them out, or the MODELs" in capsys.readouterr().err
    assert served == []


def test_an_address_that_others_reach_is_refused_without_accounts(capsys):
    assert main(["demo", "--host", "0.0.0.0"]) == 1
    said = capsys.readouterr()
    assert "which others can reach; give a file of accounts (--auth-file)" in said.err
    assert said.out == ""


def test_a_taken_port_is_said_before_any_work(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 1
    assert f"port {port}: Address already in use" in capsys.readouterr().err


def test_a_user_is_added_and_no_page_served(served, tmp_path, monkeypatch, capsys):
    type_in(monkeypatch, PASSWORD, PASSWORD)
    path = tmp_path / "accounts"
    assert main(["demo", "--add-user", "ada", "--auth-file", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: ada may log in\n"
    assert path.read_text().startswith("ada:scrypt$")
    assert served == []


def test_a_user_needs_a_file_and_the_same_password_twice(tmp_path, monkeypatch, capsys):
    assert main(["demo", "--add-user", "ada"]) == 2
    assert "--add-user needs --auth-file" in capsys.readouterr().err
    type_in(monkeypatch, PASSWORD, "another sentence")
    path = tmp_path / "accounts"
    assert main(["demo", "--add-user", "ada", "--auth-file", str(path)]) == 2
    assert "the two passwords differ; nothing is written" in capsys.readouterr().err
    assert not path.exists()


def test_the_help_loads_no_gradio():
    code = (
        "import sys; from tumortrace.cli import main\n"
        "try: main(['demo', '--help'])\n"
        "except SystemExit: print('gradio' in sys.modules, 'torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "False False"
    assert "this machine only" in printed
