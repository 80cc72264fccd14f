"""The command."""

import sys

from shared_code.statements.catch_up.command import main

if __name__ == "__main__":
    sys.exit(main())
