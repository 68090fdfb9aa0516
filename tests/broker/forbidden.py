"""What no user may do, and that trying it changes nothing."""

import asyncio
import json

from broker import AGENCIES, Broker
from checks import Checks
from connection import User
from streams import KEY, KEYRING, LEDGER_SUBJECT, NODE, fingerprint

GREENVALE, POLICE = AGENCIES


def destructive_calls(stream: str) -> dict[str, object]:
    """Every call of the JetStream API that could end, empty, change, copy or drain a stream."""
    push = {"stream_name": stream, "config": {"deliver_subject": "_INBOX.stolen", "ack_policy": "none"}}
    durable = {"stream_name": stream, "config": {"durable_name": "thief", "ack_policy": "explicit"}}
    return {
        f"STREAM.DELETE.{stream}": None,
        f"STREAM.PURGE.{stream}": None,
        f"STREAM.UPDATE.{stream}": {"name": stream, "max_msgs": 1},
        f"STREAM.CREATE.{stream}x": {"name": f"{stream}x", "subjects": ["gt.intake.>"], "max_bytes": 1000},
        f"STREAM.RESTORE.{stream}": {"config": {"name": stream}, "state": {}},
        f"STREAM.SNAPSHOT.{stream}": {"deliver_subject": "_INBOX.stolen"},
        f"STREAM.MSG.DELETE.{stream}": {"seq": 1},
        f"STREAM.LEADER.STEPDOWN.{stream}": None,
        f"CONSUMER.CREATE.{stream}": push,
        f"CONSUMER.CREATE.{stream}.thief.{LEDGER_SUBJECT}": push,
        f"CONSUMER.DURABLE.CREATE.{stream}.thief": durable,
    }


async def allowed_publishes(user: User, requests: dict[str, bytes]) -> list[str]:
    """Which of these publishes the server did not refuse."""
    for subject, payload in requests.items():
        await user.publish(subject, payload, reply=user.new_inbox())
    return await not_refused(user, list(requests), "publish to")


async def allowed_subscriptions(user: User, subjects: tuple[str, ...]) -> list[str]:
    """Which of these subscriptions the server did not refuse."""
    for subject in subjects:
        await user.subscribe(subject)
    return await not_refused(user, list(subjects), "subscription to")


async def not_refused(user: User, subjects: list[str], verb: str) -> list[str]:
    """The client tells of a refusal in its own time, so this waits for each; in vain, and to the limit, for those allowed."""
    await user.flush()
    deadline = asyncio.get_running_loop().time() + 10
    left = subjects
    while left and asyncio.get_running_loop().time() < deadline:
        left = [subject for subject in left if not user.was_refused(f'{verb} "{subject}"')]
        await asyncio.sleep(0.01)
    return left


async def check_api(checks: Checks, broker: Broker) -> None:
    provisioner = await broker.user("provisioner")
    before = await fingerprint(provisioner)
    for at, name in enumerate((GREENVALE, "node", "sealer")):
        user = await broker.user(name, at % broker.count)
        for prefix in ("$JS.API", "gt.js"):
            requests = {
                f"{prefix}.{call}": b"" if body is None else json.dumps(body).encode()
                for stream in ("LEDGER", "CHECKPOINT", "NODE", KEYRING)
                for call, body in destructive_calls(stream).items()
            }
            allowed = await allowed_publishes(user, requests)
            checks.equal(f"{name}: no call under {prefix} that ends, changes, copies or drains a stream", allowed, [])
        checks.equal(f"{name}: streams and contents are unchanged", await fingerprint(provisioner) == before, True)


async def check_publishing(checks: Checks, broker: Broker) -> None:
    provisioner = await broker.user("provisioner")
    before = await fingerprint(provisioner)
    outside = (LEDGER_SUBJECT, "gt.checkpoint", "gt.alert.x", f"{KEY}.owner", "$JS.API.INFO", "$JS.API.STREAM.NAMES",
               "$SYS.REQ.SERVER.PING.JSZ", "$SYS.REQ.SERVER.PING", "$JS.ACK.LEDGER.c.1.1.1.1.1", "_INBOX.somebody", "other")
    forbidden = {
        GREENVALE: (*outside, NODE, "gt.sys.JSZ", "gt.js.DIRECT.GET.LEDGER", "gt.js.STREAM.INFO.LEDGER", f"gt.intake.{POLICE}.p",
                    f"gt.intake.{GREENVALE}", f"gt.intake.{GREENVALE}.p.more",
                    "gt.intake.answered"),
        "node": (*outside, "gt.intake.answered", "gt.node.a.b", "gt.js.STREAM.MSG.GET.LEDGER", "$JS.API.DIRECT.GET.LEDGER",
                 "$JS.API.STREAM.INFO.LEDGER"),
        "sealer": ("gt.node.a.b", "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$SYS.REQ.SERVER.PING.JSZ", "_INBOX.somebody", "other",
                   f"gt.js.STREAM.MSG.GET.{KEYRING}", "$JS.API.DIRECT.GET.LEDGER", "$JS.ACK.LEDGER.c.1.1.1.1.1"),
    }
    for name, subjects in forbidden.items():
        user = await broker.user(name)
        allowed = await allowed_publishes(user, dict.fromkeys(subjects, b"{}"))
        checks.equal(f"{name}: publishes nowhere but where it should", allowed, [])
    checks.equal("streams and contents are unchanged", await fingerprint(provisioner) == before, True)


async def check_listening(checks: Checks, broker: Broker) -> None:
    outside = (">", "*", "gt.>", "$JS.>", "$SYS.>", "$KV.>", f"{KEY}.>", "_R_.>", "$JS.API.STREAM.DELETE.*")
    forbidden = {
        GREENVALE: (*outside, "gt.intake.>", f"gt.intake.{POLICE}.*", f"gt.intake.{GREENVALE}.*", "gt.ledger.>", "gt.checkpoint",
                    "gt.alert.>"),
        "node": (*outside, "gt.intake.>", "gt.ledger.>"),
        "sealer": outside,
        "provisioner": (*outside, "gt.intake.>", "gt.ledger.>"),
    }
    for name, subjects in forbidden.items():
        user = await broker.user(name)
        allowed = await allowed_subscriptions(user, subjects)
        checks.equal(f"{name}: hears nothing but what it should", allowed, [])


async def check_stream_headers(checks: Checks, broker: Broker) -> None:
    """What a sealer may publish cannot take back what is there: no node is taken out of the register either."""
    provisioner, sealer = await broker.user("provisioner"), await broker.user("sealer")
    before = await fingerprint(provisioner)
    for subject in (LEDGER_SUBJECT, f"{KEY}.a", NODE):
        for header in ({"Nats-Rollup": "all"}, {"Nats-Rollup": "sub"}, {"Nats-TTL": "1"}):
            answer = json.loads((await sealer.request(subject, b"", headers=header, timeout=10)).data)
            checks.check(f"sealer: {header} on {subject} is refused", "error" in answer, answer)
    checks.equal("streams and contents are unchanged", await fingerprint(provisioner) == before, True)
