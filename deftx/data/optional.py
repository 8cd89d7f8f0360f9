"""Optional packages for some file types, imported on use; if one is missing, the error says how to install it."""

import importlib
from types import ModuleType

from deftx.core.errors import DeftxError

EXTRA = "files"  # the extra in pyproject.toml; requirements.txt lists all packages


def optional_module(module: str, what: str, error: type[DeftxError]) -> ModuleType:
    """Import a module. If its package is missing, raise ``error`` with ``what`` needs it and how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0].replace("_", "-")
        raise error(
            f'{what} is read with {package}, which is missing. Install it: pip install "deftx[{EXTRA}]"'
        ) from None
