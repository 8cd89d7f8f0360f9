"""The folder of bundled files: bases, vectors, tables, styles and strings."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel has them inside the package, a checkout of the repository beside it.
ASSETS = _PACKAGE / "_assets" if (_PACKAGE / "_assets").is_dir() else _PACKAGE.parent / "assets"
