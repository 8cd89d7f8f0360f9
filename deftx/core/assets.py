"""The files that come with the project: bases, vectors, tables, styles and strings."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel holds them inside of the package, a checkout beside it.
ASSETS = _PACKAGE / "_assets" if (_PACKAGE / "_assets").is_dir() else _PACKAGE.parent / "assets"
