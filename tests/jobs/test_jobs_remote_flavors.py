"""Machines and prices, as a Hub on this machine says."""

import jobs_server
import pytest

from deftx.hub.client import hub
from deftx.jobs.job import JobError
from deftx.jobs.remote import flavors
from deftx.jobs.remote.places import why_not_offered


@pytest.fixture
def server(tmp_path, monkeypatch):
    with jobs_server.serving_jobs(tmp_path) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


def test_prices_are_by_the_hour_and_the_cheapest_comes_first(server):
    found = flavors.ask(hub())
    assert [one.name for one in found] == ["cpu-basic", "l4x1"]
    gpu = flavors.find(found, "l4x1")
    assert (gpu.price(1), gpu.price(4), gpu.device, gpu.gpu) == ("$0.80", "$3.20", "cuda", "1 × L4, 24 GB")
    assert flavors.find(found, "cpu-basic").device == "cpu"
    with pytest.raises(JobError, match="Did you mean 'l4x1'"):
        flavors.find(found, "l4x2")


def test_without_an_answer_there_are_names_and_no_prices(server):
    server.fail("GET /api/jobs/hardware")
    offer = flavors.Offers().now()
    assert "could not be reached" in offer.problem
    assert {one.price(1) for one in offer.flavors} == {""}
    assert "l4x1" in {one.name for one in offer.flavors}


def test_the_hub_is_not_asked_for_every_look(server):
    offers = flavors.Offers()
    assert offers.now() == offers.now()
    assert offers.now().problem == ""
    assert len(server.requests("GET /api/jobs/hardware")) == 1


def test_what_is_missing_is_said_before_anything_is_asked():
    assert "DEFTX_JOBS_IMAGE" in why_not_offered({})
    assert "HF_TOKEN" in why_not_offered({"DEFTX_JOBS_IMAGE": "image"})
    assert why_not_offered({"DEFTX_JOBS_IMAGE": "image", "HF_TOKEN": "hf_x"}) == ""
