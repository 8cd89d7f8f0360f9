"""The studio as a Space on ZeroGPU: the folder is complete, and its limits are those of a Space for everybody."""

import os
import runpy
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from forked import Program
from job_helpers import wait_for

from deftx.core.errors import DeftxError
from deftx.core.hosting import hosting_from
from deftx.publish import space_card, studio_space
from deftx.publish.space_card import GRADIO
from deftx.publish.studio_space import START, requirements, write_studio_space

HELPERS = Path(__file__).resolve().parents[1] / "helpers"
STAND_IN = "import sys\nsys.path.append({helpers!r})\nfrom zero_gpu import ZeroGpu\nGPU = ZeroGpu().GPU\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_studio_space(tmp_path_factory.mktemp("out") / "space")


def test_the_card_asks_for_the_hardware_the_login_and_the_tested_version_of_gradio(folder):
    card = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    wanted = {
        "sdk": "gradio",
        "sdk_version": GRADIO,
        "app_file": "studio.py",
        "suggested_hardware": "zero-a10g",
        "hf_oauth": True,
    }
    assert wanted.items() <= card.items()
    assert (folder / card["app_file"]).is_file()


def test_the_requirements_are_one_file_with_one_line_for_each_package(folder):
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines == requirements().splitlines()
    assert {f"torch=={space_card.TORCH}", f"gradio=={GRADIO}"} <= set(lines)
    assert any(line.startswith("numpy") for line in lines)
    names = [studio_space._NAME.match(line)[0].lower() for line in lines]
    assert len(names) == len(set(names))
    assert not any(line.startswith("-r") for line in lines)


def test_nothing_compiled_is_copied_and_the_bundled_files_are(folder):
    assert not list(folder.rglob("__pycache__"))
    here = {path.relative_to(studio_space.ASSETS) for path in studio_space.ASSETS.rglob("*.safetensors")}
    assert here
    assert {path.relative_to(folder / "assets") for path in (folder / "assets").rglob("*.safetensors")} == here


def test_its_limits_are_valid_and_a_variable_of_the_space_overrides_them():
    settings = runpy.run_path(str(START))["SETTINGS"]
    hosting = hosting_from(settings)
    assert (hosting.corpus_megabytes, hosting.waiting_jobs, hosting.days_kept, hosting.visitors_train) == (
        20,
        2,
        7.0,
        True,
    )


def test_a_folder_with_files_and_an_installed_package_are_refused(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(DeftxError, match="is not an empty folder"):
        write_studio_space(tmp_path / "full")
    monkeypatch.setattr(studio_space, "REPOSITORY", tmp_path)
    with pytest.raises(DeftxError, match="only from a copy of the repository"):
        write_studio_space(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_the_folder_serves_the_studio_alone(folder, tmp_path):
    (tmp_path / "spaces.py").write_text(STAND_IN.format(helpers=str(HELPERS)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paths = os.pathsep.join([str(folder), str(tmp_path)])  # the folder's own modules, not this repository's
    page = Program(
        folder / START.name, "--port", port, cwd=folder, fresh=True, PYTHONPATH=paths, SPACES_ZERO_GPU="true",
        GRADIO_SSR_MODE="True", DEFTX_LOCAL=str(tmp_path / "local"), DEFTX_PERSISTENT=str(tmp_path / "nothing"),
        GRADIO_TEMP_DIR=str(tmp_path / "gradio"),
    )  # fmt: skip

    def served():
        assert page.poll() is None, page.stderr
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    try:
        wait_for(served, "the page of the Space", seconds=300)
        html = served()
    finally:
        page.kill()
        page.wait()
    assert 'id="calls"' in html or '"elem_id":"calls"' in html.replace(" ", "")
    assert "no permanent storage" in html
