"""On what was measured: whoever reads a figure must know."""

import os
import platform
import subprocess
import time
from pathlib import Path

# The load tells of about the last minute: what built the program is still in it.
PATIENCE = 180

# As long as the file system remembers what was deleted, in seconds, and some; and what a file takes where there is nothing to remember, many
# times over.
FORGOTTEN_AFTER = 400
QUICK = 60e-6


def is_busy(load):
    return load > len(os.sched_getaffinity(0)) / 4


def settle(folder, say):
    """Waits until what ran before this is no longer in the load, not for ever, since other work may stay; until what it has written is on
    the disk: the system goes on with what a build leaves for half a minute, and receipts are waits for that disk; and until what it has
    deleted is forgotten."""
    wait_while(lambda: is_busy(os.getloadavg()[0]), PATIENCE, 2, "the machine to come to rest", say)
    os.sync()
    probes = Path(folder, "probes")
    probes.mkdir()
    wait_while(lambda: is_slow_to_make_files(probes), FORGOTTEN_AFTER, 10, "the file system to forget what was deleted", say)


def wait_while(holds, patience, pause, whom, say):
    """Waits while something holds, but no longer than the patience; looks again after each pause, both in seconds. Says once that it waits."""
    until = time.monotonic() + patience
    said_so = False
    while holds() and time.monotonic() < until:
        if not said_so:
            say(f"waiting for {whom}")
        said_so = True
        time.sleep(pause)


def is_slow_to_make_files(folder):
    """ext4 without a journal looks past each inode that was given up in the last minutes whenever it makes a file: fifty times as long, and
    4 ms now and then. A sealer makes files all the time. The files stay: each that is deleted would be one more to look past."""
    files = [folder / f"{time.monotonic_ns()}.{number}" for number in range(50)]
    begun = time.perf_counter()
    for file in files:
        file.touch(exist_ok=False)
    return (time.perf_counter() - begun) / len(files) > QUICK


def describe(folder, program):
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": system(),
        "kernel": platform.release(),
        "file_system": said("findmnt", "-n", "-o", "FSTYPE", "--target", folder),
        "program": said(program, "--version"),
        "load_before": os.getloadavg()[0],
    }


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def system():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def said(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True).stdout.strip()
