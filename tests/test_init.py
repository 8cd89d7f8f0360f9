"""The names that the library promises: they can be imported in any order, are listed, and name each other."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import datasets
import pytest

import deftx
from deftx.core import errors

PACKAGE = Path(deftx.__file__).parent


def test_no_promised_name_is_hidden_by_a_module_of_the_same_name():
    assert [name for name in deftx.__all__ if (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()] == []


@pytest.mark.slow
def test_every_promised_name_can_be_imported_and_stays_what_it_is():
    code = (
        "import deftx, sys, types\n"
        "assert 'torch' not in sys.modules and set(deftx.__all__) <= set(dir(deftx))\n"
        "for name in deftx.__all__:\n"
        "    exec(f'from deftx import {name}')\n"
        "for name in deftx.__all__:\n"
        "    assert not isinstance(getattr(deftx, name), types.ModuleType), name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_class_that_a_public_signature_mentions_is_public():
    public = {name: getattr(deftx, name) for name in deftx.__all__}
    lazy = {  # imported for type checkers alone: `import deftx` must not load the package
        "Dataset": datasets.Dataset,
        "IterableDataset": datasets.IterableDataset,
        "Column": datasets.arrow_dataset.Column,
    }
    mentioned = {
        found
        for value in public.values()
        for part in parts(value)
        for found in classes(get_type_hints(part, None, lazy))
    }
    assert {found.__name__ for found in mentioned if found not in public.values()} == set()
    assert deftx.Corpus in mentioned


def parts(value):
    """A function, or a class with its public methods and properties."""
    members = vars(value).items() if inspect.isclass(value) and value.__module__.startswith("deftx.") else ()
    own = [member.fget if isinstance(member, property) else getattr(member, "__func__", member)
           for name, member in members if not name.startswith("_")]  # fmt: skip
    return [part for part in (value, *own) if inspect.isfunction(part) or (inspect.isclass(part) and members)]


def classes(hints):
    left, found = list(hints.values()), set()
    while left:
        hint = left.pop()
        for inner in get_args(hint):
            left += inner if isinstance(inner, list) else [inner]
        if inspect.isclass(hint) and hint.__module__.startswith("deftx."):
            found.add(hint)
    return found


def test_every_error_is_public():
    family = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert family <= set(deftx.__all__)
