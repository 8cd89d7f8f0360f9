"""Optional packages for some file types, imported on use; if one is missing, the error says how to install it."""

from types import ModuleType

from deftx.core.errors import DeftxError
from deftx.core.optional import optional_package

EXTRA = "files"  # the extra in pyproject.toml; requirements.txt lists all packages


def optional_module(module: str, what: str, error: type[DeftxError]) -> ModuleType:
    """Import a module. If its package is missing, raise ``error`` with ``what`` needs it and how to install it."""
    return optional_package(module, f"{what} is read with", EXTRA, error)
