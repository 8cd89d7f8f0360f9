"""Writes the reference of the public names, made from their docstrings: ``scripts/reference.py FOLDER``.

A warning, such as of a type that does not resolve, is an error.
"""

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import pdoc  # noqa: E402
import pdoc.render  # noqa: E402

import deftx  # noqa: E402


def main(folder: Path) -> None:
    """Write ``deftx.html`` and what it needs into the folder."""
    vars(deftx).update({name: getattr(deftx, name) for name in deftx.__all__})  # pdoc sees what is loaded alone
    warnings.simplefilter("error", UserWarning)
    pdoc.render.configure(docformat="google")
    pdoc.pdoc("deftx", r"!deftx\..+", output_directory=folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
