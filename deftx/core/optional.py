"""Optional packages, imported on use; if one is missing, the error says how to install it."""

import importlib
from types import ModuleType

from deftx.core.errors import DeftxError


def optional_package(module: str, needs: str, extra: str, error: type[DeftxError] = DeftxError) -> ModuleType:
    """Import a module of an optional package.

    Args:
        module: The name of the module.
        needs: The start of the message, e.g. "The export needs".
        extra: The extra in pyproject.toml that has the package.
        error: The error to raise.

    Raises:
        DeftxError: If the package is missing.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0].replace("_", "-")
        raise error(f'{needs} {package}, which is missing. Install it: pip install "deftx[{extra}]"') from None
