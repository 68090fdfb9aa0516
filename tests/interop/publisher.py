"""An agency's own system: makes its key, signs and publishes decisions, and trusts nothing but its own checks.

    publisher.py key     --url URL --pin PIN --agency CODE --out FOLDER --results FILE
    publisher.py publish --url URL --pin PIN --agency CODE --out FOLDER --drafts FOLDER --results FILE

Uses joserfc and cryptography from PyPI and no code of the ledger. `key` writes `private.jwk` and the `public.jwk` that a
registrar enrols. `publish` leaves receipts, statements and spoilt copies in FOLDER for the ledger's own verifier.
"""

import argparse
import base64
import itertools
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from checks import Checks
from ledger import Ledger, unix_now
from receipt import Checkpoint, NotSound, Receipt, check_consistency, check_receipt, unb64
from refusals import check_chain, check_content, check_forgeries, check_unchanged
from statement import AgencyKey, Chain, Statement, b64url, compact_json, unb64url

# Enough for a tree whose proofs are not all of one shape.
PUBLISHED_ONE_BY_ONE = 5
PUBLISHED_TOGETHER = 6


@dataclass(frozen=True)
class Sealed:
    """A statement, the receipt that the ledger gave for it, and what the receipt proved."""

    statement: Statement
    raw: bytes
    receipt: Receipt


def load_pin(path: str) -> dict:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def load_drafts(folder: str) -> list:
    """The `data` of every example of a decision, in the order of their names, as drafts with ids of our own."""
    paths = sorted(Path(folder).glob("decision.recorded.*.json"))
    return [
        {
            "id": path.stem,
            "type": "decision.recorded",
            "version": 1 if path.stem.endswith(".v1") else 2,
            "data": json.loads(path.read_text(encoding="utf-8")),
        }
        for path in paths
    ]


def make_key(options, checks: Checks) -> None:
    pin, described = load_pin(options.pin), Ledger(options.url).describe()
    for name in ("origin", "genesis", "verifier_keys"):
        checks.record(described[name] == pin[name], f"the ledger shows the pinned {name}")
    key = AgencyKey.generate()
    private = Path(options.out, "private.jwk")
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(key.private_jwk(), file)
    registration = key.registration(pin["genesis"], options.agency)
    Path(options.out, "public.jwk").write_text(json.dumps(registration) + "\n", encoding="utf-8")


def publish_singly(checks: Checks, ledger: Ledger, chain: Chain, pin: dict, drafts: list) -> list:
    sealed = []
    for number, draft in enumerate(drafts):
        # RFC 8037's name of the algorithm is accepted beside RFC 9864's.
        statement = chain.draft(draft, unix_now(), alg="EdDSA" if number == 1 else "Ed25519")
        answer = ledger.publish(statement.text())
        detail = f"status {answer.status}: {answer.body[:300]!r}"
        if not checks.record(answer.status == 201, f"statement {statement.seq} is sealed", detail):
            break
        receipt = check_receipt(answer.body, pin, statement.hash())
        checks.record(True, f"its receipt proves index {receipt.index}")
        chain.advance(statement)
        sealed.append(Sealed(statement, answer.body, receipt))
    return sealed


