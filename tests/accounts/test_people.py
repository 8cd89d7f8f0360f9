"""The file of people: what is kept of a password, who is let in, and the command that writes it."""

import io
import os
import stat

import pytest

from deftx.accounts.people import EMPTY, NOBODY, People, Person, hashed, matches, put_person, read_people, remove_person
from deftx.cli import main
from deftx.core.errors import DeftxError

PASSWORD = "a tale of two rivers"


def test_a_password_is_kept_as_a_salted_hash_alone(tmp_path):
    path = tmp_path / "people"
    put_person(path, "ana", PASSWORD, "admin")
    text = path.read_text()
    assert PASSWORD not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    name, secret, role = text.strip().split(":")
    assert (name, role) == ("ana", "admin")
    assert matches(PASSWORD, secret)
    assert not matches(PASSWORD + " ", secret)
    assert hashed(PASSWORD) != secret  # another salt every time


def test_the_hash_is_scrypt_as_rfc_7914_has_it():
    salt, kept = b"NaCl".hex(), ("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                                 "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")  # fmt: skip
    assert matches("password", f"scrypt$1024$8$16${salt}${kept}")
    for damaged in ("", "scrypt$1024$8$16$$", "md5$1$1$1$aa$aa", f"scrypt$1073741824$8$1${salt}${kept}"):
        assert not matches("password", damaged)


def test_people_are_let_in_by_name_and_password_and_the_file_is_read_anew(tmp_path):
    path = tmp_path / "people"
    put_person(path, "ana", PASSWORD)
    put_person(path, "vic", PASSWORD + "!", "visitor")
    people = People(path)
    assert people.check("ana", PASSWORD)
    assert not people.check("vic", PASSWORD)
    assert not people.check("nobody", PASSWORD)
    assert people.find("ana") == Person("ana", "member")
    assert people.find("vic").role == "visitor"
    assert people.find(None) is people.find("Ana") is None
    remove_person(path, "vic")
    assert people.find("vic") is None
    before = people.secret("ana")
    put_person(path, "ana", "quite another one")
    assert not people.check("ana", PASSWORD)
    assert people.secret("ana") not in (None, before)
    assert people.secret("vic") is None


def test_only_admins_share_a_room():
    assert Person("root", "admin").workspace == ""
    assert Person("ana", "member").workspace == "ana"
    assert NOBODY.workspace == EMPTY


@pytest.mark.parametrize("name", ["", "..", "a/b", "Ana", "a:b", ".visitors", "-a", "a" * 41, "a\n"])
def test_a_name_that_cannot_be_a_folders_is_refused(tmp_path, name):
    with pytest.raises(DeftxError, match="not allowed as a name"):
        put_person(tmp_path / "people", name, PASSWORD)


def test_what_cannot_be_read_is_refused_with_the_line(tmp_path):
    path = tmp_path / "people"
    with pytest.raises(DeftxError, match="DEFTX_AUTH"):
        People(path)
    path.write_text("# nobody yet\n")
    with pytest.raises(DeftxError, match="contains no users"):
        People(path)
    for line in (f"ana:{PASSWORD}:admin", "ana", f"ana:{hashed(PASSWORD)}:king"):
        path.write_text(f"\n{line}\n")
        with pytest.raises(DeftxError, match="Line 2") as error:
            read_people(path)
        assert PASSWORD not in str(error.value)


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe bad", b"eve:no-hash:member", b"ana:again", b"eve:scrypt$3$8$5$aa$bb:member", b"eve", b"\0"]
)
def test_a_file_that_is_damaged_while_it_is_used_changes_nothing_and_says_which_line(tmp_path, caplog, damage):
    path = tmp_path / "people"
    put_person(path, "ana", PASSWORD)
    people, good = People(path), path.read_bytes()
    path.write_bytes(good + damage + b"\n")
    assert people.find("ana")
    assert people.check("ana", PASSWORD)
    assert "Line 2" in people.problem
    assert [record.event for record in caplog.records] == ["people_file"]  # once, not at every request
    with pytest.raises(DeftxError, match="Line 2"):
        People(path)
    path.write_bytes(good)
    put_person(path, "bob", PASSWORD)
    assert people.find("bob")
    assert people.problem == ""


def test_a_file_that_is_gone_or_cannot_be_read_changes_nothing(tmp_path):
    path = tmp_path / "people"
    put_person(path, "ana", PASSWORD)
    people = People(path)
    path.unlink()
    assert people.find("ana")
    assert "cannot be read" in people.problem
    path.mkdir()
    assert people.find("ana")
    path.rmdir()
    put_person(path, "bob", PASSWORD)
    assert people.find("bob")
    assert people.find("ana") is None


def test_the_command_adds_lists_and_removes(tmp_path, monkeypatch, capsys):
    path = tmp_path / "people"
    monkeypatch.setenv("DEFTX_AUTH", str(path))
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert main(["people", "add", "ana", "--admin"]) == 0
    assert "ana  admin" in capsys.readouterr().out
    assert People(path).check("ana", PASSWORD)
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["people", "add", "bob"]) == 2
    assert "10 characters" in capsys.readouterr().err
    assert main(["people", "remove", "bob"]) == 2
    assert main(["people", "remove", "ana"]) == 0
    assert os.path.getsize(path) == 0
