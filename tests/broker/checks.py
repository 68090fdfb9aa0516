"""What a test says: one line a check."""

import traceback
from collections.abc import Awaitable


class Checks:
    """Counts and prints the checks of one run."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.where = ""

    def check(self, name: str, holds: bool, detail: object = "") -> bool:
        if holds:
            self.passed += 1
            print(f"ok     {self.where}: {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED {self.where}: {name}" + (f" ({detail})" if detail != "" else ""), flush=True)
        return holds

    def equal(self, name: str, found: object, expected: object) -> bool:
        return self.check(name, found == expected, f"{found!r} instead of {expected!r}"[:600])

    async def group(self, work: Awaitable[None]) -> None:
        """A group of checks; one that breaks off has failed, and the next goes on."""
        try:
            await work
        except Exception as why:  # noqa: BLE001 - whatever it is, it is a failure of this group and not of the run
            traceback.print_exc()
            self.check(f"{getattr(work, '__name__', 'group')} ran to its end", False, repr(why))
