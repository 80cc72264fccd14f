"""`python -m shared_code.operations.invariants`: check what must always be true of the database of DATABASE_URL.

One line per violation, then one line of JSON. Exit code 1 when something does not hold, 2 when it cannot be checked.
"""

from __future__ import annotations

import json
import sys

from shared_code.foundation.command import opened_database
from shared_code.foundation.errors import BillingError
from shared_code.operations.invariants.service import check_invariants, violated


def main() -> int:
    try:
        sys.stdout.write(f"{opened_database()}\n")
        results = check_invariants()
    except BillingError as error:
        sys.stderr.write(f"nothing was checked: {error.message}\n")
        return 2
    broken = violated(results)
    for one in broken:
        sys.stdout.write(f"{one.name}: {one.meaning}\n")
        sys.stdout.writelines(f"  {found.subject}: {found.message}\n" for found in one.violations)
    sys.stdout.write(json.dumps({"invariants": len(results), "violated": len(broken)}) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