def publish_together(checks: Checks, ledger: Ledger, chain: Chain, pin: dict, drafts: list, known: Sealed) -> list:
    """NDJSON: good lines around one that is sealed already and one that must be refused, each with its own answer."""
    statements = []
    for draft in drafts:
        statements.append(chain.draft(draft, unix_now()))
        chain.advance(statements[-1])
    gap = chain.draft(drafts[0], unix_now(), seq=chain.next_seq + 7)
    half = len(statements) // 2
    lines = [*statements[:half], known.statement, gap, *statements[half:]]
    answer = ledger.publish_lines([line.text() for line in lines])
    results = answer.ndjson() if answer.content_type == "application/x-ndjson" else []
    counted = len(results) == len(lines)
    if not checks.record(counted, "NDJSON gives one answer a line", f"status {answer.status}: {answer.body[:300]!r}"):
        return []
    sealed = []
    for statement, result in zip(lines, results):
        if statement is gap:
            refused = 400 <= result["status"] < 500 and "chain_gap" in result["problem"]["type"]
            checks.record(refused, "the gap among the lines is refused by itself", str(result))
            continue
        held = result["status"] in (200, 201) and result["statement"] == statement.hash()
        if not checks.record(held, f"line with statement {statement.seq} is sealed", str(result)[:300]):
            continue
        raw = result["receipt"].encode("utf-8")
        receipt = check_receipt(raw, pin, statement.hash())
        checks.record(receipt.index == result["index"], f"its receipt proves index {receipt.index}")
        if statement is known.statement:
            checks.record(receipt.index == known.receipt.index, "the line that was sealed before keeps its index")
        else:
            sealed.append(Sealed(statement, raw, receipt))
    return sealed


def check_entries(checks: Checks, sealed: list) -> None:
    """What several receipts say together: order, time, the entries' own hash chain, and a link for every owner."""
    pairs = list(itertools.pairwise(sealed))
    indexes = [each.receipt.index for each in sealed]
    checks.record(all(a < b for a, b in itertools.pairwise(indexes)), "indexes follow the chain's order", str(indexes))
    times = [each.receipt.entry["received_at"] for each in sealed]
    checks.record(times == sorted(times), "received_at never decreases", str(times))
    adjacent = [(a.receipt, b.receipt) for a, b in pairs if b.receipt.index == a.receipt.index + 1]
    joined = sum(b.entry["prev"] == b64url(a.leaf) for a, b in adjacent)
    held = len(adjacent) > 0 and joined == len(adjacent)
    checks.record(held, f"{len(adjacent)} neighbouring entries are chained by prev", f"{joined} are")
    linked = sum(len(each.receipt.entry["links"]) == len(each.statement.owners) for each in sealed)
    checks.record(linked == len(sealed), "every entry has one link for every owner", f"{linked} of {len(sealed)}")
    registry = {each.receipt.entry["registry"] for each in sealed}
    checks.record(len(registry) == 1 and registry.pop() >= 3, "all refer to the registry that enrolled this key")


def check_later_checkpoint(checks: Checks, ledger: Ledger, pin: dict, sealed: list) -> None:
    """The ledger's newest checkpoint must extend every one that a receipt was given under."""
    newest = Checkpoint.open(ledger.checkpoint(), pin)
    checks.record(newest.size > sealed[-1].receipt.index, "the newest checkpoint covers every receipt", str(newest.size))
    older = {each.receipt.checkpoint.size: each.receipt.checkpoint for each in sealed}
    checks.record(len(older) > 1, "the receipts were given under several checkpoints")
    for size, checkpoint in sorted(older.items()):
        proof = {"path": []} if size == newest.size else ledger.consistency(size, newest.size)
        path = [unb64url(node) for node in proof["path"]]
        try:
            check_consistency(size, newest.size, checkpoint.root, newest.root, path)
            checks.record(True, f"checkpoint {newest.size} extends checkpoint {size}")
        except NotSound as error:
            checks.record(False, f"checkpoint {newest.size} extends checkpoint {size}", str(error))


def check_own_vigilance(checks: Checks, pin: dict, each: Sealed) -> None:
    """Turns every byte of a receipt once: this system's own check must notice each.

    All but the last line, which is an ML-DSA-44 signature: of an algorithm that this system does not know, as C2SP has it."""
    missed = []
    checked = each.raw.rstrip(b"\n").rfind(b"\n") + 1
    for position in range(checked):
        spoilt = bytearray(each.raw)
        spoilt[position] ^= 1
        try:
            check_receipt(bytes(spoilt), pin, each.statement.hash())
            missed.append(position)
        except NotSound:
            pass
    checks.record(missed == [], f"each of {checked} single-bit changes to a receipt is noticed, up to the signature of an algorithm that is not known here", str(missed))


