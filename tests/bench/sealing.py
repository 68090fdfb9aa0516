"""Sealing: in turn through the ledger, signatures alone, into the audit table one by one and in batches, and over NATS."""

import audit
from figures import ratio, spread
from nats_servers import Cluster
from postgresql import PostgreSQL
from processes import say

# How many statements are unanswered where as many as possible are to be sealed; the sealer's batches have up to 1,000.
SATURATED = 7000
PUBLISHERS = 50
SINGLE_CLIENTS = 8
# While one commits, the other's batch is already there; more of them wait for the same lock.
BATCH_CLIENTS = 2
BATCH = 1_000
# Of the numbers of unanswered statements, the one that is nearest to PostgreSQL's clients who commit one row.
LIKE_CLIENTS = 10


def measure(run):
    """Each round measures everything once, on the same statements wherever they can be the same."""
    scale, rounds = run.scale, []
    with PostgreSQL(run.folder) as server, Cluster(run.program.nats_server, run.folder) as cluster:
        for number in range(1, scale.rounds + 1):
            say(f"sealing, round {number} of {scale.rounds}")
            rounds.append(measure_round(run, server, cluster))
        version = server.version
    return summary(rounds) | {"postgresql": version, "by_publishers": by_publishers(run)}


def measure_round(run, server, cluster):
    scale, program = run.scale, run.program
    statements = run.folder / "statements"
    # What is kept goes with the part's folder: some file systems look past what was removed in the last minutes whenever they make a file.
    common = ["--keep", "--rounds", 1, "--publishers", PUBLISHERS]
    many, slower = ([*common, "--statements", count] for count in (scale.statements, scale.slower))
    paced = program.bench(*many, "--in-flight", SATURATED, "--export", statements)
    audit.prepare(server)
    single = audit.append(server, statements, SINGLE_CLIENTS, 1, scale.single_rows)
    audit.check(server, statements, scale.single_rows)
    audit.prepare(server)
    batched = audit.append(server, statements, BATCH_CLIENTS, BATCH, scale.statements)
    audit.check(server, statements, scale.statements)
    audit.drop(server)
    statements.unlink()
    return {
        "paced": paced,
        "single": single,
        "batched": batched,
        "plain": program.bench(*many, "--rate", 0),
        "nats_one": program.bench(*slower, "--rate", 500, "--seconds", scale.seconds, *own_server(program)),
        "nats_three": program.bench(*slower, "--rate", 500, "--seconds", scale.seconds, *cluster.options()),
        "ladder": program.bench(*slower, "--in-flight", ",".join(map(str, scale.in_flight))),
    }


def own_server(program):
    return ["--nats", "--nats-server", program.nats_server]


def by_publishers(run):
    """The same number of statements, signed by few or by many."""
    scale, program, found = run.scale, run.program, {}
    for _ in range(scale.rounds):
        for publishers in scale.publishers:
            common = ["--keep", "--rounds", 1, "--statements", scale.slower, "--publishers", publishers]
            embedded = program.bench(*common, "--in-flight", SATURATED)
            nats = program.bench(*common, "--rate", 0, *own_server(program))
            rounds = found.setdefault(publishers, ([], []))
            rounds[0].append(embedded["paces"][0])
            rounds[1].append(nats)
    return [
        {
            "publishers": publishers,
            "embedded_per_second": spread(one["sealed_per_second"]["median"] for one in embedded),
            "nats_per_second": spread(one["request_to_receipt_per_second"]["median"] for one in nats),
            "embedded_latency": percentiles([one["latency"] for one in embedded]),
            "nats_latency": percentiles([one["saturated_latency"] for one in nats]),
        }
        for publishers, (embedded, nats) in found.items()
    ]


