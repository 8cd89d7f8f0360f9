"""A workspace opens its base, and shares with the host what all share."""

import os
import shutil

from deftx.models.bases import ASSETS
from ui import strings
from ui.workspace import Workspace, full_name


def test_a_workspace_shares_base_and_queue_with_the_host_and_keeps_its_own_files(studio):
    own = Workspace(studio.base_name, studio.store.of("ana"), host=studio)
    assert (own.owner, own.is_host, studio.is_host) == ("ana", False, True)
    assert own.base() is studio.base()
    assert own.loaded_base() is studio.base()
    assert own.served_files is studio.served_files
    assert own.store.home == studio.store.home
    assert own.corpora.folder != studio.corpora.folder


def test_the_cores_are_counted_on_systems_without_affinity_too(studio, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    for count, said in ((3, "3"), (None, strings.ONE_CORE)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert said in studio.machine


def test_folders_of_bases_are_kept_as_full_paths(studio, tmp_path, monkeypatch):
    shutil.copytree(ASSETS / "bases" / "nusantara-e5", tmp_path / "own", ignore=lambda *_: ["model.int8.safetensors"])
    monkeypatch.chdir(tmp_path)
    assert full_name("own") == str(tmp_path / "own")
    assert full_name("nusantara-e5") == "nusantara-e5"
    assert os.path.isdir("own")
