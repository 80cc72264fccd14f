"""`make run`: the whole app on this machine until Ctrl-C, with its addresses and a token for each role."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from localhost.processes import ProcessError
from localhost.stack import ROOT, Stack
from shared_code.access.roles import ROLES

DEFAULT_PORT = 7071


def main() -> int:
    """Start everything, say where it is, wait."""
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--state", type=Path, default=ROOT / ".state" / "local")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--scale-out", type=int, default=1)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with Stack(given.state.resolve(), scale_out=given.scale_out, port=given.port) as stack:
            _say(stack)
            try:
                signal.pause()
            except KeyboardInterrupt:
                print("\nstopping")
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _say(stack: Stack) -> None:
    key = stack.host.function_key
    print(f"The app answers at {stack.host.url}/api/v1\n")
    print("Look at, with a token as header  Authorization: Bearer <token> :")
    for path in ("statement-runs", "statements?period=2026-10", "imports", "facts/2026-10"):
        print(f"  {stack.host.url}/api/v1/{path}")
    print("Without a token:")
    print(f"  {stack.host.url}/api/v1/health/ready?code={key}")
    print("\nA token for each role (12 hours):")
    for role in ROLES:
        print(f"\n{role}\n{stack.issuer.token(role)}")
    print("\nDrop files with any storage tool:")
    print(
        f"  {stack.azurite.connection_string}\n\nCtrl-C stops everything; the state stays in {stack.state}", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
