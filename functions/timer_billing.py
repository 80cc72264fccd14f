"""The clock: the month's run, statements that facts have overtaken, and the sweep of what was left behind."""

import azure.functions as func

from functions.timer import each, timer

blueprint = func.Blueprint()


@timer(blueprint, "0 0 * * * *", monitored=True)
def start_scheduled_billing() -> None:
    """An hourly tick that asks the calendar: timers are UTC and fire twice, the occurrence key is in the database."""
    from shared_code.statements.runs import start_scheduled_runs

    start_scheduled_runs()


@timer(blueprint, "*/15 * * * * *")
def sweep_unfinished_work() -> None:
    """Publish messages that were not sent yet; look after runs, imports and late facts that stand still."""
    from shared_code.edw.slices import publish_reopened
    from shared_code.edw.watch import watch_imports
    from shared_code.foundation.bus import sweep
    from shared_code.statements.runs import watch_running_runs

    each(sweep, watch_running_runs, watch_imports, publish_reopened)


@timer(blueprint, "0 35 * * * *")
def draw_forgotten_documents() -> None:
    """Draw what was changed after its run was done and whose message was lost."""
    from shared_code.statements.rendering import draw_forgotten

    draw_forgotten()


@timer(blueprint, "10 * * * * *")
def watch_statements() -> None:
    """Mark statements that would be billed otherwise by now, with the difference."""
    from shared_code.statements.staleness.watch import WATCH

    WATCH.look()
