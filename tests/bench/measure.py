"""Measures what it is told to, and writes the report. `tests/bench/run` prepares the machine and calls this."""

import argparse
import json
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import psycopg

import aims
import charts
import document
import machine
import questions
import reading
import report
import scale
import sealing
from processes import Failed, Program, end_on_signals, say

# A receipt is mostly waits for the disk, so it is measured before the parts that write and remove gigabytes: a disk has those still to
# do long after.
PARTS = {
    "receipts": reading.receipts,
    "sealing": sealing.measure,
    "verification": reading.verification,
    "growth": reading.growth,
    "questions": questions.measure,
    "largest": reading.largest,
}


@dataclass
class Run:
    """What every part needs: the program, a folder on the disk that is measured, and how much to measure."""

    program: Program
    folder: Path
    scale: scale.Scale
    # The parts that were asked for by name.
    only: list

    def asked_for(self, part):
        return part in self.only


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures Golden Thread on this machine.")
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--quick", action="store_true", help="a small run of a few minutes")
    how_much.add_argument("--full", action="store_true", help="a log, and a history, of ten million entries as well")
    parser.add_argument("--only", metavar="PART", action="append", choices=list(PARTS), help=f"one of {', '.join(PARTS)}; may be repeated")
    parser.add_argument("--out", type=Path, help="the folder of the report [default: target/bench/<time>]")
    parser.add_argument("--disk", type=Path, default=Path("/var/tmp"), help="where data is written: it decides which disk is measured")
    parser.add_argument("--document", nargs="?", const="", metavar="JSON",
                        help="put the figures into docs/PERFORMANCE.md: those of this run, or of an earlier report.json")
    for told in ("--root", "--target", "--program", "--nats-server"):
        parser.add_argument(told, type=Path, required=told in ("--root", "--target"), help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(told, folder, out):
    """Every part in turn, the report written after each. A part that fails is told in it, and the others are measured all the same."""
    chosen = scale.QUICK if told.quick else scale.FULL if told.full else scale.NORMAL
    machine.settle(folder, say)
    run = Run(Program(told.program, folder, told.nats_server), folder, chosen, told.only or [])
    figures = {
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "scale": chosen.name,
        "only": told.only,
        "machine": machine.describe(folder, told.program),
        "parts": {},
        "failed": {},
    }
    for name in told.only or PARTS:
        begun = time.monotonic()
        try:
            # Each in a folder of its own, which goes with it.
            with tempfile.TemporaryDirectory(dir=folder, prefix=f"{name}.") as own:
                run.folder = run.program.folder = Path(own)
                run.folder.chmod(0o711)
                figures["parts"][name] = PARTS[name](run)
            say(f"{name} took {time.monotonic() - begun:.0f} s")
        except Exception as failed:  # Whatever it is, the parts after it are measured.
            if not isinstance(failed, (Failed, psycopg.Error, OSError)):
                traceback.print_exc()
            figures["failed"][name] = f"{type(failed).__name__}: {failed}"
            say(f"{name} could not be measured: {failed}")
        # So what was measured is there if the run is interrupted.
        figures["aims"] = aims.judge(figures["parts"])
        write(figures, out)
    return figures


def write(figures, out):
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(figures, indent=1) + "\n")
    drawn = charts.draw(figures["parts"], out)
    (out / "report.md").write_text("# Golden Thread: measurements\n\n" + report.write(figures, drawn))


def refuse_what_is_not_whole(figures):
    """The page has figures of whole runs alone: those of a part would take the place of all."""
    if figures["failed"] or figures["only"] or figures["scale"] == scale.QUICK.name:
        raise Failed("docs/PERFORMANCE.md is left as it is: its figures are those of a whole run, without --quick or --only, in which nothing failed")


def main():
    end_on_signals()
    told = arguments()
    with tempfile.TemporaryDirectory(dir=told.disk, prefix="goldenthread-bench.") as scratch:
        scratch = Path(scratch)
        # PostgreSQL may run as another user, who must get to its own folder below.
        scratch.chmod(0o711)
        if told.document:
            figures = json.loads(Path(told.document).read_text())
        else:
            out = told.out or told.target / "bench" / time.strftime("%Y%m%dT%H%M%S")
            figures = measure(told, scratch, out)
            print((out / "report.md").read_text())
            say(f"written to {out}")
        if told.document is not None:
            refuse_what_is_not_whole(figures)
            # The aims may have been worded anew since.
            figures["aims"] = aims.judge(figures["parts"])
            say(f"rewritten: {document.rewrite(told.root, figures, scratch)}")
    return 1 if figures["failed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failed:
        sys.exit(f"tests/bench/run: {failed}")
