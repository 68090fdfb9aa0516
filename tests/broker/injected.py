"""Reply subjects as a weapon: whoever answers a request publishes where the requester pleases, with the answerer's rights.

Within one account that works, as the control shows. Across accounts the server answers in the requester's account, whatever
the reply subject says: so whoever is online has an account of its own, without streams.
"""

import json

from broker import AGENCIES, Broker, api
from checks import Checks
from connection import User
from streams import KEY, KEYRING, LEDGER_SUBJECT, NODE, STREAMS, fingerprint, read_batch

GREENVALE, POLICE = AGENCIES
API_TARGETS = ("$JS.API.STREAM.DELETE.LEDGER", "$JS.API.STREAM.PURGE.LEDGER", "$JS.API.STREAM.UPDATE.LEDGER",
               "$JS.API.STREAM.MSG.DELETE.LEDGER", f"$JS.API.STREAM.DELETE.{KEYRING}", "$JS.API.STREAM.DELETE.ALERT",
               "$JS.API.STREAM.UPDATE.ALERT")
# What a sealer may publish anyway; from anybody else it would be a forgery.
TARGETS = (LEDGER_SUBJECT, "gt.checkpoint", "gt.alert.x", f"{KEY}.owner", *API_TARGETS)


async def obliging_sealer(broker: Broker) -> tuple[User, list[str]]:
    """A sealer that answers with the request's own payload, to wherever the request says; and the replies it has sent."""
    sealer = await broker.user("sealer")
    answered: list[str] = []

    async def answer(message) -> None:
        await sealer.publish(message.reply, message.data)
        answered.append(message.reply)

    await sealer.subscribe("gt.intake.>", cb=answer)
    await sealer.flush()
    return sealer, answered


async def check_control(checks: Checks, broker: Broker) -> None:
    """The attack, by the provisioner on a stream of its own making: it works, so the other checks check something."""
    provisioner = await broker.user("provisioner")
    config = {"name": "KV_scratch", "subjects": ["$KV.scratch.>"], "max_bytes": 1000, "allow_direct": True}
    await api(provisioner, "STREAM.CREATE.KV_scratch", config)
    await provisioner.request("$KV.scratch.empty", b"", timeout=10)
    await provisioner.publish("$JS.API.DIRECT.GET.KV_scratch", b'{"seq":1}', reply="$JS.API.STREAM.DELETE.KV_scratch")
    while "error" not in (info := await api(provisioner, "STREAM.INFO.KV_scratch")):
        pass
    checks.equal("control: within its account an injected reply subject deletes a stream", info["error"]["err_code"], 10059)


async def check_through_sealer(checks: Checks, broker: Broker) -> None:
    provisioner = await broker.user("provisioner")
    sealer, answered = await obliging_sealer(broker)
    before = await fingerprint(provisioner)
    shrink = (await api(provisioner, "STREAM.INFO.LEDGER"))["config"] | {"max_msgs": 1}
    for name in (GREENVALE, POLICE, "node", "sealer"):
        user = await broker.user(name)
        subject = f"gt.intake.{name if ':' in name else POLICE}.p"
        answered.clear()
        targets = TARGETS if name != "sealer" else API_TARGETS
        for target in targets:
            await user.publish(subject, json.dumps(shrink).encode() if "UPDATE" in target else b"", reply=target)
        # The answers are in order, and a call of the API that they make comes before the fingerprint's own.
        await user.request(subject, b"", timeout=10)
        await sealer.flush()
        checks.equal(f"{name}: its requests with injected replies were answered", len(answered), len(targets) + 1)
        checks.check(f"{name}: and the answers did nothing", await fingerprint(provisioner) == before)
    await sealer.close()


async def check_through_imports(checks: Checks, broker: Broker) -> None:
    provisioner, sealer = await broker.user("provisioner"), await broker.user("sealer")
    shrink = (await api(provisioner, "STREAM.INFO.ALERT"))["config"] | {"max_msgs": 1}
    # A stored message as the payload of the injected call: sealers choose what is stored.
    stored = [json.loads((await sealer.request("gt.alert.x", payload, timeout=10)).data)["seq"]
              for payload in (b"", json.dumps(shrink).encode(), b"third")]
    before = await fingerprint(provisioner)
    for name, targets in (("node", TARGETS), ("sealer", API_TARGETS)):
        user = await broker.user(name)
        for target in targets:
            for seq in stored:
                await user.publish("gt.js.DIRECT.GET.ALERT", json.dumps({"seq": seq}).encode(), reply=target)
            await user.publish("gt.js.STREAM.INFO.ALERT", b"", reply=target)
            await user.publish("gt.sys.JSZ", b"", reply=target)
        # Answered in order, so what went before has had its effect.
        await read_batch(user, "ALERT", {"seq": stored[0], "batch": 3})
        await api(user, "STREAM.INFO.ALERT", prefix="gt.js")
        checks.check(f"{name}: the imports answer injected replies to nobody's harm", await fingerprint(provisioner) == before)
    configs = [(await api(provisioner, f"STREAM.INFO.{name}")).get("config") for name in STREAMS]
    for target in API_TARGETS:
        await sealer.publish("gt.alert.x", b"", reply=target)
    await sealer.request("gt.alert.x", b"", timeout=10)
    node = await broker.user("node")
    for target in TARGETS:
        await node.publish(NODE, b"", reply=target)
    await node.request(NODE, b"", timeout=10)
    after = [(await api(provisioner, f"STREAM.INFO.{name}")).get("config") for name in STREAMS]
    checks.equal("sealer, node: acknowledgements to injected replies do nothing", after, configs)


async def check_inboxes(checks: Checks, broker: Broker) -> None:
    """An agency hears its own account's inboxes, and no other's."""
    sealer, answered = await obliging_sealer(broker)
    ears = {name: await (await broker.user(name)).subscribe("_INBOX.>") for name in (GREENVALE, POLICE, "node")}
    for user in broker.connections:
        if user.is_connected:
            await user.flush()
    asker = await broker.user(POLICE)
    reply = await asker.request(f"gt.intake.{POLICE}.p", b"confidential", timeout=10)
    checks.equal("control: another connection of the same agency hears its reply",
                 (await ears[POLICE].next_msg(timeout=10)).data, reply.data)
    # What Greenvale hears next is its own: the other's reply would stand before it.
    own = await broker.user(GREENVALE)
    await own.request(f"gt.intake.{GREENVALE}.p", b"its own", timeout=10)
    checks.equal("another agency does not hear it", (await ears[GREENVALE].next_msg(timeout=10)).data, b"its own")
    checks.equal("nor does a node", ears["node"].pending_msgs, 0)
    checks.equal("the sealer answered both", len(answered), 2)
    await sealer.close()
