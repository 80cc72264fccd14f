"""The clock: the month's run, and the sweep of what an earlier process left behind."""

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("start_scheduled_billing")
@blueprint.timer_trigger(arg_name="timer", schedule="0 0 * * * *", run_on_startup=False, use_monitor=True)
def start_scheduled_billing(timer: func.TimerRequest) -> None:
    """An hourly tick that asks the calendar: timers are UTC and fire twice, the occurrence key is in the database."""
    from shared_code.statements.runs import start_scheduled_runs

    start_scheduled_runs()


@blueprint.function_name("sweep_unfinished_work")
@blueprint.timer_trigger(arg_name="timer", schedule="*/15 * * * * *", run_on_startup=False, use_monitor=False)
def sweep_unfinished_work(timer: func.TimerRequest) -> None:
    """Publish messages that were committed but not sent, and look after runs that stand still."""
    from shared_code.foundation.bus import sweep
    from shared_code.statements.runs import watch_running_runs

    sweep()
    watch_running_runs()
