"""The names that the library promises can be imported, in any order, and are what they say."""

import subprocess
import sys
from pathlib import Path

import deftx

PACKAGE = Path(deftx.__file__).parent


def test_no_promised_name_is_hidden_by_a_module_of_the_same_name():
    assert [name for name in deftx.__all__ if (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()] == []


def test_every_promised_name_can_be_imported_and_stays_what_it_is():
    code = (
        "import deftx, types\n"
        "for name in deftx.__all__:\n"
        "    exec(f'from deftx import {name}')\n"
        "for name in deftx.__all__:\n"
        "    assert not isinstance(getattr(deftx, name), types.ModuleType), name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
