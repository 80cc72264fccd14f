"""`python -m shared_code.access.grant`: give roles from the command line, as for the first administrator.

Afterwards an administrator gives roles over HTTP. The command says which database it acts on: the one of DATABASE_URL,
which must be set. What it does is recorded in the audit with the system as the actor.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from shared_code.access.roles import ROLES
from shared_code.access.users import NewUser, add_users, grant, sites_to_come
from shared_code.foundation.command import opened_database
from shared_code.foundation.errors import BillingError

REASON = "granted by command"
_USERS = TypeAdapter(tuple[NewUser, ...])


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 2 when the user cannot be written or the file cannot be read."""
    given = _parser().parse_args(arguments)
    try:
        sys.stdout.write(f"{opened_database()}\n")
        if given.users is not None:
            new = add_users(_USERS.validate_json(given.users.read_bytes()), given.reason)
            sys.stdout.write(f"{new} users are new\n")
            return 0
        user = grant(_named(given), given.reason)
    except (BillingError, OSError, ValueError) as error:
        sys.stderr.write(f"no role was given: {error}\n")
        return 2
    roles = ", ".join(held.role for held in user.roles)
    sys.stdout.write(f"{user.user_id} ({user.name}): {roles or 'no role'}; {len(user.sites)} sites\n")
    for number in sites_to_come(given.site):
        sys.stderr.write(f"note: the site master knows no site {number}; it shows nothing until there is one\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared_code.access.grant")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="ID", help="object id of the user in the directory")
    who.add_argument(
        "--users", type=Path, metavar="FILE", help="a JSON list of users; those that exist stay as they are"
    )
    parser.add_argument("--name", default="", help="what the user is called; the id unless given")
    parser.add_argument("--kind", choices=("person", "service"), help="person unless given")
    parser.add_argument("--role", choices=ROLES, action="append", default=[], help="may be given again")
    parser.add_argument("--site", metavar="NUMBER", action="append", default=[], help="may be given again")
    parser.add_argument("--district", metavar="NAME", action="append", default=[], help="may be given again")
    parser.add_argument("--reason", default=REASON, help="what the audit keeps")
    return parser


def _named(given: argparse.Namespace) -> NewUser:
    return NewUser(
        user_id=given.user,
        name=given.name,
        kind=given.kind,
        roles=tuple(given.role),
        sites=tuple(given.site),
        districts=tuple(given.district),
    )


if __name__ == "__main__":
    sys.exit(main())