def summary(rounds):
    def of(measured, *path):
        def follow(value):
            for step in path:
                value = value[step]
            return value

        return [follow(one[measured]) for one in rounds]

    sealed = of("paced", "paces", 0, "sealed_per_second", "median")
    single, batched = of("single", "rows_per_second"), of("batched", "rows_per_second")
    three = of("nats_three", "request_to_receipt_per_second", "median")
    one = of("nats_one", "request_to_receipt_per_second", "median")
    unanswered = [one["in_flight"] for one in rounds[0]["ladder"]["paces"]]
    alike = of("ladder", "paces", unanswered.index(LIKE_CLIENTS), "sealed_per_second", "median")
    one_singly, three_singly = (
        of(servers, "broker_alone_singly_per_second", "median") for servers in ("nats_one", "nats_three")
    )
    return {
        "rounds": len(rounds),
        "statement_bytes": rounds[0]["plain"]["mean_statement_bytes"],
        "disclosures_bytes": rounds[0]["plain"]["mean_disclosures_bytes"],
        "receipt_check_ms": spread(of("paced", "receipt_check_ms")),
        "per_second": {
            "sealed": spread(sealed),
            "sealed_beside_signatures": spread(of("plain", "sealed_per_second", "median")),
            "signatures_alone": spread(of("plain", "verified_per_second", "median")),
            "postgresql_single": spread(single),
            "postgresql_batched": spread(batched),
            "nats_one": spread(one),
            "nats_three": spread(three),
            "broker_one": spread(of("nats_one", "broker_alone_per_second", "median")),
            "broker_three": spread(of("nats_three", "broker_alone_per_second", "median")),
            "broker_one_singly": spread(one_singly),
            "broker_three_singly": spread(three_singly),
        },
        "ratios": {
            "to_signatures": spread(of("plain", "ratio", "median")),
            "to_signatures_processor": processor(of("plain", "processor")),
            "to_postgresql_single": ratio(sealed, single),
            "to_postgresql_batched": ratio(sealed, batched),
            "alike_to_postgresql_single": ratio(alike, single),
            "nats_one_to_embedded": ratio(one, sealed),
            "nats_three_to_embedded": ratio(three, sealed),
            "nats_one_to_broker": spread(of("nats_one", "ratio", "median")),
            "nats_three_to_broker": spread(of("nats_three", "ratio", "median")),
            "nats_one_to_broker_singly": ratio(one, one_singly),
            "nats_three_to_broker_singly": ratio(three, three_singly),
        },
        "latency": {
            "embedded": [pace(of("ladder", "paces", at)) for at in range(len(rounds[0]["ladder"]["paces"]))],
            "postgresql_single": percentiles([one["single"] for one in rounds]),
            "postgresql_batched": percentiles([one["batched"] for one in rounds]),
            "nats_one_saturated": percentiles(of("nats_one", "saturated_latency")),
            "nats_three_saturated": percentiles(of("nats_three", "saturated_latency")),
            "broker_one_by_one": percentiles(of("nats_one", "broker_alone_one_by_one_latency")),
            "broker_three_one_by_one": percentiles(of("nats_three", "broker_alone_one_by_one_latency")),
            "nats_one_at_500": percentiles(of("nats_one", "latency")),
            "nats_three_at_500": percentiles(of("nats_three", "latency")),
        },
        "shares_of_the_processor": {
            "postgresql_single_client": spread(of("single", "client_share")),
            "postgresql_single_server": spread(of("single", "server_share")),
            "postgresql_batched_client": spread(of("batched", "client_share")),
            "postgresql_batched_server": spread(of("batched", "server_share")),
            "sealing": share(of("plain", "processor")),
        },
        "cost": {name: cost(of(name, "processor_microseconds_a_statement")) for name in ("nats_one", "nats_three")},
    }


def pace(rounds):
    """The rounds of one number of unanswered statements."""
    return {
        "in_flight": rounds[0]["in_flight"],
        "batch": spread(one["statements_a_batch"] for one in rounds),
        "per_second": spread(one["sealed_per_second"]["median"] for one in rounds),
        **percentiles([one["latency"] for one in rounds]),
    }


def percentiles(rounds):
    """None of fewer requests than it takes: it would be the slowest."""
    needed = {"p50_ms": 1, "p99_ms": 100, "p999_ms": 1000}
    fewest = min(one["requests"] for one in rounds)
    return {name: spread(one[name] for one in rounds) for name, least in needed.items() if fewest >= least}


def cost(rounds):
    """Microseconds of processor time a statement, by who takes them; nothing where the system does not tell."""
    if not all(rounds):
        return None
    return {who: spread(one[who] for one in rounds) for who in ("node", "publishers", "broker", "busy") if rounds[0][who] is not None}


def processor(rounds):
    return spread(one["ratio"] for one in rounds) if all(rounds) else None


def share(rounds):
    return spread(one["busy"] for one in rounds) if all(rounds) else None
