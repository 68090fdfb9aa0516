"""The report in Markdown: the aims first, then ratios, then absolute figures."""

from figures import by_size

NOISE = (
    "Other work on a machine moves absolute figures a lot and ratios less: things that are compared ran in turn, round by round, "
    "but for views beside SQL and beside sealing, where one came after the other. Figures of rounds are their medians, in brackets the least and the most; growth, views and questions are measured once."
)


def write(report, charts, links=""):
    parts, machine = report["parts"], report["machine"]
    blocks = [
        *warnings(report),
        f"Made with `tests/bench/run{arguments(report)}`: {machine['system']}, {machine['cores']} cores of {machine['processor']}, "
        f"{machine['memory_gib']} GiB, {machine['file_system']}; {machine['program']}. Load of the machine before: "
        f"{machine['load_before']:.1f}. {NOISE}",
        "### Aims",
        aims(report["aims"]),
    ]
    measured = {**parts, "growth": {kind: by_size(parts, kind) for kind in ("log", "views")}}
    for name, section in SECTIONS:
        if measured.get(name):
            blocks += section(measured[name])
    failed = report.get("failed") or {}
    if failed:
        blocks += ["### What could not be measured", table(["part", "why"], [[name, f"`{why[:300]}`"] for name, why in failed.items()])]
    if charts:
        blocks += ["### Charts", "\n".join(f"![{title}]({links}{name})" for name, title in charts)]
    return "\n\n".join(blocks) + "\n"


def warnings(report):
    """What makes the figures good for nothing but finding out whether everything works."""
    machine, found = report["machine"], []
    if machine["load_before"] > machine["cores"] / 4:
        found.append("other work was running on the machine")
    if machine["file_system"] in ("tmpfs", "ramfs"):
        found.append("the data lay in memory, where a sync costs nothing")
    if report["scale"] == "quick":
        found.append("the run was a small one")
    return [f"**Not to be quoted: {'; '.join(found)}.**"] if found else []


def arguments(report):
    told = "" if report["scale"] == "normal" else f" --{report['scale']}"
    return told + "".join(f" --only {part}" for part in report.get("only") or [])


def aims(judged):
    rows = []
    for aim in judged:
        sense = "≥" if aim["sense"] == "least" else "<"
        unit = f" {aim['unit']}" if aim["unit"] else ""
        measured = "not measured" if aim["measured"] is None else f"{number(aim['measured'])}{unit}"
        verdict = {True: "reached", False: "**not reached**", None: "–"}[aim["reached"]]
        rows.append([aim["aim"], f"{sense} {aim['bound']:g}{unit}", measured, verdict])
    return table(["aim", "", "measured", ""], rows)


def sealing(part):
    ratios, per_second, shares = part["ratios"], part["per_second"], part["shares_of_the_processor"]
    return [
        f"### Sealing\n\n{part['rounds']} rounds; statements of {part['statement_bytes']} bytes with {part['disclosures_bytes']} bytes of "
        f"disclosures on average; PostgreSQL {part['postgresql']}. PostgreSQL stores the same bytes in a hash chain; it checks no "
        "signature, encrypts nothing and gives no receipt.",
        table(["ratio", "median", "from", "to"], [
            spread_row("sealing ÷ signatures alone, wall clock", ratios["to_signatures"]),
            spread_row("sealing ÷ signatures alone, processor time", ratios["to_signatures_processor"]),
            spread_row("sealing, 7,000 unanswered ÷ PostgreSQL, one commit a row, 8 clients", ratios["to_postgresql_single"]),
            spread_row("sealing, 10 unanswered ÷ the same", ratios.get("alike_to_postgresql_single")),
            spread_row("sealing, 7,000 unanswered ÷ PostgreSQL, batches of 1,000, 2 clients", ratios["to_postgresql_batched"]),
            spread_row("NATS, one server ÷ embedded", ratios["nats_one_to_embedded"]),
            spread_row("NATS, three servers ÷ embedded", ratios["nats_three_to_embedded"]),
            spread_row("NATS, one server ÷ what the broker alone stores", ratios["nats_one_to_broker"]),
            spread_row("NATS, three servers ÷ what the brokers alone store", ratios["nats_three_to_broker"]),
            spread_row("NATS, one server ÷ what it stores of single messages", ratios.get("nats_one_to_broker_singly")),
            spread_row("NATS, three servers ÷ what they store of single messages", ratios.get("nats_three_to_broker_singly")),
        ]),
        table(["a second", "median", "from", "to"], [spread_row(RATES[name], spread) for name, spread in per_second.items()]),
        table(["share of all cores' time", "median", "from", "to"],
              [spread_row(SHARES[name], spread) for name, spread in shares.items()]),
        *costs(part.get("cost")),
        "Latency in ms, to a receipt in hand (embedded and over NATS), to the commit (PostgreSQL), or to the acknowledgement (brokers alone). "
        f"Checking a receipt takes {number(part['receipt_check_ms']['median'])} ms more. Rounds of a few hundred have no p99.9, and those of fewer no p99.",
        table(["", "a batch", "a second", "p50", "p99", "p99.9"], latencies(part["latency"])),
        "By publishers, all of whom together have up to 7,000 statements unanswered, embedded and over NATS with one server. ms to a receipt.",
        table(["publishers", *(f"{how}, {what}" for how in ("embedded", "NATS") for what in ("a second", "p50", "p99"))], [
            [str(row["publishers"]), *(cell for how in ("embedded", "nats") for cell in by_publishers(row, how))]
            for row in part["by_publishers"]
        ]),
    ]