def spoilt_copies(each: Sealed) -> dict:
    """Copies of a receipt that a verifier must call not sound: every part of it once, still of the right shape."""
    lines = each.raw.decode("utf-8").split("\n")
    blank = lines.index("")

    def changed(number: int, position: int) -> bytes:
        line = lines[number]
        other = "A" if line[position] != "A" else "B"
        return "\n".join([*lines[:number], line[:position] + other + line[position + 1:], *lines[number + 1:]]).encode()

    extra = lines[1].removeprefix("extra ")
    entry = json.loads(unb64(extra))
    entry["registry"] += 1
    other_entry = base64.b64encode(compact_json(entry)).decode("ascii")
    signature = next(number for number, line in enumerate(lines) if line.startswith("\u2014 "))
    return {
        "entry": each.raw.replace(extra.encode(), other_entry.encode()),
        "proof": changed(3, 10),
        "root": changed(blank + 3, 10),
        "signature": changed(signature, len(lines[signature]) - 20),
    }


def save(folder: Path, sealed: list) -> None:
    for each in sealed:
        stem = folder / f"seq-{each.statement.seq:02}"
        stem.with_suffix(".tlog-proof").write_bytes(each.raw)
        stem.with_suffix(".sd-jwt").write_text(each.statement.text(), encoding="ascii")
    for part, raw in spoilt_copies(sealed[0]).items():
        (folder / f"spoilt-{part}.tlog-proof").write_bytes(raw)


def publish(options, checks: Checks) -> None:
    pin, ledger, drafts = load_pin(options.pin), Ledger(options.url), load_drafts(options.drafts)
    if not checks.record(drafts != [], "there are drafts of decisions to publish"):
        return
    key = AgencyKey.load(Path(options.out, "private.jwk"))
    head = ledger.head(key.id)
    first = {"publisher": key.id, "next_seq": 0, "head": pin["genesis"]}
    checks.record(head == first, "a new publisher's chain starts at the genesis leaf", str(head))
    chain = Chain(key, options.agency, pin["origin"], 0, pin["genesis"])
    supply = itertools.cycle(drafts)

    sealed = publish_singly(checks, ledger, chain, pin, list(itertools.islice(supply, PUBLISHED_ONE_BY_ONE)))
    if len(sealed) < PUBLISHED_ONE_BY_ONE:
        return
    for trial in (check_forgeries, check_content):
        with checks.part(trial.__name__):
            trial(checks, ledger, chain, drafts[0])
    with checks.part("check_chain"):
        check_chain(checks, ledger, chain, drafts[0], sealed[0].statement)
    with checks.part("check_unchanged"):
        check_unchanged(checks, ledger, chain, pin, sealed[0].statement, sealed[0].receipt.index)
    together = list(itertools.islice(supply, max(PUBLISHED_TOGETHER, len(drafts) - PUBLISHED_ONE_BY_ONE)))
    with checks.part("publish_together"):
        sealed += publish_together(checks, ledger, chain, pin, together, sealed[0])
    with checks.part("check_entries"):
        check_entries(checks, sealed)
    with checks.part("check_later_checkpoint"):
        check_later_checkpoint(checks, ledger, pin, sealed)
    check_own_vigilance(checks, pin, sealed[0])
    save(Path(options.out), sealed)


def main() -> int:
    parser = argparse.ArgumentParser(description="An agency's own system, for the interoperability run.")
    parser.add_argument("step", choices=["key", "publish"])
    for name in ("url", "pin", "agency", "out", "results"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--drafts", default="")
    options = parser.parse_args()
    checks = Checks(options.results)
    with checks.part(options.step):
        {"key": make_key, "publish": publish}[options.step](options, checks)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
