"""What a first visit met and no other test sees: what is chosen at first, what a reload brings back, and which files a field takes."""

import json

import gradio as gr
import pytest
from tiny_base import finish_task_job

from deftx.core.files import write_json
from deftx.data.file_kinds import TABLES, TEXTS
from deftx.jobs import Store
from deftx.models.bases import BUNDLED_BASE
from ui.classify import classify_tab, compose_form
from ui.current import acting_in
from ui.guide import task_step
from ui.page import build_page
from ui.studio import Studio


@pytest.fixture
def tasks(studio, page_base):
    """The keys of three tasks, from the oldest to the newest, with these scores."""
    keys = []
    for name, language, scores in (
        ("Fair", "ind", {"f1": {"after": 0.6}, "accuracy": {"after": 0.7}}),
        ("Best", None, {"f1": {"after": 0.8}, "accuracy": {"after": 0.9}}),
        ("None", "ind", {}),
    ):
        job = finish_task_job(studio.store, page_base, name)
        info = job.out / "vector.json"
        write_json(info, {**json.loads(info.read_text()), "scores": scores, "language": language})
        keys.append(f"job:{job.id}")
    return keys


def test_the_best_task_is_first_and_chosen_though_the_newest_is_worse(studio, tasks):
    fair, best, unknown = tasks
    listed = compose_form.task_choices()
    assert [key for _, key in listed][:3] == [best, fair, unknown]
    assert listed[0][0] == "Best (trained here) · 90 of 100 correct"
    assert listed[1][0] == "Fair (trained here) · 70 of 100 correct in Indonesian"
    assert task_step.best() == best
    with gr.Blocks(), gr.Column() as asking, gr.Column() as further:
        assert compose_form.build(asking, further).fields["task"].value == best


def test_a_reload_brings_back_the_task_and_the_language_of_test_while_they_exist(studio, tasks):
    for stored, chosen in ((tasks[0], tasks[0]), ("job:gone", tasks[1]), (None, tasks[1])):
        task, language, text = classify_tab.restore({"task": stored, "language": "bundled:min", "text": "enak"})
        assert (task.value, language.value, text) == (chosen, "bundled:min", "enak")
    task, language, text = classify_tab.restore({"language": "bundled:gone", "text": " "})
    assert "value" not in language._constructor_args[0]  # the choice of the page stays
    assert text == gr.skip()


def test_the_first_language_is_that_of_the_example_where_it_fits_the_base(studio, tmp_path):
    assert compose_form.first_language() == ""
    with acting_in(Studio(BUNDLED_BASE, Store(tmp_path / "other"))):
        assert compose_form.first_language() == "bundled:ind"


@pytest.mark.slow
def test_every_field_for_texts_or_tables_takes_the_files_that_people_have(studio):
    fields = [block for block in build_page(studio).blocks.values() if isinstance(block, gr.File | gr.UploadButton)]
    taken = {block.elem_id: set(block.file_types or ()) for block in fields}
    texts, tables = {*TEXTS, *TABLES, ".zip", ".gz"}, {*TABLES, ".zip", ".gz"}
    assert {".docx", ".xlsx", ".pdf", ".csv"} <= texts
    assert {name for name, kinds in taken.items() if texts <= kinds} >= {"corpus-file", "guide-file", "texts-file"}
    assert {name for name, kinds in taken.items() if tables <= kinds} >= {
        "score-file",
        "table-file-train",
        "table-file-valid",
    }
