"""`python -m localhost.host --app DIR --state DIR [--port P] [--scale-out N]`."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from localhost.host.catalog import IndexingError
from localhost.host.host import Options, lock_state, serve
from localhost.host.logs import configure_logging
from localhost.host.settings import SettingsError, apply_local_settings

EXIT_CANNOT_START = 1


def main(arguments: list[str] | None = None) -> int:
    """Run the host; 0 after an orderly stop, 1 with a text on stderr when it cannot start."""
    options = _options(arguments)
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
        orderly = asyncio.run(serve(options))
    except (IndexingError, SettingsError) as error:
        print(f"The host cannot start.\n{error}", file=sys.stderr, flush=True)
        return EXIT_CANNOT_START
    finally:
        if lock is not None:
            lock.close()
    if not orderly:
        # A sync function still blocks a pool thread; joining it would outlast the grace.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)
    return 0


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
