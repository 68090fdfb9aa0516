"""What is measured by one command of the program each: growth, the views by size, verification, and latency over HTTP."""

from figures import spread


def growth(run):
    """Sealing, start-up, memory, disk and proofs by the size of the log; and the views of histories of the same sizes."""
    program, sizes, folded = run.program, run.scale.sizes, run.scale.folded
    # One folder, which grows from size to size.
    grown = program.bench("--growth", ",".join(map(str, sizes)))
    # Each a history of its own, whose statements are as long as they are: ten million of them take more disk than most machines have.
    views = [program.bench("--views", size, "--questions", run.scale.questions) for size in folded]
    return {
        "log": [{"size": size, **row} for size, row in zip(sizes, grown, strict=True)],
        "views": [{"size": size, **row} for size, row in zip(folded, views, strict=True)],
    }


def verification(run):
    """A whole data folder, beside its signatures alone: the program takes them in turn."""
    return run.program.bench("--verify", run.scale.verified, "--rounds", run.scale.rounds)


def receipts(run):
    """From request to receipt over HTTP, at a fixed rate."""
    found = []
    for rate in (500, 1000):
        rounds = [
            run.program.bench(
                "--statements", 2_000, "--rounds", 1, "--rate", rate, "--seconds", run.scale.seconds
            )["latency"]
            for _ in range(run.scale.rounds)
        ]
        names = ("answered_per_second", "p50_ms", "p99_ms", "p999_ms", "max_ms")
        figures = {name: spread(one[name] for one in rounds) for name in names if name in rounds[0]}
        found.append({"rate": rate, **figures})
    return found
