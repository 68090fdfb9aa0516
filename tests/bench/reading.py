"""What is measured by one command of the program each: growth, the views by size, verification, and latency over HTTP."""

import shutil

from figures import spread
from processes import Failed

# Of a generated history with its views, on disk: statements are as long as they are.
BYTES_AN_ENTRY = 5_800


def growth(run):
    """Sealing, start-up, memory, disk and proofs by the size of the log; and the views of histories of the same sizes."""
    program, sizes, folded = run.program, run.scale.sizes, run.scale.folded
    # One folder, which grows from size to size.
    grown = program.bench("--growth", ",".join(map(str, sizes)))
    # Each a history of its own.
    views = [program.bench("--views", size, "--questions", run.scale.questions) for size in folded]
    return {
        "log": [{"size": size, **row} for size, row in zip(sizes, grown, strict=True)],
        "views": [{"size": size, **row} for size, row in zip(folded, views, strict=True)],
    }


def largest(run):
    """The views of one more history. It is a part of its own, and the last one, since it takes as long as many of the others."""
    size = run.scale.largest
    if size is None:
        # Nobody asks for it by name to get nothing.
        if run.asked_for("largest"):
            raise Failed("largest is measured with --full, and a small one with --quick")
        return None
    needed, free = size * BYTES_AN_ENTRY, shutil.disk_usage(run.folder).free
    if free < needed:
        raise Failed(f"a history of {size:,} entries takes {needed / 1e9:.0f} GB with its views, and {free / 1e9:.0f} GB are free")
    return [{"size": size, **run.program.bench("--views", size, "--questions", run.scale.questions)}]


def verification(run):
    """A whole data folder, beside its signatures alone: the program takes them in turn."""
    return run.program.bench("--verify", run.scale.verified, "--rounds", run.scale.rounds)


def receipts(run):
    """From request to receipt over HTTP, at a fixed rate, and in turn what the disk alone takes of it."""
    found = []
    for rate in (500, 1000):
        rounds = [
            run.program.bench("--statements", 2_000, "--rounds", 1, "--rate", rate, "--seconds", run.scale.seconds)
            for _ in range(run.scale.rounds)
        ]
        figures = {**over_rounds(one["latency"] for one in rounds), "disk_alone": over_rounds(one["disk_alone"] for one in rounds)}
        figures["to_disk_alone"] = spread(one["latency"]["p99_ms"] / one["disk_alone"]["p99_ms"] for one in rounds)
        found.append({"rate": rate, **figures})
    return found


def over_rounds(measured):
    measured = list(measured)
    names = ("answered_per_second", "p50_ms", "p99_ms", "p999_ms", "max_ms")
    return {name: spread(one[name] for one in measured) for name in names if name in measured[0]}
