"""Optional packages, imported on use; if one is missing, the error says how to install it."""

import importlib
import importlib.util
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
        raise error(_missing(module, needs, extra)) from None


def require_package(module: str, needs: str, extra: str) -> None:
    """Raise DeftxError, as ``optional_package`` does, if a package is missing; it is not imported."""
    if importlib.util.find_spec(module) is None:
        raise DeftxError(_missing(module, needs, extra))


def _missing(module: str, needs: str, extra: str) -> str:
    package = module.split(".")[0].replace("_", "-")
    return f'{needs} {package}, which is missing. Install it: pip install "deftx[{extra}]"'
