"""What an operator does to a running broker: a new agency, a new key, by provisioning again and a reload."""

import asyncio
import json

from broker import AGENCIES, Broker, ask, provision
from checks import Checks
from connection import connect
from permitted import answering_sealer

POLICE = AGENCIES[1]
NEWCOMER = "charity:999001"


async def check_new_agency(checks: Checks, broker: Broker) -> None:
    sealer = await answering_sealer(broker)
    member = await broker.user(POLICE)
    provision(broker.folder, "--agency", NEWCOMER)
    # Server 2.15.1 makes a new account with its first reload, and connects the account's imports with its second.
    for _ in range(2):
        for process in broker.processes:
            process.reload(broker.binary)
    newcomer = await broker.user(NEWCOMER, broker.count - 1)
    reply = await ask(newcomer, f"gt.intake.{NEWCOMER}.p", b"first statement")
    checks.check("a new agency gets in with a reload", reply is not None and reply.data == f"gt.intake.{NEWCOMER}.p".encode())
    reply = await member.request(f"gt.intake.{POLICE}.p", b"statement", timeout=10)
    checks.equal("and nobody else's connection suffers", (reply.data, sealer.is_connected, member.is_connected),
                 (f"gt.intake.{POLICE}.p".encode(), True, True))
    ack = json.loads((await sealer.request("gt.checkpoint", b"news", timeout=10)).data)
    checks.check("and a sealer that was connected goes on sealing", ack.get("seq", 0) > 0, ack)
    await sealer.close()


async def check_new_key(checks: Checks, broker: Broker) -> None:
    old = broker.seed(POLICE)
    connected = await broker.user(POLICE)
    provision(broker.folder, "--rotate", POLICE)
    for process in broker.processes:
        process.reload(broker.binary)
    deadline = asyncio.get_running_loop().time() + 10
    while connected.is_connected and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    checks.check("a reload ends the connection of a key that was replaced", not connected.is_connected)
    try:
        outcome = "connected"
        await (await connect(broker.url(), broker.authority, old)).close()
    except Exception as why:  # noqa: BLE001 - the failure is what is checked
        outcome = str(why).lower()
    checks.check("the old key is refused", "authorization violation" in outcome, outcome)
    fresh = await broker.user(POLICE)
    checks.check("the new one gets in", fresh.is_connected)
