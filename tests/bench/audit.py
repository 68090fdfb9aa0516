"""The audit table on PostgreSQL: fills it, and checks that it is what it says."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from processes import Failed, end

CLIENT = Path(__file__).with_name("audit_client.py")
DATABASE = "council"


def prepare(server):
    """An empty audit table in which nothing can be changed."""
    server.make_database(DATABASE)
    with server.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS council")
    server.run_sql(DATABASE, "audit.sql")
    settle(server)


def settle(server):
    """Writes everything down, so that what was done before is none of the next measurement's."""
    with server.connect() as connection:
        connection.execute("CHECKPOINT")
    os.sync()


def drop(server):
    """Removes the table when it has been measured."""
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    settle(server)


def append(server, statements, clients, batch, count):
    """Appends so many of the statements, a batch a commit; returns the client's figures and who took how much of the processor."""
    process = subprocess.Popen(
        [sys.executable, CLIENT, server.address(DATABASE, "council"), *map(str, (server.process.pid, statements, clients, batch, count))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    try:
        output, errors = process.communicate()
    finally:
        end(process)
    if process.returncode != 0:
        raise Failed(f"the client of the audit table: {errors.strip()}")
    figures = json.loads(output)
    cores = len(os.sched_getaffinity(0))
    of_all = figures["seconds"] * cores
    figures["client_share"] = figures["client_processor_seconds"] / of_all
    figures["server_share"] = figures["server_processor_seconds"] / of_all
    figures["clients"], figures["batch"] = clients, batch
    return figures


def check(server, statements, count):
    """The rows are the statements, each once; the chain holds; and nobody changes anything."""
    with open(statements, "rb") as file:
        expected = sorted(line.rstrip(b"\n") for line in itertools.islice(file, count))
    previous, rows = hashlib.sha256(b"").digest(), []
    with server.connect(DATABASE) as connection:
        query = "SELECT n, int8send(n), timestamptz_send(received_at), statement, hash FROM audit ORDER BY n"
        for position, (n, number, at, statement, found) in enumerate(connection.execute(query), start=1):
            previous = hashlib.sha256(previous + number + at + statement).digest()
            if n != position or found != previous:
                raise Failed(f"the audit table's chain breaks at row {position}")
            rows.append(statement)
        if sorted(rows) != expected:
            raise Failed("the audit table does not hold the statements that were sealed")
        for change in ("UPDATE audit SET n = n", "DELETE FROM audit", "TRUNCATE audit"):
            try:
                connection.execute(change)
            except psycopg.errors.RaiseException:
                continue
            raise Failed(f"the audit table can be changed: {change}")
