"""The one entry point: `python main.py` opens Mien, `python main.py COMMAND` runs a command."""

import sys

from app.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