SHARES = {
    "postgresql_single_client": "PostgreSQL, one commit a row: its clients",
    "postgresql_single_server": "PostgreSQL, one commit a row: the server",
    "postgresql_batched_client": "PostgreSQL, batches: its clients",
    "postgresql_batched_server": "PostgreSQL, batches: the server",
    "sealing": "sealing, embedded",
}
RATES = {
    "sealed": "sealed, embedded, as many unanswered as go",
    "sealed_beside_signatures": "sealed, embedded, in the rounds with signatures",
    "signatures_alone": "signatures alone (`verify_strict`), all cores",
    "postgresql_single": "PostgreSQL, one commit a row, 8 clients",
    "postgresql_batched": "PostgreSQL, batches of 1,000, 2 clients",
    "nats_one": "sealed, NATS, one server",
    "nats_three": "sealed, NATS, three servers",
    "broker_one": "broker alone, one server, atomic batches of 1,000",
    "broker_three": "brokers alone, three servers, atomic batches of 1,000",
    "broker_one_singly": "broker alone, one server, single messages, 1,000 unacknowledged",
    "broker_three_singly": "brokers alone, three servers, single messages, 1,000 unacknowledged",
}


def costs(cost):
    rows = [
        [f"NATS, {servers}", *(shown((cost or {}).get(name, {}).get(who)) for who in ("node", "publishers", "broker", "busy"))]
        for name, servers in (("nats_one", "one server"), ("nats_three", "three servers")) if (cost or {}).get(name)
    ]
    return [table(["µs of processor time a statement", "node, with its views", "publishers", "brokers", "share of all cores' time"], rows)] if rows else []


def by_publishers(row, how):
    # Reports of before do not have it.
    latency = row.get(f"{how}_latency", {})
    return [shown(row[f"{how}_per_second"]), shown(latency.get("p50_ms")), shown(latency.get("p99_ms"))]


def latencies(latency):
    def row(name, figures, batch="", per_second=""):
        percentiles = [shown((figures or {}).get(percentile)) for percentile in ("p50_ms", "p99_ms", "p999_ms")]
        return [name, batch, per_second, *percentiles]

    embedded = [
        row(f"embedded, {one['in_flight']} unanswered", one, number(one["batch"]["median"]), number(one["per_second"]["median"]))
        for one in latency["embedded"]
    ]
    return [
        *embedded,
        row("NATS, one server, 7000 unanswered", latency.get("nats_one_saturated")),
        row("NATS, three servers, 7000 unanswered", latency.get("nats_three_saturated")),
        row("NATS, one server, at 500/s", latency["nats_one_at_500"], per_second="500"),
        row("NATS, three servers, at 500/s", latency["nats_three_at_500"], per_second="500"),
        row("PostgreSQL, one commit a row, 8 clients", latency["postgresql_single"], "1"),
        row("PostgreSQL, batches of 1,000", latency["postgresql_batched"], "1000"),
        row("broker alone, one server, 1 unacknowledged", latency.get("broker_one_by_one"), "1"),
        row("brokers alone, three servers, 1 unacknowledged", latency.get("broker_three_one_by_one"), "1"),
    ]


def receipts(part):
    percentiles = ("p50_ms", "p99_ms", "p999_ms", "max_ms")
    rows = [[str(row["rate"]), *(shown(row.get(name)) for name in ("answered_per_second", *percentiles))] for row in part]
    alone = [(row["rate"], row["disk_alone"], row["to_disk_alone"]) for row in part if "disk_alone" in row]
    blocks = ["### Receipts over HTTP", "ms from the time at which a request was due to its receipt.",
              table(["asked a second", "answered a second", "p50", "p99", "p99.9", "slowest"], rows)]
    if alone:
        blocks += [
            "ms from the time at which a batch was due until its files were synced, where the disk did the same again alone: as many batches a second as "
            "the sealer made at this rate, of as many bytes, right after each round.",
            table(["statements asked a second", "batches a second", "p50", "p99", "p99.9", "slowest", "p99 of receipts ÷ this p99"],
                  [[str(rate), *(shown(disk.get(name)) for name in ("answered_per_second", *percentiles)), shown(ratio)] for rate, disk, ratio in alone]),
        ]
    return blocks


def growth(part):
    blocks = []
    for kind, title in (("log", "The ledger by the size of the log, in entries."), ("views", "The views of a generated history by its size, in entries.")):
        rows = [flat(row) for row in part[kind]]
        if rows:
            head = ["", *(f"{row['size']:,.0f}" for row in rows)]
            blocks += [title, table(head, [[label, *(number(row.get(name)) for row in rows)] for name, label in GROWTH[kind]])]
    return ["### Growth", *blocks] if blocks else []


