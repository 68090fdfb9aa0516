"""The charts, as SVG that comes out the same whenever it is made of the same figures."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from figures import by_size as measured_by_size  # noqa: E402

STYLE = {
    "svg.hashsalt": "golden thread",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.axisbelow": True,
    "figure.figsize": (7.5, 4.2),
}
COLOURS = ["#1b6ca8", "#d1782c", "#3b8f5a", "#8a5aa8", "#b0413e"]


def draw(parts, folder):
    """Draws what was measured; returns the files' names, each with its title."""
    drawn = []
    with plt.rc_context(STYLE):
        for name, title, chart in CHARTS:
            figure, axes = plt.subplots(layout="constrained")
            if chart(axes, parts):
                axes.set_title(title, loc="left")
                plain_numbers(axes)
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
                drawn.append((f"{name}.svg", title))
            plt.close(figure)
    return drawn


def plain_numbers(axes):
    """Logarithmic axes with 0.1, 1, 1,000 and not with powers of ten."""
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        if scale == "log":
            axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
            axis.set_minor_formatter("")


def rates(axes, parts):
    sealing = parts.get("sealing")
    if not sealing:
        return False
    per_second = sealing["per_second"]
    rows = [
        ("signatures alone, all cores", "signatures_alone"), ("sealed, embedded", "sealed"),
        ("PostgreSQL, batches of 1,000", "postgresql_batched"), ("sealed, NATS, one server", "nats_one"),
        ("sealed, NATS, three servers", "nats_three"), ("PostgreSQL, one commit a row", "postgresql_single"),
    ]
    shown = [(label, per_second[name]) for label, name in rows][::-1]
    middle = [spread["median"] for _, spread in shown]
    below = [spread["median"] - spread["min"] for _, spread in shown]
    above = [spread["max"] - spread["median"] for _, spread in shown]
    axes.barh([label for label, _ in shown], middle, xerr=(below, above), color=COLOURS[0], ecolor="#555", capsize=3)
    axes.set_xlabel("a second (median of the rounds; the lines are from the least to the most)")
    return True


def paces(axes, parts):
    rows = (parts.get("sealing") or {}).get("latency", {}).get("embedded")
    if not rows:
        return False
    numbers = [row["in_flight"] for row in rows]
    for colour, name, label in zip(COLOURS, ("p50_ms", "p99_ms", "p999_ms"), ("p50", "p99", "p99.9")):
        axes.plot(numbers, [row[name]["median"] for row in rows], marker="o", color=colour, label=label)
    axes.set(xscale="log", yscale="log", xlabel="statements unanswered at a time", ylabel="ms to the receipt")
    axes.legend()
    return True


def publishers(axes, parts):
    rows = (parts.get("sealing") or {}).get("by_publishers")
    if not rows:
        return False
    labels = [str(row["publishers"]) for row in rows]
    for colour, name, label in zip(COLOURS, ("embedded_per_second", "nats_per_second"), ("embedded", "NATS, one server")):
        axes.plot(labels, [row[name]["median"] for row in rows], marker="o", color=colour, label=label)
    axes.set(xlabel="publishers", ylabel="statements a second", ylim=(0, None))
    axes.legend()
    return True


def by_size(kind, members, ylabel, yscale="log"):
    """Members of the rows by size; each is (path, label)."""

    def chart(axes, parts):
        rows, found = measured_by_size(parts, kind), False
        for colour, (path, label) in zip(COLOURS, members):
            points = [(row["size"], value) for row in rows if (value := follow(row, path)) is not None]
            if points:
                axes.plot(*zip(*points), marker="o", color=colour, label=label)
                found = True
        if found:
            axes.set(xscale="log", yscale=yscale, xlabel="entries", ylabel=ylabel)
            axes.legend()
        return found

    return chart


def follow(row, path):
    for step in path.split("."):
        row = row.get(step) if isinstance(row, dict) else None
    if isinstance(row, dict):
        row = row.get("median")
    return row if isinstance(row, (int, float)) and not isinstance(row, bool) else None


def questions(axes, parts):
    rows = (parts.get("questions") or {}).get("questions")
    if not rows:
        return False
    places = range(len(rows))
    for shift, side, label, colour in ((0.2, "views", "views, p50", COLOURS[0]), (-0.2, "sql", "SQL, p50", COLOURS[1])):
        axes.barh([place + shift for place in places], [row[side]["p50"] for row in rows], 0.38, label=label, color=colour)
    axes.set_yticks(list(places), [row["question"] for row in rows])
    axes.set(xscale="log", xlabel="ms to answer")
    axes.legend()
    return True


CHARTS = [
    ("rates", "Sealing beside what it can be compared with", rates),
    ("latency", "Latency to a receipt, embedded", paces),
    ("publishers", "Sealing by the number of publishers", publishers),
    ("views-answers", "The views' answers by the size of the log", by_size(
        "views", [("timeline.p50", "timeline, p50"), ("timeline.p99", "timeline, p99"),
                  ("open_alerts.p50", "alerts that wait, p50"), ("open_alerts.p99", "alerts that wait, p99")], "ms")),
    ("views-rebuild", "Entries a second by the size of the log", by_size(
        "views", [("rebuilt_per_second", "views rebuilt"), ("sealed_per_second", "signed and sealed")], "entries a second", "linear")),
    ("memory", "Memory by the size of the log", by_size(
        "log", [("grown.most_resident_mib", "most while sealing"), ("after_stop.resident_mib", "after a start")], "MiB", "linear")),
    ("memory-views", "Memory with views by the size of the log", by_size(
        "views", [("resident_mib", "ledger and views, most resident")], "MiB", "linear")),
    ("sealing-by-size", "Statements sealed a second by the size of the log", by_size(
        "log", [("grown.sealed_per_second", "sealed")], "statements a second", "linear")),
    ("start-up", "Start-up of the ledger by the size of the log", by_size(
        "log", [("after_stop.seconds", "after a stop"), ("after_kill.seconds", "after a kill")], "seconds")),
    ("start-up-views", "Start-up of the views by the size of the log", by_size(
        "views", [("reopen_seconds", "kept"), ("rebuild_seconds", "built anew")], "seconds")),
    ("proofs", "A proof by the size of the log", by_size(
        "log", [("after_stop.proof_microseconds", "inclusion"), ("after_stop.receipt_microseconds", "receipt made")], "µs", "linear")),
    ("disk", "Disk by the size of the log", by_size(
        "log", [("disk.log", "log"), ("disk.vault", "vault"), ("disk.keyring", "keyring"), ("disk.state", "state")], "bytes an entry", "linear")),
    ("questions", "The same questions to the views and to SQL", questions),
]
