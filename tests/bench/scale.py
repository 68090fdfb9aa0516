"""How much is measured: a few minutes' worth, or what the figures of docs/PERFORMANCE.md are made with."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scale:
    name: str
    rounds: int
    # Of each round: statements through the sealer and rows in batches, which are fast; those by publishers and over NATS; and rows that are
    # committed one by one.
    statements: int
    slower: int
    single_rows: int
    # Unanswered statements at a time, and numbers of publishers.
    in_flight: tuple
    publishers: tuple
    # Requests at a fixed rate: seconds of each round.
    seconds: int
    # Sizes of logs, and of the histories that views are made of, that are verified and that are asked about.
    sizes: tuple
    folded: tuple
    # One more history, after everything else; none where it would take too long.
    largest: int | None
    verified: int
    asked: int
    questions: int


QUICK = Scale(
    name="quick", rounds=3, statements=6_000, slower=6_000, single_rows=1_500, in_flight=(1, 10, 100, 1000, 7000),
    publishers=(1, 50), seconds=4, sizes=(2_000, 10_000), folded=(2_000, 10_000), largest=20_000, verified=10_000, asked=10_000,
    questions=300,
)
NORMAL = Scale(
    name="normal", rounds=3, statements=100_000, slower=50_000, single_rows=10_000, in_flight=(1, 10, 100, 1000, 7000),
    publishers=(1, 10, 50, 200), seconds=20, sizes=(10_000, 100_000, 1_000_000), folded=(10_000, 100_000, 1_000_000), largest=None,
    verified=1_000_000, asked=1_000_000, questions=2_000,
)
FULL = replace(NORMAL, name="full", sizes=(*NORMAL.sizes, 10_000_000), largest=10_000_000)