def started(name, how):
    return [
        (f"{name}.seconds", f"started after a {how}: seconds until it seals"),
        (f"{name}.processor_seconds", "the same, seconds of processor time"),
        (f"{name}.read_again", "entries that it read again"),
        (f"{name}.resident_mib", "memory that was resident then, MiB"),
        (f"{name}.most_resident_mib", "most memory that was resident until then, MiB"),
        (f"{name}.proof_microseconds", "inclusion proof of an entry, µs"),
        (f"{name}.receipt_microseconds", "receipt again for a statement that was sealed before, µs"),
    ]


def asked(name, what):
    return [(f"{name}.{percentile}", f"{what}, {percentile}, ms") for percentile in ("p50", "p99")]


GROWTH = {
    "log": [
        ("grown.entries", "entries"),
        ("grown.owners", "owners of keys: people and agencies"),
        ("grown.sealed_per_second", "statements sealed a second"),
        ("grown.microseconds", "processor time of one of them, µs"),
        ("grown.most_resident_mib", "most memory that was resident meanwhile, MiB"),
        ("grown.stop_seconds", "a clean stop, seconds"),
        *started("after_stop", "stop"),
        *started("after_kill", "kill"),
        *((f"disk.{name}", f"disk, bytes an entry: {name}") for name in ("log", "vault", "keyring", "state")),
    ],
    "views": [
        ("sealed_per_second", "statements signed and sealed a second, to make it"),
        ("rebuilt_per_second", "entries folded a second, when the views are built anew"),
        ("rebuild_microseconds", "processor time of one of them, µs"),
        ("rebuild_seconds", "views built anew, seconds"),
        ("open_seconds", "start of the ledger, seconds"),
        ("reopen_seconds", "views ready after that, where they were kept, seconds"),
        ("resident_mib", "most memory that was resident, ledger and views, MiB"),
        ("view_bytes_an_entry", "disk of the views, bytes an entry"),
        ("planted", "alerts that the history was made to have"),
        ("standing", "alerts that wait for somebody at its end"),
        *asked("timeline", "a child's timeline"),
        *asked("open_alerts", "the alerts that wait"),
    ],
}


def flat(row, before=""):
    """Numbers of a row, those of its inner objects by their paths."""
    found = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[f"{before}{name}"] = value
    return found


def verification(part):
    ratios = [spread_row("a whole folder ÷ signatures alone, wall clock", part["ratio"])]
    if part.get("processor"):
        ratios.append(["the same, processor time", number(part["processor"]["ratio"]), "", ""])
    return [
        f"### Verification\n\n{part['entries']:,} entries of {part['signers']} signers; most memory resident: {number(part['resident_mib'])} MiB.",
        table(["ratio", "median", "from", "to"], ratios),
        table(["a second", "median", "from", "to"], [
            spread_row("entries, everything checked", part["entries_per_second"]),
            spread_row("signatures alone, all cores", part["signatures_per_second"]),
        ]),
    ]


def to_and_back(part):
    alone = part.get("sql_asked_nothing")
    return f": a question that asks nothing takes {number(alone['p50'])} (p99 {number(alone['p99'])})" if alone else ""


def questions(part):
    rows, kept = [], []
    for row in part["questions"]:
        rows.append([row["question"], number(row["ratio_p50"]), *(number(row[side][at]) for side in ("views", "sql") for at in ("p50", "p99")),
                     str(row["compared"])])
        if row.get("sql_kept"):
            kept.append([row["question"], *(number(row["sql_kept"][name]) for name in ("renew_p50", "read_p50", "read_p99"))])
    return [
        f"### Questions\n\n{part['events']:,} events. Every answer of SQL was compared with that of the views, and is the same. The views keep "
        "alerts as entries come; SQL works them out when it is asked. ms to answer; a ratio above 1 is how much longer SQL takes, "
        f"the way to the server and back included{to_and_back(part)}.",
        table(["question", "SQL ÷ views, p50", "views p50", "views p99", "SQL p50", "SQL p99", "answers compared"], rows),
        "What PostgreSQL works out over the whole history, as a materialized view: fast to read, as old as its last renewal.",
        table(["question", "ms to renew", "ms to read, p50", "p99"], kept),
    ]


SECTIONS = [
    ("sealing", sealing), ("receipts", receipts), ("verification", verification), ("growth", growth), ("questions", questions),
]


def table(head, rows):
    line = lambda cells: "| " + " | ".join(str(cell) for cell in cells) + " |"  # noqa: E731
    align = "|" + "|".join("---" if at == 0 else "---:" for at in range(len(head))) + "|"
    return "\n".join([line(head), align, *(line(row) for row in rows)])


def spread_row(name, spread):
    return [name, "–", "", ""] if spread is None else [name, number(spread["median"]), number(spread["min"]), number(spread["max"])]


def shown(spread):
    return "–" if spread is None else f"{number(spread['median'])} ({number(spread['min'])}–{number(spread['max'])})"


def number(value):
    """Three figures that say something; large ones whole."""
    if value is None:
        return "–"
    # From here on three figures would be written as a power of ten.
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
