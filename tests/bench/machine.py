"""On what was measured: whoever reads a figure must know."""

import os
import platform
import subprocess
import time
from pathlib import Path

# The load tells of about the last minute: what built the program is still in it.
PATIENCE = 180


def is_busy(load):
    return load > len(os.sched_getaffinity(0)) / 4


def settle(say):
    """Waits until what ran before this is no longer in the load, not for ever, since other work may stay; and until what it has written is on
    the disk: the system goes on with what a build leaves for half a minute, and receipts are waits for that disk."""
    until = time.monotonic() + PATIENCE
    if is_busy(os.getloadavg()[0]):
        say("waiting for the machine to come to rest")
    while is_busy(os.getloadavg()[0]) and time.monotonic() < until:
        time.sleep(2)
    os.sync()


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
