"""``python -m deftx``."""

import sys

from deftx.cli import main

if __name__ == "__main__":
    sys.exit(main())
