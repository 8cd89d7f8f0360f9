"""Train the vectors that come with the bundled base, and put them where they are found by name.

    python scripts/bundle_vectors.py --data DIR [--only NAME …] [--out assets/vectors]

Language vectors of the source language and the five targets of NusaX, then the sentiment vector, which starts from the source
language's. What is there already is left alone; what was cut off goes on.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deftx import BUNDLED_BASE  # noqa: E402 (the project's root is put in the path above)
from deftx.bases import load_base  # noqa: E402
from deftx.commands.output import Progress  # noqa: E402
from deftx.evidence.settings import SETTINGS  # noqa: E402
from deftx.language import learn_language  # noqa: E402
from deftx.recipes import recipe_for  # noqa: E402
from deftx.task import learn_task  # noqa: E402

NUSAX = SETTINGS["nusax"]
TASK = "sentiment"


def main() -> None:
    """Train what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with corpora/ and smsa/")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "vectors")
    names = (NUSAX.source, TASK, *NUSAX.targets)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some of them")
    given = parser.parse_args()
    base = load_base(BUNDLED_BASE)
    for name in (name for name in names if name in given.only):
        out = given.out / name
        if (out / "vector.json").is_file():
            continue
        print(f"{name}:", file=sys.stderr)
        if name == TASK:
            train, valid = given.data / NUSAX.train, given.data / NUSAX.valid
            learn_task(train, base, recipe_for("task"), out=out, valid=valid, source=given.out / NUSAX.source,
                       language=NUSAX.source, on_event=Progress())  # fmt: skip
        else:
            learn_language(NUSAX.corpus(given.data, name), base, recipe_for("language"), out=out, language=name,
                           on_event=Progress())  # fmt: skip


if __name__ == "__main__":
    main()
