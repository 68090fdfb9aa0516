"""The same questions to the views and to SQL, about the same history; the answers must be the same."""

import json
import time

from figures import at
from postgresql import SQL, PostgreSQL
from processes import Failed, say

DATABASE = "history"
# Those that PostgreSQL works out over the whole history; kept in a materialized view they are fast to read and dear to renew.
OVER_ALL = ("places", "repeat-missing", "shared-location")
# How long one question is asked at most.
PATIENCE = 20


def measure(run):
    rows = run.folder / "rows"
    views = run.program.bench("--answers", rows, "--statements", run.scale.asked, "--questions", run.scale.questions)
    with PostgreSQL(run.folder) as server:
        server.make_database(DATABASE)
        load(server, rows / "events.ndjson")
        with server.connect(DATABASE) as connection:
            nothing = ask_nothing(connection, run.scale.questions)
            asked = [ask(connection, question, run.scale.questions) for question in views["questions"]]
    return {"events": views["events"], "views_seconds": views["views_seconds"], "sql_asked_nothing": nothing, "questions": asked}


def load(server, file):
    say("loading the history into PostgreSQL")
    server.run_sql(DATABASE, "history.sql")
    with server.connect(DATABASE) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY raw FROM STDIN") as copy, file.open() as lines:
            for line in lines:
                copy.write_row((line,))
        cursor.execute("SELECT load_history()")
        cursor.execute("DROP TABLE raw")
        (unlinked,) = cursor.execute("SELECT count(*) FROM event WHERE type = 'identifier.unlinked'").fetchone()
        if unlinked:
            raise Failed("the history takes links of identifiers back, which the table of identities does not follow")
    server.run_sql(DATABASE, "indexes.sql")
    with server.connect(DATABASE) as connection:
        connection.execute("VACUUM ANALYZE")


def ask_nothing(connection, times):
    """What the client, the socket and the server take of every answer."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.execute("SELECT 1", prepare=True).fetchall()
        took.append((time.perf_counter() - begun) * 1000)
    return {"p50": at(took, 500), "p99": at(took, 990)}


def ask(connection, question, times):
    """Asks SQL what the views were asked, as often, and compares each answer."""
    name, answers = question["question"], question["answers"]
    query = (SQL / f"{name}.sql").read_text()
    took, until = [], time.monotonic() + PATIENCE
    for number in range(max(times, len(answers))):
        answer = answers[number % len(answers)]
        begun = time.perf_counter()
        rows = connection.execute(query, {"about": answer["about"]}, prepare=True).fetchall()
        took.append((time.perf_counter() - begun) * 1000)
        if number < len(answers):
            compare(name, answer, rows)
        elif time.monotonic() > until:
            break
    say(f"{name}: {len(answers)} answers of the views and of SQL are the same")
    figures = {
        "question": name,
        "compared": len(answers),
        "items": sum(len(answer["items"]) for answer in answers),
        "views": {name: question["latency"][name] for name in ("questions", "p50", "p99")},
        "sql": {"questions": len(took), "p50": at(took, 500), "p99": at(took, 990)},
    }
    figures["ratio_p50"] = figures["sql"]["p50"] / max(figures["views"]["p50"], 1e-6)
    if name in OVER_ALL:
        figures["sql_kept"] = keep(connection, name, query, times)
    return figures


def keep(connection, name, query, times):
    """The question as a materialized view: how long it takes to renew, and to read."""
    table = f"kept_{name.replace('-', '_')}"
    connection.execute(f"CREATE MATERIALIZED VIEW {table} AS {query}")
    renewed, read = [], []
    for _ in range(3):
        begun = time.perf_counter()
        connection.execute(f"REFRESH MATERIALIZED VIEW {table}")
        renewed.append((time.perf_counter() - begun) * 1000)
    for _ in range(times):
        begun = time.perf_counter()
        connection.execute(f"SELECT * FROM {table}", prepare=True).fetchall()
        read.append((time.perf_counter() - begun) * 1000)
    return {"renew_p50": at(renewed, 500), "read_p50": at(read, 500), "read_p99": at(read, 990)}


def compare(name, answer, rows):
    """Answers about one thing come in an order; those about all of the history are sets of alerts, or ranks with ties."""
    expected = answer["items"]
    if name == "timeline":
        same = [[row[0], row[-1]] for row in rows] == expected
    elif name == "place":
        same = [row[0] for row in rows] == expected
    elif name == "places":
        def ranks(items):
            return [(item[1], item[3]) for item in items]

        # Where two places rank alike, which comes first is nobody's to say: at the end of a page either may be missing.
        last = ranks(expected)[-1] if expected else None
        found = {tuple(row) for row in rows if (row[1], row[3]) != last}
        same = ranks(expected) == ranks(rows) and found == {
            tuple(item) for item in expected if (item[1], item[3]) != last
        }
    else:
        same = sorted(expected) == sorted(list(row[0]) for row in rows)
    if not same:
        shown = json.dumps({"about": answer["about"], "views": expected[:5], "sql": [list(row) for row in rows[:5]]}, default=str)
        raise Failed(f"the question {name} has other answers in SQL than in the views: {shown}")
