"""`python -m app.cli`: how the window starts commands in processes of their own."""

import sys

from app.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
