"""`make run`: the whole app on this machine until Ctrl-C, with its addresses and a token for each role."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import httpx

from localhost.identity import user_id
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
    state = given.state.resolve()
    if not (state / "powerbill.sqlite").exists():
        print(f"{state} is new: nobody has dropped anything there yet (make demo makes a state with a month in it).")
    try:
        with Stack(state, scale_out=given.scale_out, port=given.port) as stack:
            _say(stack)
            while not (ended := stack.ended()):
                time.sleep(1)
            print(f"{ended.name} has ended by itself:\n{ended.tail()}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("\nstopped; the state stays")
        return 0
    except ProcessError as error:
        print(f"{error}\nAnother port: make run PORT=7072.", file=sys.stderr)
        return 1


def _say(stack: Stack) -> None:
    print("A token for each role (12 hours). Account and district managers see the sites that are assigned to them.")
    for role in ROLES:
        print(f"\n{role}\n{stack.issuer.token(role)}")
    if site := _billed_site(stack):
        print("\nAssign a site to one of them:")
        print(
            f"  DATABASE_URL={stack.database_url} OPERATOR_NAME=local .venv/bin/python -m shared_code.access.grant \\"
        )
        print(f"    --user {user_id('accountManager')} --site {site}")
    api = f"{stack.host.url}/api/v1"
    print(f"\nThe app answers at {api}. Look at, with a token:")
    for path in ("statement-runs", "statements", "imports"):
        print(f'  curl -H "Authorization: Bearer $TOKEN" {api}/{path}')
    print(f"With the function key:\n  curl '{api}/health/ready?code={stack.host.function_key}'")
    print("Drop files into edw-drops and contract-drops with any storage tool and this connection string:")
    print(f"  {stack.azurite.connection_string}")
    print(f"Ctrl-C, or kill -TERM {os.getpid()}, stops everything; the state stays in {stack.state}", flush=True)


def _billed_site(stack: Stack) -> str | None:
    """A site that has a statement here; None while nothing is billed."""
    path = f"{stack.host.url}/api/v1/statements"
    answer = httpx.get(path, params={"limit": 1}, headers=stack.headers("billingAdmin"), timeout=60)
    answer.raise_for_status()
    return next((str(statement["siteNumber"]) for statement in answer.json()["items"]), None)


if __name__ == "__main__":
    sys.exit(main())
