"""The broker's tests. Started by `run` beside this file."""

import argparse
import asyncio
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import doors
import forbidden
import injected
import leaf
import operating
import permitted
from broker import Broker
from checks import Checks

Group = Callable[[Checks, Broker], Awaitable[None]]

AFTER_RELOAD: tuple[Group, ...] = (
    permitted.check_every_server, permitted.check_intake, permitted.check_sealing, permitted.check_following, forbidden.check_api,
)
# check_streams first: the others need the streams. check_no_sealer before any sealer is connected.
SINGLE: tuple[Group, ...] = (
    permitted.check_streams, permitted.check_no_sealer, permitted.check_every_server, permitted.check_intake,
    permitted.check_one_answer, permitted.check_sealing, permitted.check_keyring, permitted.check_register,
    permitted.check_epoch, permitted.check_following, doors.check_plain_text, doors.check_users, doors.check_certificates,
    forbidden.check_api, forbidden.check_publishing, forbidden.check_listening, forbidden.check_stream_headers,
    injected.check_control, injected.check_through_sealer, injected.check_through_imports, injected.check_inboxes,
    leaf.check_leaf, operating.check_new_agency, operating.check_new_key, *AFTER_RELOAD,
)
CLUSTER: tuple[Group, ...] = (
    permitted.check_streams, permitted.check_no_sealer, permitted.check_every_server, permitted.check_intake,
    permitted.check_sealing, permitted.check_keyring, permitted.check_epoch, permitted.check_following,
    doors.check_plain_text, doors.check_routes, forbidden.check_api,
    injected.check_through_sealer, injected.check_through_imports, leaf.check_leaf, operating.check_new_agency,
    *AFTER_RELOAD,
)


async def run(checks: Checks, binary: Path, folder: Path, servers: int, groups: tuple[Group, ...]) -> None:
    broker = Broker(binary, folder, servers)
    try:
        broker.start()
        for group in groups:
            checks.where = f"{'one server' if servers == 1 else 'cluster'}"
            try:
                await group(checks, broker)
            except Exception as why:  # noqa: BLE001 - whatever it is, this group has failed and the next one runs
                traceback.print_exc()
                checks.check(f"{group.__name__} runs to its end", False, repr(why))
    finally:
        await broker.stop()


def quieten_transport() -> None:
    """asyncio warns of something in the client's protocol class that means nothing with TLS, once a connection."""
    logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in record.getMessage())


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    checks = Checks()
    quieten_transport()
    await run(checks, options.binary, options.folder / "single", 1, SINGLE)
    await run(checks, options.binary, options.folder / "cluster", 3, CLUSTER)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.passed and not checks.failed else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
