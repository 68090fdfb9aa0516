"""What each user has to be able to do."""

import asyncio
import base64
import json
import uuid

from nats.errors import NoRespondersError, TimeoutError

from broker import AGENCIES, LIMIT, Broker, api, ask
from checks import Checks
from connection import User
from forbidden import not_refused
from streams import KEY, KEYRING, LEDGER_SUBJECT, NODE, STREAMS, create, make_streams, publish_batch, read_batch

GREENVALE, POLICE = AGENCIES


async def answering_sealer(broker: Broker, server: int = 0) -> User:
    """A sealer that answers every request with the subject that it came on."""
    sealer = await broker.user("sealer", server)

    async def answer(message) -> None:
        await sealer.publish(message.reply, message.subject.encode(), headers={"Gt-Status": "201"})

    await sealer.subscribe("gt.intake.>", cb=answer)
    await sealer.flush()
    return sealer


async def check_streams(checks: Checks, broker: Broker) -> None:
    provisioner = await broker.user("provisioner")
    checks.check("provisioner: JetStream is there", await has_leader(provisioner))
    checks.equal("provisioner: makes the streams as they are specified", await make_streams(provisioner, broker.count), [])
    unlimited = await api(provisioner, "STREAM.CREATE.unlimited", {"name": "unlimited", "subjects": ["$KV.unlimited.>"]})
    checks.equal("a stream without max_bytes is refused", unlimited.get("error", {}).get("err_code"), 10113)


async def has_leader(provisioner: User) -> bool:
    """A cluster elects its leader first; until then requests are dropped, or answered with an error."""
    deadline = asyncio.get_running_loop().time() + LIMIT
    while asyncio.get_running_loop().time() < deadline:
        try:
            if "error" not in json.loads((await provisioner.request("$JS.API.INFO", b"", timeout=1)).data):
                return True
        except (NoRespondersError, TimeoutError):
            pass
        await asyncio.sleep(0.1)
    return False


async def check_every_server(checks: Checks, broker: Broker) -> None:
    """Start-up of `serve --nats` refuses by what these answers say."""
    for name in ("sealer", "node", "provisioner"):
        user = await broker.user(name)
        inbox = user.new_inbox()
        subscription = await user.subscribe(inbox)
        await user.publish("gt.sys.JSZ", b'{"config":true}', reply=inbox)
        answers = [json.loads((await subscription.next_msg(timeout=10)).data) for _ in range(broker.count)]
        await subscription.unsubscribe()
        names = sorted(answer["server"]["name"] for answer in answers)
        checks.equal(f"{name}: every server answers gt.sys.JSZ", names, [f"gt-nats-{at + 1}" for at in range(broker.count)])
        facts = {(answer["server"]["ver"], answer["data"]["config"]["sync_always"]) for answer in answers}
        checks.equal(f"{name}: version and sync_always show", facts, {("2.15.1", True)})


async def check_no_sealer(checks: Checks, broker: Broker) -> None:
    """Must run while no sealer is subscribed."""
    for name, subject in ((POLICE, f"gt.intake.{POLICE}.p"), ("node", f"gt.intake.{POLICE}.p")):
        user = await broker.user(name, broker.count - 1)
        try:
            outcome: object = (await user.request(subject, b"", timeout=10)).data
        except Exception as why:  # noqa: BLE001 - the kind of failure is what is checked
            outcome = type(why)
        checks.equal(f"{name}: without a sealer 'no responders' comes at once", outcome, NoRespondersError)


async def check_intake(checks: Checks, broker: Broker) -> None:
    sealer = await answering_sealer(broker)
    for name in (*AGENCIES, "node", "sealer"):
        user = await broker.user(name, broker.count - 1)
        subject = f"gt.intake.{name if ':' in name else POLICE}.publisher"
        reply = await ask(user, subject, b"statement")
        if not checks.check(f"{name}: a request to {subject} gets an answer", reply is not None) or reply is None:
            continue
        checks.equal(f"{name}: it is the sealer's", reply.data, subject.encode())
        checks.equal(f"{name}: and its header", (reply.headers or {}).get("Gt-Status"), "201")
        checks.equal(f"{name}: nothing was refused", user.refusals, [])
    await sealer.close()


