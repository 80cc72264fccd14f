"""`python -m localhost.host --app DIR --state DIR [--port P] [--scale-out N]`."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from localhost.host.catalog import IndexingError
from localhost.host.host import Ending, Options, lock_state, serve
from localhost.host.logs import configure_logging
from localhost.host.settings import SettingsError, apply_local_settings

EXIT_CANNOT_START = 1


def main(arguments: list[str] | None = None) -> int:
    """Run the host; 0 after an orderly stop, 1 with a text on stderr when it cannot start."""
    options = _options(arguments)
    started_in = Path.cwd()
    options.state_dir.mkdir(parents=True, exist_ok=True)
    configure_logging(options.state_dir, f"instance-{options.instance}" if options.instance else "main")
    lock = None
    try:
        if not options.app_dir.is_dir():
            raise SettingsError(f"the app folder {options.app_dir} does not exist")  # noqa: TRY301 - same exit
        if not options.instance:
            lock = lock_state(options.state_dir)
            # A host that was killed could not take its announcement back.
            (options.state_dir / "host.json").unlink(missing_ok=True)
        apply_local_settings(options.app_dir, os.environ)
        _watch_sql(os.environ.get("LOCALHOST_SQL_CHECK"))
        asyncio.run(_run(options, started_in))
    except (IndexingError, SettingsError) as error:
        print(f"The host cannot start.\n{error}", file=sys.stderr, flush=True)
        return EXIT_CANNOT_START
    finally:
        if lock is not None:
            lock.close()
    return 0


def _watch_sql(findings: str | None) -> None:
    """In tests: look at every statement of the app with the eyes of SQL Server, and append what it would refuse."""
    if findings:
        from localhost.sql_recorder import install

        install(Path(findings))


async def _run(options: Options, started_in: Path) -> None:
    """Serve; return after an orderly stop only. What is left behind otherwise must not be waited for."""
    ending, port = await serve(options)
    if ending is Ending.ORDERLY:
        return
    # Left: a thread of a sync function, or a task that does not let itself be cancelled. An end of the loop or of the
    # interpreter would join them.
    logging.shutdown()
    sys.stdout.flush()
    if ending is Ending.RECYCLE:
        os.chdir(started_in)  # the app's folder is current while it runs
        os.execv(sys.executable, _same_again(options, port))  # noqa: S606 - this program, with its own arguments
    os._exit(0)


def _same_again(options: Options, port: int) -> list[str]:
    """The command line of the process that takes this one's place."""
    where = ["--app", str(options.app_dir), "--state", str(options.state_dir), "--port", str(port)]
    number = ["--scale-out", str(options.scale_out), "--instance", str(options.instance)]
    return [sys.executable, "-m", "localhost.host", *where, *number]


def _options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m localhost.host", description="A local Functions host.")
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py and host.json")
    parser.add_argument("--state", type=Path, required=True, help="folder for keys, receipts and logs")
    parser.add_argument("--port", type=int, default=0, help="HTTP port, 0 for a free one")
    parser.add_argument("--scale-out", type=int, default=0, help="further processes for Service Bus triggers")
    parser.add_argument("--instance", type=int, default=0, help=argparse.SUPPRESS)
    parsed = parser.parse_args(arguments)
    if parsed.scale_out < 0 or not 0 <= parsed.port <= 65535:
        parser.error("--scale-out must not be negative, --port must be 0-65535")
    return Options(parsed.app.resolve(), parsed.state.resolve(), parsed.port, parsed.scale_out, parsed.instance)


if __name__ == "__main__":
    sys.exit(main())
