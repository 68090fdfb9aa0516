"""What was aimed at, and what was reached: of each aim where its figure stands in the report, and which way is better."""

from dataclasses import dataclass

from figures import by_size


@dataclass(frozen=True)
class Aim:
    says: str
    # "least": the figure is to be at least the bound; "below": it is to be below it.
    sense: str
    bound: float
    unit: str
    # Finds the figure in the parts; nothing if it was not measured.
    figure: object


def path(*steps):
    def follow(parts):
        value = parts
        for step in steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and len(value) > step:
                value = value[step]
            else:
                return None
        return value.get("median") if isinstance(value, dict) else value

    return follow


def at_size(kind, size, *steps):
    """A figure of the log, or of the views, of so many entries."""

    def follow(parts):
        row = next((row for row in by_size(parts, kind) if row["size"] == size), None)
        return path(*steps)(row) if row else None

    return follow


def catching_up(size):
    """Entries a second that the views take of a history of so many entries, in terms of what is sealed."""

    def follow(parts):
        taken = at_size("views", size, "rebuilt_per_second")(parts)
        sealed = path("sealing", "per_second", "sealed")(parts)
        return taken / sealed if taken and sealed else None

    return follow


def receipts_at_a_thousand(parts):
    row = next((row for row in parts.get("receipts") or [] if row["rate"] == 1000), None)
    return path("p99_ms")(row) if row else None


TEN_MILLION, MILLION = 10_000_000, 1_000_000

AIMS = [
    Aim("sealing, embedded ÷ verify_strict on all cores", "least", 0.80, "", path("sealing", "ratios", "to_signatures")),
    Aim("sealing ÷ PostgreSQL, one commit a row", "least", 8, "", path("sealing", "ratios", "to_postgresql_single")),
    Aim("sealing ÷ PostgreSQL, batches of 1,000", "least", 1.2, "", path("sealing", "ratios", "to_postgresql_batched")),
    Aim("receipt over HTTP at 1,000/s, p99", "below", 15, "ms", receipts_at_a_thousand),
    Aim("NATS, three servers ÷ embedded", "least", 0.30, "", path("sealing", "ratios", "nats_three_to_embedded")),
    Aim("verification ÷ verify_strict on all cores", "least", 0.95, "", path("verification", "ratio")),
    Aim("start-up at 10 million entries, after a kill", "below", 2, "s", at_size("log", TEN_MILLION, "after_kill", "seconds")),
    Aim("start-up under 10 million entries of a history with views", "below", 2, "s", at_size("views", TEN_MILLION, "open_seconds")),
    Aim("views at 10 million entries ready after start-up", "below", 10, "s", at_size("views", TEN_MILLION, "reopen_seconds")),
    Aim("memory while sealing at 10 million entries", "below", 572, "MiB", at_size("log", TEN_MILLION, "grown", "most_resident_mib")),
    Aim("views built anew at 1 million ÷ sealing, each alone", "least", 1.0, "", catching_up(MILLION)),
    Aim("views built anew at 10 million ÷ sealing, each alone", "least", 1.0, "", catching_up(TEN_MILLION)),
    Aim("a child's timeline at 1 million, p99", "below", 5, "ms", at_size("views", MILLION, "timeline", "p99")),
    Aim("alerts that wait at 1 million, p99", "below", 5, "ms", at_size("views", MILLION, "open_alerts", "p99")),
]


def judge(parts):
    """Each aim, with what was measured and whether that reaches it."""
    judged = []
    for aim in AIMS:
        found = aim.figure(parts)
        reached = None if found is None else (found >= aim.bound if aim.sense == "least" else found < aim.bound)
        judged.append({"aim": aim.says, "sense": aim.sense, "bound": aim.bound, "unit": aim.unit, "measured": found, "reached": reached})
    return judged
