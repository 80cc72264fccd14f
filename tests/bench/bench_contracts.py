"""P10: reading and validating a contract, legacy file and stored form, over the invented operator's mix."""

import tempfile
import time
from pathlib import Path

from sample_data.generate import generate
from sample_data.options import SampleOptions, parse_periods
from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.schema import Contract
from tests.bench.figures import report

SITES = 300


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        generate(SampleOptions(out=out, sites=SITES, volume="light", periods=parse_periods("2026-10")))
        files = [(path.name, path.read_bytes()) for path in sorted((out / "contract-drops").glob("*.json"))]
    stored = [read_legacy(data, name).contract.model_dump_json(by_alias=True) for name, data in files]
    begun = time.process_time()
    for name, data in files:
        read_legacy(data, name)
    report("P10 legacy file", (time.process_time() - begun) * 1000 / len(files), "ms", "≤ 1.0 ms")
    begun = time.process_time()
    for text in stored:
        Contract.model_validate_json(text)
    report("P10 stored form", (time.process_time() - begun) * 1000 / len(files), "ms", "≤ 0.15 ms")


if __name__ == "__main__":
    main()
