"""Terms from notes: precision and recall per kind, on the half that rules were written on and on the other."""

import json
import time

from shared_code.contracts.notes import mine
from tests.bench.figures import median_seconds, report
from tests.unit.contracts.notes.labels import HALVES, Score, labelled, scores, total


def main() -> None:
    for half in HALVES:
        found = scores(labelled(half))
        for kind, score in found.items():
            _print(half, kind, score)
        _print(half, "all", total(found))
    notes = [one.note for half in HALVES for one in labelled(half)]
    begun = time.process_time()
    for note in notes:
        mine(note)
    report("notes, one note", (time.process_time() - begun) * 1000 / len(notes), "ms", "none")
    short = (" ".join(notes) * 4)[:20_000]
    report(
        "notes, four times the length",
        median_seconds(lambda: mine(short * 4)) * 1000,
        "ms",
        "none",
        ("20,000 letters", median_seconds(lambda: mine(short)) * 1000),
    )


def _print(half: str, kind: str, score: Score) -> None:
    line = {
        "name": "terms from notes",
        "half": half,
        "kind": kind,
        "right": score.right,
        "wrong": score.wrong,
        "missing": score.missing,
        "precision": _rounded(score.precision),
        "recall": _rounded(score.recall),
    }
    print(json.dumps(line), flush=True)


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, 3)


if __name__ == "__main__":
    main()
