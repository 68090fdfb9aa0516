"""The streams that `goldenthread nats init` makes, made with raw requests, and a fingerprint of all that they hold."""

import asyncio
import json

from broker import LIMIT, api
from connection import User

EPOCH = "0123456789abcdef"
KEYRING = f"KV_gt-keys-{EPOCH}"
KEY = f"$KV.gt-keys-{EPOCH}"
NODE = "gt.node.0123456789abcdef"
LEDGER_SUBJECT = "gt.ledger.decision.recorded"
NO_PEERS = 10005

APPEND_ONLY = {"storage": "file", "retention": "limits", "discard": "new", "deny_delete": True, "deny_purge": True,
               "allow_direct": True, "allow_atomic": True, "max_age": 0, "allow_rollup_hdrs": False}
RECENT = {"storage": "file", "retention": "limits", "discard": "old", "allow_direct": True}
STREAMS = {
    "LEDGER": APPEND_ONLY | {"subjects": ["gt.ledger.>"], "max_msg_size": 1 << 20, "max_bytes": 32 << 20},
    "CHECKPOINT": RECENT | {"subjects": ["gt.checkpoint"], "max_msgs": 64, "max_bytes": 1 << 20, "deny_delete": True,
                            "deny_purge": True},
    # One message a node; once it is full nobody new gets in, and nobody is pushed out.
    "NODE": RECENT | {"subjects": ["gt.node.*"], "discard": "new", "max_msgs": 256, "max_msgs_per_subject": 1,
                      "max_bytes": 1 << 20, "max_msg_size": 2048, "deny_delete": True},
    "ALERT": RECENT | {"subjects": ["gt.alert.>"], "max_bytes": 4 << 20, "max_age": 30 * 24 * 3600 * 10**9,
                      "duplicate_window": 3600 * 10**9},
    # Nobody can write over an owner's wrapped keys, which would erase that owner in silence.
    KEYRING: APPEND_ONLY | {"subjects": [f"{KEY}.>"], "max_msgs_per_subject": 1, "discard_new_per_subject": True,
                            "max_bytes": 4 << 20},
}


async def create(provisioner: User, name: str, wanted: dict) -> dict:
    """Servers that a new cluster's leader has not heard of yet are no peers for a copy: asked again until they are."""
    deadline = asyncio.get_running_loop().time() + LIMIT
    while True:
        answer = await api(provisioner, f"STREAM.CREATE.{name}", wanted)
        no_peers = answer.get("error", {}).get("err_code") == NO_PEERS
        if not no_peers or asyncio.get_running_loop().time() > deadline:
            return answer
        await asyncio.sleep(0.1)


async def make_streams(provisioner: User, replicas: int) -> list[str]:
    """Makes them; answers with what the server refused or made otherwise."""
    wrong = []
    for name, wanted in STREAMS.items():
        wanted = wanted | {"name": name, "num_replicas": replicas}
        answer = await create(provisioner, name, wanted)
        made = answer.get("config", {})
        wrong += [f"{name}: {answer.get('error') or key}" for key in wanted if made.get(key) != wanted[key]]
    return wrong


async def read_batch(user: User, stream: str, request: dict, prefix: str = "gt.js") -> list:
    """A DIRECT.GET batch: the messages, and last the one with a Status. In an inbox of its own: replies to the shared one
    would leave the server an entry a request in its tables for as long as the connection lives."""
    inbox = user.new_inbox()
    subscription = await user.subscribe(inbox)
    await user.publish(f"{prefix}.DIRECT.GET.{stream}", json.dumps(request).encode(), reply=inbox)
    messages = []
    while not messages or "Status" not in (messages[-1].headers or {}):
        messages.append(await subscription.next_msg(timeout=10))
    await subscription.unsubscribe()
    return messages


async def fingerprint(provisioner: User) -> str:
    """Configuration, positions and contents of every stream there is. Equal before and after: nothing changed."""
    names = (await api(provisioner, "STREAM.NAMES")).get("streams") or []
    seen = {}
    for name in sorted(names):
        info = await api(provisioner, f"STREAM.INFO.{name}")
        state = {key: info["state"][key] for key in ("messages", "bytes", "first_seq", "last_seq", "consumer_count")}
        contents: list = []
        # A replica that answers may be behind what the leader counts.
        while len(contents) < state["messages"]:
            messages = await read_batch(provisioner, name, {"seq": 1, "batch": 1000}, "$JS.API")
            contents = [(m.headers["Nats-Sequence"], m.headers["Nats-Subject"], m.data.hex()) for m in messages[:-1]]
        seen[name] = [info["config"], state, contents]
    return json.dumps(seen, sort_keys=True)


async def publish_batch(user: User, messages: list[tuple[str, dict[str, str]]], batch: str) -> dict:
    """An atomic batch (ADR-50) of one payload under these subjects and headers; the acknowledgement of its last message."""
    for at, (subject, extra) in enumerate(messages, 1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(at)} | extra
        if at == len(messages):
            headers["Nats-Batch-Commit"] = "1"
            return json.loads((await user.request(subject, b"sealed", headers=headers, timeout=10)).data)
        await user.publish(subject, b"sealed", headers=headers)
    raise ValueError("an empty batch")
