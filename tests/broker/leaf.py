"""An agency's own site: a leaf node, its link to the broker cut and restored."""

import asyncio

from nats.errors import NoRespondersError, TimeoutError

from broker import AGENCIES, Broker, Process, ask, provision, until
from checks import Checks
from connection import User, connect
from permitted import answering_sealer
from ports import free_ports
from streams import fingerprint

POLICE = AGENCIES[1]
SUBJECT = f"gt.intake.{POLICE}.publisher"


class Link:
    """A TCP proxy between the site and the broker, that can be cut."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self.target = port, target
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    async def restore(self) -> None:
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        await self.server.wait_closed()

    async def _carry(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers |= {near, far}
        await asyncio.gather(self._pump(near_reader, far), self._pump(far_reader, near))
        self.writers -= {near, far}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        sink.close()


async def answered(user: User) -> bytes:
    reply = await ask(user, SUBJECT, b"the same bytes", timeout=0.5)
    return reply.data if reply else b"(no answer)"


async def check_leaf(checks: Checks, broker: Broker) -> None:
    link_port, client_port = free_ports(2)
    link = Link(link_port, broker.leaf_ports[0])
    provision(broker.folder, "--leaf", POLICE, "--leaf-hub", f"127.0.0.1:{link_port}", "--leaf-client-port", str(client_port))
    for process in broker.processes:
        process.reload(broker.binary)
    home = broker.folder / "leaf" / POLICE.replace(":", "-")
    sealer = await answering_sealer(broker)
    await link.restore()
    site = await asyncio.to_thread(Process, broker.binary, home, "leaf.conf")
    try:
        local = await connect(f"nats://127.0.0.1:{client_port}", None, broker.seed(POLICE))
        checks.equal("a request through the leaf is answered", await answered(local), SUBJECT.encode())
        await check_cut(checks, broker, link, local)
        await check_limits(checks, broker, home, client_port)
        await local.close()
        checks.check("nothing is stored at the site", not (home / "jetstream").exists() and not site.says("Starting JetStream"))
    finally:
        await asyncio.to_thread(site.stop)
        await link.cut()
        await sealer.close()


async def check_cut(checks: Checks, broker: Broker, link: Link, local: User) -> None:
    provisioner = await broker.user("provisioner")
    before = await fingerprint(provisioner)
    await link.cut()
    try:
        outcome: object = (await local.request(SUBJECT, b"the same bytes", timeout=2)).data
    except (NoRespondersError, TimeoutError) as why:
        outcome = type(why).__name__
    checks.check("with the link cut a request fails", outcome in ("NoRespondersError", "TimeoutError"), outcome)
    checks.check("and nothing is stored", await fingerprint(provisioner) == before)
    await link.restore()
    checks.equal("with the link restored the same bytes are answered", await answered(local), SUBJECT.encode())


async def check_limits(checks: Checks, broker: Broker, home, client_port: int) -> None:
    local = await connect(f"nats://127.0.0.1:{client_port}", None, broker.seed(POLICE))
    for subject in ("gt.ledger.decision.recorded", f"gt.intake.{AGENCIES[0]}.p"):
        await local.publish(subject, b"")
    await local.flush()
    await asyncio.to_thread(until, lambda: len(local.refusals) >= 2, "refusals at the leaf")
    checks.check("the leaf refuses what the broker would", True)
    await local.close()
    key = (home / "seed.conf").read_text().split('"')[1]
    try:
        outcome = "connected"
        await (await connect(broker.url(), broker.authority, key)).close()
    except Exception as why:  # noqa: BLE001 - the failure is what is checked
        outcome = str(why).lower()
    checks.check("the leaf's key is good for nothing else", outcome != "connected", outcome)
