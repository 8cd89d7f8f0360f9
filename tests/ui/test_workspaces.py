"""Workspaces: whichever handler is called, with whatever names of another's work, by whoever, it stays in the caller's workspace."""

import inspect
import json
import os
import shutil
from contextlib import contextmanager
from functools import partial
from html import escape
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from tiny_base import SHORT, finish_language_job, write_corpus

from deftx.accounts.people import EMPTY, NOBODY, Person
from deftx.core.errors import DeftxError
from deftx.core.files import TRASH_KEPT, write_json
from deftx.core.hosting import Hosting
from deftx.hub.splits import HubSplit
from deftx.hub.text import HubFile
from deftx.jobs import JobError, Store
from deftx.jobs.job import RESULT
from deftx.jobs.process import ProcessId
from deftx.publish.own_vectors import NOTE, OwnVectors
from ui import strings
from ui.access import middleware, public, who
from ui.access.retention import DAY, Retention
from ui.access.workspaces import Workspaces
from ui.classify.combination import Combination
from ui.classify.file_tasks import classify_file
from ui.classify.word_files import tag_words
from ui.corpus import hub_form
from ui.current import acting_in, current_workspace, served
from ui.guide.plan import STEPS, Plan
from ui.history import history_tab
from ui.library import library
from ui.page import build_page
from ui.shared.browser_store import FORGET, PREFIX
from ui.studio import Studio
from ui.watch import changes, job_actions

ROLES = {"root": "admin", "vic": "visitor", "ana": "member", "bob": "member"}


class NamedDoor:
    """Lets in whoever is in ROLES, by the name of the request."""

    problem = ""

    def person(self, username, session):
        return Person(username, ROLES[username]) if username in ROLES else (None if username else NOBODY)


@pytest.fixture
def workspaces(page_base, tmp_path):
    hosting = Hosting(corpus_megabytes=1, waiting_jobs=2, workspace_megabytes=5)
    return Workspaces(Studio(str(page_base), Store(tmp_path / "home")), hosting, NamedDoor())


@contextmanager
def asking(name):
    """Let everything inside be asked by somebody."""
    token = LocalContext.request.set(SimpleNamespace(username=name, request=SimpleNamespace(scope={})))
    try:
        yield
    finally:
        LocalContext.request.reset(token)


@contextmanager
def acting_as(workspaces, name):
    """Let everything inside be done as in a handler that somebody calls; give their workspace."""
    with asking(name), acting_in(middleware.admit(workspaces, ())):
        yield current_workspace()


