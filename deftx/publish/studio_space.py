"""The whole studio as a Space on ZeroGPU (``sdk: gradio``): a folder to upload, with everything that it needs."""

import os
import re
import shutil
from pathlib import Path

from deftx.core.assets import ASSETS
from deftx.core.errors import DeftxError
from deftx.core.files import expanded, new_folder, require_empty
from deftx.publish.space_card import TORCH, space_metadata

REPOSITORY = ASSETS.parent
PROGRAM = ("app.py", "ui", "deftx", "assets", "LICENSE", "CITATION.cff")
START = ASSETS / "space" / "studio.py"  # the program of the Space, which starts app.py
REQUIREMENTS = ("requirements.txt", "requirements-library.txt")  # the first has the versions that were tested
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def write_studio_space(folder: str | os.PathLike, title: str = "DeFT-X studio") -> Path:
    """Write the Space into ``folder``, which must be new or empty, and return it.

    Raises:
        DeftxError: If the folder is not empty, or this is an installed package, which does not contain the page.
    """
    folder = expanded(folder)
    require_empty(folder, "Space")
    if missing := [name for name in (*PROGRAM, *REQUIREMENTS) if not (REPOSITORY / name).exists()]:
        raise DeftxError(f"{missing[0]} is missing: a Space can be written only from a copy of the repository.")
    with new_folder(folder) as fresh:
        for name in PROGRAM:
            _copy(REPOSITORY / name, fresh / name)
        _copy(START, fresh / START.name)
        (fresh / "requirements.txt").write_text(requirements(), encoding="utf-8")
        (fresh / "README.md").write_text(_card(title), encoding="utf-8")
    return folder


def requirements() -> str:
    """Return requirements.txt in one file, because a Space reads no other; of two lines for a package, the tested version."""
    found: dict[str, str] = {"torch": f"torch=={TORCH}"}
    for name in REQUIREMENTS:
        for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines():
            if package := _NAME.match(line):
                found.setdefault(package[0].lower(), line)
    return "".join(f"{line}\n" for name, line in found.items() if not name.startswith("-"))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copyfile(source, target)


def _card(title: str) -> str:
    tags = ("deft-x", "cross-lingual-transfer", "text-classification")
    metadata = space_metadata(title, START.name, "Text classifiers for languages without labels", tags,
                              hf_oauth=True, license="apache-2.0", startup_duration_timeout="1h")  # fmt: skip
    return f"""{metadata}

# {title}

Text classifiers for languages that have little text and no labels (DeFT-X). Open this page on huggingface.co and log in there: each
person's minutes on the shared GPU are counted for their account. Training runs and long files use the GPU in short calls, which the
open page makes.

Nothing here is stored for ever: download your vectors, or push them to your own account (Library).
"""
