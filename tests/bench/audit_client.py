"""Appends statements to the audit table, as a process of its own so that it is known what the client takes.

    audit_client.py ADDRESS STATEMENTS CLIENTS BATCH COUNT

STATEMENTS has one statement a line. Each of CLIENTS connections appends BATCH of them at a time and commits. Prints one JSON value.
"""

import itertools
import json
import resource
import sys
import threading
import time

import psycopg


def read(path, count):
    with open(path, "rb") as file:
        return [line.rstrip(b"\n") for line in itertools.islice(file, count)]


def append(address, work, start, took, failures):
    """One connection: takes the next batch, appends, commits."""
    try:
        with psycopg.connect(address, autocommit=True) as connection, connection.cursor(binary=True) as cursor:
            start.wait()
            for batch in work:
                begun = time.perf_counter()
                cursor.execute("SELECT audit_append(%b::bytea[])", (batch,), prepare=True)
                cursor.fetchone()
                took.append((time.perf_counter() - begun) * 1000)
    except Exception as error:
        failures.append(error)
        start.abort()


def at(sorted_values, per_thousand):
    position = -(-len(sorted_values) * per_thousand // 1000) - 1
    return sorted_values[max(0, position)]


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
    address, path, clients, size, count = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    statements = read(path, count)
    batches = [statements[at:at + size] for at in range(0, len(statements), size)]
    work, failures, took = Shared(batches), [], []
    start = threading.Barrier(clients + 1)
    threads = [
        threading.Thread(target=append, args=(address, work, start, took, failures)) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        start.wait()
    except threading.BrokenBarrierError:
        pass
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for thread in threads:
        thread.join()
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    if failures:
        sys.exit(f"audit_client: {failures[0]}")
    took.sort()
    print(json.dumps({
        "rows": len(statements),
        "rows_per_second": len(statements) / seconds,
        "seconds": seconds,
        "client_processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "p50_ms": at(took, 500),
        "p99_ms": at(took, 990),
        "p999_ms": at(took, 999),
    }))


if __name__ == "__main__":
    main()
