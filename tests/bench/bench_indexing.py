"""P6: importing the app as the platform indexes it, against `import azure.functions` alone, in fresh interpreters."""

import subprocess
import sys

from tests.bench.figures import median_seconds, report


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    bare = median_seconds(lambda: _run("pass"), 7)
    library = median_seconds(lambda: _run("import azure.functions"), 7) - bare
    app = median_seconds(lambda: _run("import function_app; function_app.app.get_functions()"), 7) - bare
    report(
        "P6 indexing", app * 1000, "ms", "≤ 2.5 × import azure.functions", ("import azure.functions", library * 1000)
    )


if __name__ == "__main__":
    main()
