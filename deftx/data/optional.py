"""Packages that only some kinds of files need: imported when one is read, named with their command where they are missing."""

import importlib
from types import ModuleType

from deftx.core.errors import DeftxError

EXTRA = "files"  # of pyproject.toml; requirements.txt has them all


def optional_module(module: str, what: str, error: type[DeftxError]) -> ModuleType:
    """Import a package; where it is missing, ``error`` says that it is needed for ``what`` and how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0].replace("_", "-")
        raise error(
            f'{what} is read with {package}, which is missing. Install it: pip install "deftx[{EXTRA}]"'
        ) from None
