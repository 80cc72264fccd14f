"""The clock: housekeeping, missed drops, the hourly check of invariants, and the nightly proof of the audit."""

import azure.functions as func

from functions.timer import timer

blueprint = func.Blueprint()


@timer(blueprint, "0 40 * * * *")
def forget_old_requests() -> None:
    """Delete answers of idempotent requests whose time is over."""
    from shared_code.foundation.idempotency.service import forget_old_answers

    forget_old_answers()


@timer(blueprint, "0 20 6 * * *", monitored=True)
def prove_audit() -> None:
    """Prove every night that nobody touched the audit; a break is an error in the log, which an alert watches."""
    from shared_code.operations.audit import prove

    prove()


@timer(blueprint, "0 50 * * * *", monitored=True)
def check_invariants() -> None:
    """Check every hour what must always be true; what is not is an error in the log, which an alert watches."""
    from shared_code.operations.invariants.service import watch_invariants

    watch_invariants()


@timer(blueprint, "0 */10 * * * *")
def receive_missed_drops() -> None:
    """Take up dropped files whose triggers were spent while a dependency was away."""
    from shared_code.edw.watch import receive_missed_drops

    receive_missed_drops()
