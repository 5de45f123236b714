"""Accounts of the demo: how they are kept, and that guessing does not hurry."""

import base64
import os

import anyio
import pytest

from tumortrace.web import _auth
from tumortrace.web._auth import Door, TooSoonError, add_user, is_right, read_accounts

PASSWORD = "a long sentence"


@pytest.fixture(autouse=True, scope="module")
def cheap():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_auth._SCRYPT, "n", 2**10)
        yield


@pytest.fixture(scope="module")
def hashed(cheap, tmp_path_factory):
    return read_accounts(add_user(tmp_path_factory.mktemp("accounts") / "accounts", "ada", PASSWORD))["ada"]


def header(name, password):
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def who(door, sent, address="10.0.0.1"):
    return anyio.run(door.who, sent, address)


def test_a_file_keeps_a_salted_hash_and_is_the_owners_alone(tmp_path):
    path = add_user(tmp_path / "accounts", "ada", PASSWORD)
    add_user(path, "grace", PASSWORD)
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert PASSWORD not in text
    accounts = read_accounts(path)
    assert list(accounts) == ["ada", "grace"]
    assert accounts["ada"] != accounts["grace"]  # the same password, another salt
    assert [p.name for p in tmp_path.iterdir()] == ["accounts"]


def test_a_new_password_replaces_the_old_one(tmp_path):
    path = tmp_path / "accounts"
    add_user(path, "ada", PASSWORD)
    add_user(path, "ada", "another sentence")
    accounts = read_accounts(path)
    assert list(accounts) == ["ada"]
    assert is_right(accounts["ada"], "another sentence")
    assert not is_right(accounts["ada"], PASSWORD)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
@pytest.mark.skipif(os.name != "posix", reason="the bits of a file's mode are those of POSIX")
def test_a_file_that_others_can_open_is_refused(tmp_path, mode):
    path = add_user(tmp_path / "accounts", "ada", PASSWORD)
    path.chmod(mode)
    with pytest.raises(ValueError, match="others than its owner can read or write it; run chmod 600"):
        read_accounts(path)


def test_no_file_no_account_and_no_hash_are_errors_that_say_what_to_do(tmp_path, hashed):
    path = tmp_path / "accounts"
    with pytest.raises(FileNotFoundError, match="--add-user"):
        read_accounts(path)
    path.touch(0o600)
    with pytest.raises(ValueError, match="holds no account"):
        read_accounts(path)
    weak = hashed.replace("$1024$", "$1000$")  # no power of two
    greedy = hashed.replace("$1024$", f"${2**30}$")
    for line in (
        "ada:a long sentence",
        "ada",
        f":{hashed}",
        "ada:scrypt$1$2$3$zz$zz",
        f"ada:{weak}",
        f"ada:{greedy}",
    ):
        path.write_text(f"grace:{hashed}\n{line}\n")
        with pytest.raises(ValueError, match="line 2 is no account"):
            read_accounts(path)


@pytest.mark.parametrize("name", ["", " ada", "a:b", "a\nb", "a" * 65])
def test_names_that_a_line_cannot_hold_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="the name is"):
        add_user(tmp_path / "accounts", name, PASSWORD)
    assert not list(tmp_path.iterdir())


def test_short_passwords_are_refused(tmp_path):
    with pytest.raises(ValueError, match="11 characters; give at least 12"):
        add_user(tmp_path / "accounts", "ada", "x" * 11)


def test_the_door_knows_who_comes_and_hashes_once(hashed, monkeypatch):
    door, calls = Door({"ada": hashed}), []
    monkeypatch.setattr(_auth, "is_right", lambda *given: calls.append(given) or is_right(*given))
    for _ in range(3):
        assert who(door, header("ada", PASSWORD)) == "ada"
    assert calls == [(hashed, PASSWORD)]


@pytest.mark.parametrize("sent", [None, "", "Basic", "Basic !!!", "Basic YWRh", "Bearer YWRhOmE=", "Basic /w=="])
def test_what_is_no_log_in_is_nobody_and_does_not_count_as_one(hashed, sent):
    door = Door({"ada": hashed})
    for _ in range(2):
        assert who(door, sent) is None


def test_a_failed_log_in_makes_the_next_one_wait_longer_each_time(hashed, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(_auth.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_auth, "is_right", lambda hashed, password: password == PASSWORD)
    door = Door({"ada": hashed})
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):
        assert who(door, header("ada", "wrong")) is None
        now[0] += wait - 0.01
        with pytest.raises(TooSoonError, match="wait"):  # even with the right one: guessing tells nothing
            who(door, header("ada", PASSWORD))
        now[0] += 0.02
    assert who(door, header("ada", PASSWORD)) == "ada"
    assert who(door, header("ada", "wrong")) is None  # counted from the start again
    now[0] += 1.01
    assert who(door, header("ada", PASSWORD)) == "ada"


def test_another_address_and_another_name_need_not_wait(hashed, monkeypatch):
    monkeypatch.setattr(_auth, "is_right", lambda hashed, password: password == PASSWORD)
    door = Door({"ada": hashed, "grace": hashed})
    assert who(door, header("ada", "wrong")) is None
    assert who(door, header("ada", PASSWORD), "10.0.0.2") == "ada"
    assert who(door, header("grace", PASSWORD)) == "grace"


def test_a_name_that_nobody_has_is_checked_like_any_other(hashed, monkeypatch):
    calls = []
    monkeypatch.setattr(_auth, "is_right", lambda *given: calls.append(given) or True)
    door = Door({"ada": hashed})
    assert who(door, header("nobody", PASSWORD)) is None
    assert [given[0].split("$")[:4] for given in calls] == [hashed.split("$")[:4]]  # as dear as a real one
    assert calls[0][0] != hashed


def test_what_is_remembered_is_bounded(hashed, monkeypatch):
    monkeypatch.setattr(_auth, "is_right", lambda hashed, password: False)
    monkeypatch.setattr(_auth, "_REMEMBERED", 5)
    door = Door({"ada": hashed})
    for number in range(20):
        who(door, header(f"user{number}", "wrong"))
    assert len(door._failed) == 5
