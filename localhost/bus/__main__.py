"""`python -m localhost.bus --state DIR [--port P] [--config FILE]`: run the local Service Bus."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from localhost.bus.config import QUEUES_FILE, ConfigError
from localhost.bus.server import serve
from localhost.bus.store import StoreError


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def main() -> int:
    """Run until SIGTERM or SIGINT; exit code 2 when the bus cannot start, with the reason in one line."""
    parser = argparse.ArgumentParser(prog="python -m localhost.bus", description="The local Service Bus.")
    parser.add_argument("--state", type=Path, required=True, help="folder for messages and bus.json")
    parser.add_argument("--port", type=_port, default=0, help="0 takes a free port (default)")
    parser.add_argument("--config", type=Path, default=QUEUES_FILE, help="queues, as the emulator declares them")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # It reports every client that goes away without closing as an error; that is a client's ordinary end.
    logging.getLogger("proton").setLevel(logging.CRITICAL)
    try:
        serve(options.state, options.port, options.config)
    except (ConfigError, StoreError, OSError) as error:
        print(f"the local bus cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