async def check_one_answer(checks: Checks, broker: Broker) -> None:
    sealer, agency = await broker.user("sealer"), await broker.user(POLICE)
    requests = await sealer.subscribe("gt.intake.>")
    await sealer.flush()
    inbox = agency.new_inbox()
    answers = await agency.subscribe(inbox)
    await agency.publish(f"gt.intake.{POLICE}.p", b"statement", reply=inbox)
    await agency.flush()
    request = await requests.next_msg(timeout=10)
    for text in (b"first", b"second"):
        await sealer.publish(request.reply, text)
    checks.equal("sealer: its answer arrives", (await answers.next_msg(timeout=10)).data, b"first")
    refused = not await not_refused(sealer, [request.reply], "publish to")
    checks.check("sealer: a second answer to the same request is refused", refused, sealer.refusals)
    await sealer.close()


async def check_sealing(checks: Checks, broker: Broker) -> None:
    sealer = await broker.user("sealer")

    async def last() -> int:
        return (await api(sealer, "STREAM.INFO.LEDGER", prefix="gt.js"))["state"]["last_seq"]

    fence, batch = await last(), uuid.uuid4().hex
    messages = [(LEDGER_SUBJECT, {}) for _ in range(5)]
    messages[0] = (LEDGER_SUBJECT, {"Nats-Expected-Last-Sequence": str(fence)})
    messages[-1] = (LEDGER_SUBJECT, {"Gt-Head": "aGVhZA=="})
    ack = await publish_batch(sealer, messages, batch)
    wanted = {"stream": "LEDGER", "seq": fence + 5, "batch": batch, "count": 5}
    checks.equal("sealer: a fenced atomic batch is acknowledged", ack, wanted)
    ack = await publish_batch(sealer, messages, uuid.uuid4().hex)
    checks.equal("sealer: the same fence again is refused", ack.get("error", {}).get("err_code"), 10071)
    checks.equal("sealer: and leaves nothing", await last(), fence + 5)
    headers = {"Nats-Batch-Id": uuid.uuid4().hex, "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1"}
    answer = json.loads((await sealer.request(LEDGER_SUBJECT, b"", headers=headers, timeout=10)).data)
    checks.equal("sealer: a batch without its first message is refused", answer.get("error", {}).get("err_code"), 10176)
    plain = {"Nats-Expected-Last-Sequence": str(fence + 5)}
    ack = json.loads((await sealer.request(LEDGER_SUBJECT, b"one", headers=plain, timeout=10)).data)
    checks.equal("sealer: a plain fenced publish is acknowledged", ack, {"stream": "LEDGER", "seq": fence + 6})
    found = await api(sealer, "STREAM.MSG.GET.LEDGER", {"seq": fence + 1}, "gt.js")
    headers = base64.b64decode(found["message"]["hdrs"]).decode()
    checks.check("sealer: MSG.GET shows whose batch a sequence is", f"Nats-Batch-Id: {batch}\r\n" in headers, headers)
    checks.equal("sealer: nothing was refused", sealer.refusals, [])


async def check_keyring(checks: Checks, broker: Broker) -> None:
    sealer = await broker.user("sealer")
    absent = {"Nats-Expected-Last-Subject-Sequence": "0"}

    async def create(owner: str) -> int:
        answer = json.loads((await sealer.request(f"{KEY}.{owner}", b"wrapped", headers=absent, timeout=10)).data)
        return answer.get("error", {}).get("err_code", 0)

    async def create_all(*owners: str) -> int:
        answer = await publish_batch(sealer, [(f"{KEY}.{owner}", absent) for owner in owners], uuid.uuid4().hex)
        return answer.get("error", {}).get("err_code", 0)

    async def is_there(owner: str) -> bool:
        messages = await read_batch(sealer, KEYRING, {"multi_last": [f"{KEY}.{owner}"], "batch": 1})
        return len(messages) > 1

    checks.equal("keyring: a new owner is created", await create("a"), 0)
    checks.equal("keyring: creating it again is refused", await create("a"), 10071)
    answer = json.loads((await sealer.request(f"{KEY}.a", b"other keys", timeout=10)).data)
    checks.equal("keyring: so is writing over it", answer.get("error", {}).get("err_code"), 10077)
    checks.equal("keyring: several new owners in one batch", await create_all("b", "c", "d"), 0)
    checks.equal("keyring: a batch with one that is there is refused", await create_all("e", "a", "f"), 10071)
    checks.equal("keyring: the same owner twice in a batch is refused", await create_all("g", "g"), 10164)
    there = [owner for owner in "abcdefg" if await is_there(owner)]
    checks.equal("keyring: refused batches left nothing", there, ["a", "b", "c", "d"])


