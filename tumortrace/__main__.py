"""``python -m tumortrace``."""

import sys

from tumortrace.cli import main

if __name__ == "__main__":
    sys.exit(main())
