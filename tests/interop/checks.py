"""Records what held and what did not, one line a check, so that the run can count them at its end."""

import traceback
from contextlib import contextmanager


class Checks:
    def __init__(self, path):
        self.path = path
        self.failed = 0

    def record(self, held: bool, name: str, detail: str = "") -> bool:
        outcome = "ok" if held else "FAIL"
        self.failed += not held
        line = f"{outcome:4} {name}" + (f" ({detail})" if detail and not held else "")
        print(line, flush=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(line.replace("\n", " ") + "\n")
        return held

    @contextmanager
    def part(self, name: str):
        """A part of the run; an exception in it is a failed check, and ends the part."""
        try:
            yield
        except Exception as error:
            traceback.print_exc()
            self.record(False, name, f"{type(error).__name__}: {error}")
