"""The settings of hosting: their variables, what they refuse, and that all of them are documented."""

from dataclasses import fields
from pathlib import Path

import pytest

from deftx.core.errors import DeftxError
from deftx.core.hosting import Hosting, hosting_from, in_space, on_zero_gpu, space_hosts

DOCS = Path(__file__).resolve().parents[2] / "docs" / "people.md"


def test_nothing_said_is_the_default_and_nobody_logs_in():
    assert hosting_from({}) == Hosting()
    assert Hosting().people_file == ""


def test_every_setting_has_a_variable_that_is_documented_with_its_default():
    text = DOCS.read_text(encoding="utf-8")
    for one in fields(Hosting):
        default = {False: "0", (): "", "": ""}.get(one.default, f"{one.default:.9g}" if one.default else "")
        assert f"| `{one.metadata['variable']}` | {default} |".replace("|  |", "| |") in text


def test_settings_are_read():
    found = hosting_from({"DEFTX_ADMINS": "Ana, bob", "DEFTX_VISITORS_TRAIN": "yes", "DEFTX_JOB_HOURS": "0.5"})
    assert (found.admins, found.visitors_train, found.job_hours) == (("ana", "bob"), True, 0.5)


@pytest.mark.parametrize(("variable", "value"), [("DEFTX_VISITORS_TRAIN", "perhaps"), ("DEFTX_JOB_HOURS", "-1"),
                                                 ("DEFTX_CORPUS_MB", "many"), ("DEFTX_JOB_HOURS", "inf"),
                                                 ("DEFTX_JOB_HOURS", "nan")])  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(variable, value):
    with pytest.raises(DeftxError, match=variable):
        hosting_from({variable: value})


def test_a_space_is_known_by_its_names_and_nothing_else_is_one():
    space = {"SPACE_ID": "a/b", "SPACE_HOST": "A-b.hf.space, studio.example ,"}
    assert in_space(space)
    assert space_hosts(space) == ("a-b.hf.space", "studio.example")
    assert not in_space({"SPACE_HOST": "a-b.hf.space"})
    assert [on_zero_gpu({"SPACES_ZERO_GPU": text} if text else {}) for text in ("true", "True", "false", "")] == [
        True,
        True,
        False,
        False,
    ]
    assert space_hosts({"SPACE_HOST": "a-b.hf.space"}) == space_hosts({"SPACE_ID": "a/b"}) == ()


def test_proxies_are_addresses_or_networks():
    assert hosting_from({"DEFTX_PROXIES": "10.0.0.1, fd00::/8"}).proxies == ("10.0.0.1", "fd00::/8")
    with pytest.raises(DeftxError, match=r"'proxy.example' in DEFTX_PROXIES is not an address"):
        hosting_from({"DEFTX_PROXIES": "10.0.0.1 proxy.example"})
