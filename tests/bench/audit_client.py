"""Appends statements to the audit table, as a process of its own so that it is known what the client takes.

    audit_client.py ADDRESS SERVER STATEMENTS CLIENTS BATCH COUNT

SERVER is the server's process. STATEMENTS has one statement a line. Each of CLIENTS connections appends BATCH of them at a time and commits; a tenth of COUNT comes before
the clock runs, as the sealer has a tenth before its own. Prints one JSON value.
"""

import itertools
import json
import resource
import sys
import threading
import time

import psycopg

from figures import at
from processes import processor_seconds


def read(path, count):
    with open(path, "rb") as file:
        return [line.rstrip(b"\n") for line in itertools.islice(file, count)]


def append(address, before, work, start, took, failures):
    """One connection: takes the next batch, appends, commits."""
    try:
        with psycopg.connect(address, autocommit=True) as connection, connection.cursor(binary=True) as cursor:
            def commit(batch):
                cursor.execute("SELECT audit_append(%b::bytea[])", (batch,), prepare=True)
                cursor.fetchone()

            for batch in before:
                commit(batch)
            start.wait()
            for batch in work:
                begun = time.perf_counter()
                commit(batch)
                took.append((time.perf_counter() - begun) * 1000)
    except Exception as error:
        failures.append(error)
        start.abort()


class Shared:
    """An iterator that several threads take from."""

    def __init__(self, items):
        self.items, self.lock = iter(items), threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return next(self.items)


def main():
    address, server, path, clients, size, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:7])
    statements = read(path, count)
    batches = [statements[first:first + size] for first in range(0, len(statements), size)]
    warm_up = len(batches) // 10
    before, work, failures, took = Shared(batches[:warm_up]), Shared(batches[warm_up:]), [], []
    start = threading.Barrier(clients + 1)
    threads = [
        threading.Thread(target=append, args=(address, before, work, start, took, failures)) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        start.wait()
    except threading.BrokenBarrierError:
        pass
    of_server = processor_seconds(server)
    used, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for thread in threads:
        thread.join()
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    of_server = processor_seconds(server) - of_server
    if failures:
        sys.exit(f"audit_client: {failures[0]}")
    rows = sum(map(len, batches[warm_up:]))
    print(json.dumps({
        "rows": rows,
        "rows_per_second": rows / seconds,
        "seconds": seconds,
        "client_processor_seconds": after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime,
        "server_processor_seconds": of_server,
        "requests": len(took),
        "p50_ms": at(took, 500),
        "p99_ms": at(took, 990),
        "p999_ms": at(took, 999),
    }))


if __name__ == "__main__":
    main()
