"""Looking back: a training is found by what a person remembers of it, and differences are real ones."""

import pytest

from deftx.core.files import write_json
from deftx.jobs import Store
from deftx.jobs.history import differences, search, settings_of
from deftx.jobs.job import RESULT


@pytest.fixture
def jobs(tmp_path):
    store = Store(tmp_path)
    store.add("language", "Minang first", {"language": "min", "corpus": "/data/texts/gutenberg.txt", "base": "/b/tiny"})
    store.add("language", "Bugis", {"language": "bug", "preset": "standard", "recipe": {"method": "lt-sft"}})
    done = store.add("task", "Mood", {"language": "ind", "train": "/data/smsa.csv", "source": "/vectors/ind"})
    write_json(done.folder / RESULT, {"outcome": "finished"})
    return store.list()


@pytest.mark.parametrize(
    ("words", "state", "method", "found"),
    [
        ("", "", "", ["Mood", "Bugis", "Minang first"]),
        ("minang", "", "", ["Minang first"]),
        ("FIRST min", "", "", ["Minang first"]),
        ("bug standard", "", "", ["Bugis"]),
        ("gutenberg", "", "", ["Minang first"]),
        ("data", "", "", []),  # folders are no part of what a person remembers
        ("smsa", "", "", ["Mood"]),
        ("lt-sft", "", "", ["Bugis"]),
        ("", "finished", "", ["Mood"]),
        ("", "waiting", "", ["Bugis", "Minang first"]),
        ("", "", "lt-sft", ["Bugis"]),
        ("", "waiting", "deft-x", ["Minang first"]),
        ("bugis minang", "", "", []),
    ],
)
def test_a_job_is_found_by_name_language_state_or_method(jobs, words, state, method, found):
    assert [job.name for job in search(jobs, words, state, method)] == found


def test_differences_are_those_of_the_settings_that_act_not_of_how_they_were_written(tmp_path):
    store = Store(tmp_path)
    recipes = ({}, {"rank": "variance:0.9"}, {"rank": "mp", "seed": 7})
    jobs = [store.add("language", "x", {"corpus": f"/{n}/a.txt", "recipe": r}) for n, r in enumerate(recipes)]
    assert differences(jobs[:2]) == {}
    assert differences(jobs) == {"rank": ("variance:0.9", "variance:0.9", "mp"), "seed": (42, 42, 7)}


def test_presets_differ_in_what_they_set_and_kinds_in_what_only_one_has(tmp_path):
    store = Store(tmp_path)
    quick, paper = (store.add("language", preset, {"preset": preset}) for preset in ("quick", "paper"))
    task = store.add("task", "task", {"preset": "quick"})
    found = differences([quick, paper])
    assert found["batch_size"] == (16, 8)
    assert "rank" not in found
    assert differences([quick, task])["mask_share"][1] is None


def test_settings_that_no_recipe_knows_are_shown_as_they_stand(tmp_path):
    job = Store(tmp_path).add("language", "old", {"recipe": {"colour": "red"}, "device": "cpu"})
    assert settings_of(job) == {"kind": "language", "colour": "red"}


def test_vectors_that_were_trained_here_are_told_apart_and_no_folder_is_shown(tmp_path):
    store = Store(tmp_path)
    sources = [store.add("language", name, {}) for name in ("first", "second")]
    jobs = [
        store.add("task", "Mood", {
            "train": "/data/a.csv", "source": str(source.out), "start": f"/vectors/{source.name}",
            "lexicon": [f"/words/{source.name}.csv"],
            "further": [{"file": f"/data/{source.name}.csv", "source": str(source.out), "repeat": 2}],
        })
        for source in sources
    ]  # fmt: skip
    found = differences(jobs)
    assert found["source"] == tuple(source.id for source in sources)
    assert found["start"] == ("first", "second")
    assert found["further"][0] == [{"file": "first.csv", "source": sources[0].id, "repeat": 2}]
    assert set(found) == {"source", "start", "lexicon", "further"}
    assert "/" not in str(found)
    assert search(jobs, sources[0].id) == jobs[:1]