@pytest.mark.slow
def test_no_handler_shows_or_changes_what_is_anothers(workspaces, page_base, tmp_path, monkeypatch):
    """Every handler of the page is called by bob, and by a visitor, with the ids of ana's things in every argument."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # names are looked for there as well
    text = write_corpus(tmp_path / "anasecret.txt")
    with acting_as(workspaces, "ana") as workspace:
        workspace.corpora.add(text)
        job = finish_language_job(workspace.store, page_base, text, "Blumenthal")
        waiting = workspace.store.add("language", "Blumenthal too", {"corpus": "x"})
        gone = workspace.store.add("language", "Blumenthal gone", {})
        workspace.store.discard(gone.id)
        workspace.corpora.add(write_corpus(tmp_path / "blumenthal-old.txt", 50))
        workspace.corpora.add(write_corpus(tmp_path / "blumenthal.txt", 60))
        trashed = workspace.corpora.discard("blumenthal-old.txt")
    before = state_of_room(workspaces, "ana")
    page = build_page(workspaces)
    stored = [block.storage_key for block in page.blocks.values() if isinstance(block, gr.BrowserState)]
    assert stored
    assert all(key.startswith(PREFIX) for key in stored)  # so that logging out removes them
    ids = [job.id, waiting.id, gone.id, f"job:{job.id}", "anasecret.txt", f"corpora:{trashed}", trashed, str(job.out), "ana",
           json.dumps({"job": waiting.id}), json.dumps({"job": gone.id})]  # fmt: skip
    plan = Plan(vector=f"job:{job.id}", task=f"job:{job.id}", text="anasecret.txt", table="anasecret.txt",
                language_job=job.id, task_job=waiting.id)  # fmt: skip
    ids += [plan.changed(step=step).kept() for step in range(1, STEPS + 1)]  # as a browser keeps the guided path
    called = 0
    for name in ("bob", None):
        for handler in page.fns.values():
            if handler.fn is None or handler.page:  # the other languages have the same handlers
                continue
            for one in ids:
                with asking(name):
                    called += 1
                    said = answer(handler.fn, one)
                assert "blumenthal" not in said.lower(), (handler, one)
    assert called > 1_000
    assert state_of_room(workspaces, "ana") == before


def answer(function, value):
    """What a handler answers when every argument is this value, its refusal included."""
    count = sum(
        p.kind is p.POSITIONAL_OR_KEYWORD or p.kind is p.POSITIONAL_ONLY
        for p in inspect.signature(function).parameters.values()
    )
    event = SimpleNamespace(
        key=value, job=value, what="open", listed=[value], ticked=[value], target=SimpleNamespace(elem_id="check-save")
    )
    parameters = list(inspect.signature(function).parameters)
    values = [event if name == "event" else value for name in parameters[:count]] or [value] * 12
    try:
        return repr(function(*values)).replace(repr(value), "")
    except Exception as error:  # whatever it is: what counts is what it says
        return str(error).replace(str(value), "")


def state_of_room(workspaces, name):
    """All rows and files of a workspace."""
    store = workspaces.host.store.of(name)
    rows = [
        (job.id, job.name, job.position, job.stop_requested, job.trashed) for job in (*store.list(), *store.trash())
    ]
    return rows, sorted((str(path), path.stat().st_size) for path in store.root.rglob("*") if path.is_file())


def test_each_works_in_a_room_and_admins_in_the_house(workspaces):
    with acting_as(workspaces, "ana") as workspace:
        mine = workspace.store.add("language", "a", {})
        assert workspace.owner == "ana"
        assert workspaces.of(workspaces.asking()) is workspace
    with acting_as(workspaces, "bob") as workspace:
        theirs = workspace.store.add("language", "b", {})
        assert [job.id for job in workspace.store.list()] == [theirs.id]
        for change in (workspace.store.get, workspace.store.discard, workspace.store.request_stop, workspace.store.requeue, workspace.resume,
                       lambda id_: workspace.store.rename(id_, "x"), lambda id_: workspace.store.move(id_, 0)):  # fmt: skip
            with pytest.raises(JobError):
                change(mine.id)
        workspace.store.empty_trash()
    with acting_as(workspaces, "root") as workspace:
        assert {job.owner for job in workspace.store.list()} == {"ana", "bob"}
        assert workspace is workspaces.host
        workspaces.visit("bob")
    with acting_as(workspaces, "root") as workspace:
        assert [job.id for job in workspace.store.list()] == [theirs.id]
        workspaces.visit("")
        with pytest.raises(DeftxError, match="no such workspace"):
            workspaces.visit("../..")
    with asking("gone"), pytest.raises(gr.Error, match="no longer a user"):
        served(lambda: "an answer", partial(middleware.admit, workspaces))()


def test_an_admin_undoes_and_deletes_only_what_is_in_the_hosts_workspace(workspaces):
    with acting_as(workspaces, "root") as workspace:
        mine = workspace.store.add("language", "mine", {})
        job_actions.act("discard", mine.id)
    with acting_as(workspaces, "bob") as workspace:
        theirs = workspace.store.add("language", "theirs", {})
        workspace.store.discard(theirs.id)
    with acting_as(workspaces, "root") as workspace:
        shown = history_tab.look("", "", "", [], "")
        assert "theirs, bob" in shown[3]
        assert shown[4].visible
        assert changes.just_discarded().id == mine.id
        assert job_actions.undo() == mine.id
        assert not history_tab.look("", "", "", [], "")[4].visible
        workspace.store.discard(mine.id)
        history_tab.empty_trash()
        assert [job.id for job in workspace.store.trash()] == [theirs.id]
        history_tab.restore(theirs.id)
        assert [job.id for job in workspace.store.list()] == [theirs.id]


def test_the_page_that_everybody_receives_is_built_in_a_workspace_of_nobody(workspaces, monkeypatch):
    seen = []
    monkeypatch.setattr("ui.page.lay_out", lambda strip, kept: seen.append(current_workspace()) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_page(workspaces)
    assert [workspace.owner for workspace in seen] == [EMPTY]
    with pytest.raises(LookupError):
        current_workspace()


def test_one_persons_order_leaves_the_turns_of_others(workspaces):
    jobs = {}
    for name, owner in (("a1", "ana"), ("b1", "bob"), ("a2", "ana"), ("b2", "bob")):
        with acting_as(workspaces, owner) as workspace:
            jobs[name] = workspace.store.add("language", name, {})
    with acting_as(workspaces, "bob") as workspace:
        workspace.store.move(jobs["b2"].id, 0)
    assert [job.name for job in workspaces.host.store.queue()] == ["a1", "b2", "a2", "b1"]
    with acting_as(workspaces, "ana") as workspace, pytest.raises(JobError):
        workspace.store.move(jobs["b1"].id, 0)


def test_work_in_the_line_of_all_is_done_in_the_room_of_whoever_asked(workspaces):
    with acting_as(workspaces, "ana") as workspace:
        id_ = workspace.background_tasks.start(lambda on_share: current_workspace().owner)
        assert workspace.background_tasks.wait(id_) == "ana"
    with acting_as(workspaces, "bob") as workspace:
        assert workspace.background_tasks.find(id_) is None
        with pytest.raises(DeftxError):
            workspace.background_tasks.wait(id_)


def test_visitors_keep_nothing_and_do_not_train(workspaces, tmp_path):
    text = write_corpus(tmp_path / "text.txt")
    for name in (None, "vic"):
        with acting_as(workspaces, name) as workspace, pytest.raises(JobError, match="Visitors cannot train"):
            workspace.store.add("language", "x", {})
    with acting_as(workspaces, None) as workspace, pytest.raises(DeftxError, match="Visitors cannot save"):
        workspace.corpora.add(text)
    with acting_as(workspaces, "vic") as workspace:
        assert workspace.corpora.add(text) == "text.txt"
    assert workspaces.of(NOBODY).corpora.names() == []
    allowing = Workspaces(workspaces.host, Hosting(visitors_train=True), NamedDoor())
    with acting_as(allowing, "vic") as workspace:
        assert workspace.store.add("language", "x", {}).owner == "vic"


def test_visitors_without_a_login_fetch_nothing_from_the_hub(workspaces, monkeypatch):
    for name in ("fetch", "choose"):
        monkeypatch.setattr(f"deftx.hub.text.{name}", lambda *_: pytest.fail("the Hub was asked"))
    monkeypatch.setattr("deftx.hub.splits.fetch_split", lambda *_: pytest.fail("the Hub was asked"))
    parts = (HubSplit("ana/news", None, "min", "train"), HubFile("ana/news", None, "a.txt", 10))
    with acting_as(workspaces, None) as workspace:
        for chosen in ("min/train", "a.txt"):
            assert "Visitors cannot save" in hub_form.take(parts, chosen, None)[-1]
            with pytest.raises(DeftxError, match="Visitors cannot save"):
                hub_form.fetch_labelled(parts, chosen)
        assert not (workspace.store.root / "hub").exists()


def test_visitors_without_a_login_upload_and_classify_no_files(workspaces, tmp_path):
    async def answer(request):
        return JSONResponse([])

    app = Starlette(
        routes=[Route("/gradio_api/upload", answer, methods=["POST"])],
        middleware=[Middleware(middleware.AccessMiddleware, workspaces=workspaces)],
    )
    app.cookie_id, app.tokens = "c", {"1": "vic"}
    for headers, status in (({}, 401), ({"Cookie": "access-token-c=1"}, 200)):
        with TestClient(app, headers=headers) as client:
            assert client.post("/gradio_api/upload").status_code == status
    texts = tmp_path / "texts.csv"
    texts.write_text("text\ngood\n", encoding="utf-8")
    for classify in (classify_file, tag_words):
        with acting_as(workspaces, None) as workspace, pytest.raises(DeftxError, match="Log in first"):
            classify(workspace, texts, None, Combination("bundled:sentiment"), lambda share: None)


def test_a_vector_made_public_is_for_all_to_use_and_for_its_maker_to_withdraw(workspaces, page_base, tmp_path):
    text = write_corpus(tmp_path / "text.txt")
    with acting_as(workspaces, "ana") as workspace:
        key = f"job:{finish_language_job(workspace.store, page_base, text, 'Shared').id}"
        shared = public.publish(key)
    for name in ("bob", "vic", None):
        with acting_as(workspaces, name) as workspace:
            assert [item.key for item in library.items("Shared")] == [shared]
            assert workspace.spectra.find(shared).label == "Shared (min, public)"
            for change in (lambda: library.discard(shared), lambda: library.rename(shared, "Mine"),
                           lambda: public.withdraw(shared), lambda: public.publish(shared),
                           lambda: public.publish(key), lambda: public.publish("bundled:min")):  # fmt: skip
                with pytest.raises(DeftxError):
                    change()
    with acting_as(workspaces, "ana"):
        library.discard(key)
        assert [item.key for item in library.items("Shared")] == [shared]  # a copy: others may rest on it
    with acting_as(workspaces, "bob") as workspace:
        waiting = workspace.store.add("task", "Secret plan", {"source": str(library.find(shared).folder)})
    with acting_as(workspaces, "ana"), pytest.raises(JobError, match="1 waiting or running") as refused:
        public.withdraw(shared)
    assert "Secret" not in str(refused.value)
    with acting_as(workspaces, "bob") as workspace:
        workspace.store.set_process(
            waiting.id, ProcessId(os.getpid(), 0.0)
        )  # interrupted: its process no longer exists
    with acting_as(workspaces, "ana"):
        public.withdraw(shared)
    with acting_as(workspaces, "bob"):
        assert library.items("Shared") == []


def test_public_vectors_count_as_their_makers_and_go_after_their_time_in_the_trash(workspaces, page_base, tmp_path):
    text = write_corpus(tmp_path / "text.txt")
    own = OwnVectors(workspaces.host.store.home / "public")
    with acting_as(workspaces, "ana") as workspace:
        key = f"job:{finish_language_job(workspace.store, page_base, text, 'Shared').id}"
        shared = public.publish(key)
        assert public.publish(key) == shared  # the same files are not copied again
        public.withdraw(shared)
        (own.trash()[0].folder / "filler").write_bytes(bytes(5_000_000))
        with pytest.raises(DeftxError, match="limit for one person"):
            public.publish(key)
    with acting_as(workspaces, "bob") as workspace:
        workspace.admit(0)
    (gone,) = own.trash()
    note = json.loads((gone.folder / NOTE).read_text())
    (gone.folder / NOTE).write_text(json.dumps({**note, "trashed": note["trashed"] - TRASH_KEPT}))
    Retention(workspaces).look()
    assert own.trash() == ()
    with acting_as(workspaces, "ana") as workspace:
        (job,) = workspace.store.list()
        (job.out / "vector.safetensors").write_bytes(bytes(1_100_000))  # larger than the largest text
        assert public.publish(key) == shared


def test_limits_of_a_person_say_what_to_do(workspaces, tmp_path):
    large = tmp_path / "large.txt"
    large.write_text("\n".join(f"line {number}" for number in range(120_000)), encoding="utf-8")
    with acting_as(workspaces, "ana") as workspace:
        with pytest.raises(DeftxError, match="the limit is 1 MB"):
            workspace.corpora.add(large)
        for name in "ab":
            job = workspace.store.add("language", name, {})
        with pytest.raises(JobError, match="2 of your training runs are waiting already"):
            workspace.store.add("language", "c", {})
        assert len(list(workspace.store.folder.iterdir())) == 2
        workspace.store.request_stop(job.id)
        workspace.store.add("language", "c", {})
        with pytest.raises(JobError, match="waiting already"):
            workspace.store.requeue(job.id)
        (workspace.store.root / "filler").write_bytes(bytes(5_000_000))
        with pytest.raises(DeftxError, match="limit for one person"):
            workspace.corpora.add(write_corpus(tmp_path / "small.txt"))
    with acting_as(workspaces, "root") as workspace:
        assert workspace.corpora.add(large) == "large.txt"


def test_what_was_left_behind_goes_and_the_houses_own_stays(workspaces, tmp_path):
    text = write_corpus(tmp_path / "text.txt")
    now = text.stat().st_mtime
    for name in ("ana", "root"):
        with acting_as(workspaces, name) as workspace:
            workspace.corpora.add(text)
            finished = workspace.store.add("language", "old", {})
            workspace.store.add("language", "waits", {})
            write_json(finished.folder / RESULT, {"outcome": "finished", "message": "Finished."})
            workspace.store.add("language", "left", {"device": "zero-gpu"})  # its page was closed for good
    retention = Retention(workspaces)
    retention.look(now + 29 * DAY)
    ana = workspaces.workspace("ana")
    assert ana.corpora.names() == ["text.txt"]
    retention.look(now + 31 * DAY)
    assert (ana.corpora.names(), [job.name for job in ana.store.list()]) == ([], ["waits"])
    assert sorted(job.name for job in ana.store.trash()) == ["left", "old"]
    host = workspaces.host
    assert host.corpora.names() == ["text.txt"]
    assert [job.name for job in host.store.list() if not job.owner] == ["left", "waits", "old"]
    ana.store.discard(ana.store.list()[0].id)
    ana.store.empty_trash()
    ana.corpora.empty_trash()
    retention.look(now)
    assert "ana" not in workspaces.names()  # an empty workspace goes
    with acting_as(workspaces, "ana") as workspace:
        assert workspace.store.list() == ()  # and is there again when somebody comes


def test_a_vector_from_which_a_training_run_waits_to_start_stays(workspaces, page_base, tmp_path):
    text = write_corpus(tmp_path / "text.txt")
    with acting_as(workspaces, "ana") as workspace:
        job = finish_language_job(workspace.store, page_base, text, "Source")
        own = OwnVectors(workspace.store.root)
        with own.incoming() as folder:
            shutil.copytree(job.out, folder, dirs_exist_ok=True)
            kept = own.keep(folder, "Imported", "a file")
        waits = workspace.store.add("task", "waits", {"train": "x", "source": str(kept.folder)})
    Retention(workspaces).look(kept.added + 31 * DAY)
    assert kept.folder.exists()
    workspaces.workspace("ana").store.discard(waits.id)
    Retention(workspaces).look(kept.added + 31 * DAY)
    assert not kept.folder.exists()


def test_the_page_says_who_is_logged_in_and_what_becomes_of_their_things(workspaces):
    for name, said in (
        ("ana", "Logged in as ana"),
        ("root", "an admin"),
        ("vic", "a visitor"),
        (None, "not logged in"),
    ):
        with asking(name):
            assert said in who.describe(workspaces)
    with asking("ana"):
        assert "30 days" in who.describe(workspaces)
        assert f'<a href="/logout" onclick="{escape(FORGET)}">' in who.describe(workspaces)
    workspaces.login_method.problem = "Line 3 of <people>"
    for name, told in (("root", True), ("ana", False)):
        with asking(name):
            assert ("Line 3 of &lt;people&gt;" in who.describe(workspaces)) == told


def test_a_handlers_file_must_be_the_callers(workspaces, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    with acting_as(workspaces, "ana") as workspace:
        path = workspace.served_files.write(
            "a.zip", lambda target: (target.write_bytes(b"x"), target)[1], workspace.owner
        )
    take = served(lambda *values: values, partial(middleware.admit, workspaces))
    with asking("ana"):
        assert take(str(path)) == (str(path),)
    for name in ("bob", None):
        for given in (str(path), [str(path)], str(path.parent / ".." / path.parent.name / path.name)):
            with asking(name), pytest.raises(gr.Error, match="no such file"):
                take(given)
    with asking("bob"):
        assert take("plain words", "/etc/passwd") == ("plain words", "/etc/passwd")
    with asking("root"):
        assert take(str(path)) == (str(path),)


def test_a_small_training_is_described_for_the_house_as_for_anybody(workspaces):
    with acting_as(workspaces, "ana") as workspace:
        job = workspace.store.add("language", "x", {"recipe": SHORT})
    assert job.folder == workspaces.host.store.home / "people" / "ana" / "jobs" / job.id
    assert workspaces.host.store.get(job.id).folder == job.folder


@pytest.mark.slow
def test_the_status_line_answers_whoever_the_server_s_own_request_belongs_to(workspaces):
    """The line asks without an event, so the request is not one of Gradio's, which have the name of a person."""
    strip = next(part for part in build_page(workspaces).blocks.values() if getattr(part, "elem_id", None) == "strip")
    app = SimpleNamespace(cookie_id="c", tokens={"1": "ana", "2": "bob", "3": "removed"})

    def ask(token):
        scope = {"type": "http", "app": app, "headers": [(b"cookie", f"access-token-c={token}".encode())]}
        set_request = LocalContext.request.set(Request(scope))
        try:
            return strip.news("")["state"]
        finally:
            LocalContext.request.reset(set_request)

    states = {}
    for name in ("ana", "bob"):
        with acting_as(workspaces, name) as workspace:
            workspace.store.add("language", f"of {name}", {})
    for name in ("ana", "bob"):
        with acting_as(workspaces, name):
            states[name] = changes.state()
    assert (ask("1"), ask("2")) == (states["ana"], states["bob"])
    assert states["ana"] != states["bob"]
    with pytest.raises(gr.Error, match=strings.LOG_IN_AGAIN):
        ask("3")
