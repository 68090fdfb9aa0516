"""Starts what is measured and ends it again, also when the run is interrupted."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


class Failed(Exception):
    """A step of the run that did not work, in words for whoever runs it."""


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def end_on_signals():
    """Makes an interruption an ordinary exit, so that everything that was begun is ended."""

    def leave(number, _frame):
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def wait_until(ready, what, process=None, log=None, seconds=60):
    """Waits until `ready()` is true. Says what the log says last if the process ends before, or it takes too long."""
    until = time.monotonic() + seconds
    while not ready():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > until:
            last = log.read_text(errors="replace").splitlines()[-3:] if log and log.exists() else []
            raise Failed(f"{what} does not start. {' / '.join(last) or 'It says nothing.'}")
        time.sleep(0.05)


def end(process, number=signal.SIGINT):
    """Asks a server to end; makes it end if it does not."""
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Program:
    """The `goldenthread` program, and what its `bench` command says."""

    def __init__(self, path, folder, nats_server=None):
        self.path, self.folder, self.nats_server = Path(path), folder, nats_server

    def bench(self, *arguments):
        """Runs `goldenthread bench` with these arguments and returns its JSON."""
        command = [str(self.path), "--json", "bench", "--data", str(self.folder), *map(str, arguments)]
        say(" ".join(["goldenthread bench", *map(str, arguments)]))
        # What was written before is none of this measurement's.
        os.sync()
        environment = dict(os.environ, RUST_LOG=os.environ.get("RUST_LOG", "warn"))
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        # Read beside, so that a full pipe never stops the program.
        errors = []
        reading = threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True)
        reading.start()
        try:
            output = process.stdout.read()
            process.wait()
        finally:
            end(process)
        reading.join()
        if process.returncode != 0:
            raise Failed(f"goldenthread bench {' '.join(map(str, arguments))}: {''.join(errors).strip()}")
        return json.loads(output)


def processor_seconds(pid):
    """Processor time of a process and of those of its children that have ended, and of its living children."""
    total, tick = 0.0, os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(stat.parent.name) == pid:
            total += sum(map(int, fields[11:15])) / tick
        elif int(fields[1]) == pid:
            total += sum(map(int, fields[11:13])) / tick
    return total