async def check_register(checks: Checks, broker: Broker) -> None:
    """Each node has one message in the register, which takes the place of the one before; a flood of others pushes nobody out."""
    sealer, node = await broker.user("sealer"), await broker.user("node", broker.count - 1)
    for name, user in (("sealer", sealer), ("node", node)):
        ack = json.loads((await user.request(NODE, name.encode(), timeout=10)).data)
        checks.equal(f"{name}: says in the register how far it has come", ack.get("stream"), "NODE")
    refused = 0
    for at in range(STREAMS["NODE"]["max_msgs"] + 5):
        answer = json.loads((await node.request(f"gt.node.{at:016x}", b"flood", timeout=10)).data)
        refused += answer.get("error", {}).get("err_code", 0) == 10077
    checks.check("register: it is full in time", refused >= 5, refused)
    ack = json.loads((await node.request(NODE, b"again", timeout=10)).data)
    checks.check("register: who is in it goes on", "error" not in ack, ack)
    there = await read_batch(sealer, "NODE", {"multi_last": [NODE], "batch": 1})
    checks.equal("register: and is seen", [message.data for message in there[:-1]], [b"again"])
    checks.equal("node: nothing was refused by permissions", (node.refusals, sealer.refusals), ([], []))


async def check_epoch(checks: Checks, broker: Broker) -> None:
    """A sealer fills the bucket of another epoch, which the provisioner has made, and cannot make or remove one itself."""
    provisioner, sealer = await broker.user("provisioner"), await broker.user("sealer")
    bucket = "gt-keys-fedcba9876543210"
    wanted = STREAMS[KEYRING] | {"name": f"KV_{bucket}", "subjects": [f"$KV.{bucket}.>"], "num_replicas": broker.count}
    made = await create(provisioner, f"KV_{bucket}", wanted)
    checks.check("provisioner: makes the bucket of another epoch", "error" not in made, made)
    absent = {"Nats-Expected-Last-Subject-Sequence": "0"}
    for name in ("s.0123456789abcdef.0", "shards"):
        answer = json.loads((await sealer.request(f"$KV.{bucket}.{name}", b"wrapped", headers=absent, timeout=10)).data)
        checks.check(f"sealer: writes {name} there", "error" not in answer, answer)
    answer = json.loads((await sealer.request(f"$KV.{bucket}.shards", b"other", timeout=10)).data)
    checks.equal("sealer: and not again", answer.get("error", {}).get("err_code"), 10077)
    gone = await api(provisioner, f"STREAM.DELETE.KV_{bucket}")
    checks.equal("provisioner: removes it", gone.get("success"), True)


async def check_following(checks: Checks, broker: Broker) -> None:
    sealer, node = await broker.user("sealer"), await broker.user("node", broker.count - 1)
    deadline = asyncio.get_running_loop().time() + LIMIT
    standby = await broker.user("sealer", broker.count - 1)
    for who, listener, subject, pattern in (
        ("node", node, "gt.checkpoint", "gt.checkpoint"), ("node", node, "gt.alert.missing", "gt.alert.>"),
        ("another sealer", standby, LEDGER_SUBJECT, "gt.ledger.>"), ("another sealer", standby, "gt.checkpoint", "gt.checkpoint"),
    ):
        subscription = await listener.subscribe(pattern)
        await listener.flush()
        ack = json.loads((await sealer.request(subject, b"news", timeout=10)).data)
        checks.check(f"sealer: {subject} is stored", ack.get("seq", 0) > 0, ack)
        # In a cluster the subscription takes a moment to get to the sealer's server.
        while not subscription.pending_msgs and asyncio.get_running_loop().time() < deadline:
            await sealer.request(subject, b"news", timeout=10)
            await asyncio.sleep(0.05)
        checks.equal(f"{who}: hears {subject}", (await subscription.next_msg(timeout=1)).data, b"news")
    info = await api(node, "STREAM.INFO.LEDGER", prefix="gt.js")
    count = info["state"]["messages"]
    while len(messages := await read_batch(node, "LEDGER", {"seq": 1, "batch": count})) <= count:
        pass  # a replica that answers may be behind
    sequences = [int(message.headers["Nats-Sequence"]) for message in messages[:-1]]
    checks.equal("node: a DIRECT.GET batch brings every message in order", sequences, list(range(1, count + 1)))
    end = messages[-1].headers
    checks.equal("node: and says where it ends",
                 (end["Status"], end["Nats-Num-Pending"], end["Nats-Last-Sequence"]), ("204", "0", str(count)))
    beyond = await read_batch(node, "LEDGER", {"seq": count + 1, "batch": 10})
    checks.equal("node: beyond the end the only answer is 404", [m.headers["Status"] for m in beyond], ["404"])
    checks.equal("node: nothing was refused", node.refusals, [])
