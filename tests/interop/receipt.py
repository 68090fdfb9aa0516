"""Checks a receipt offline: signed note, checkpoint, inclusion and consistency proofs, entry bytes.

Written from the C2SP pages signed-note, tlog-checkpoint and tlog-proof, from RFC 6962 and RFC 9162 section 2.1, and from
the ledger's FORMATS page. Needs SHA-256 and Ed25519, no server.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from statement import unb64url

MAX_RECEIPT_BYTES = 64 * 1024
ENTRY_MEMBERS = ["index", "prev", "received_at", "registry", "links", "statement"]
RECEIVED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}")


class NotSound(Exception):
    """The receipt does not prove what it says."""


def require(condition: bool, why: str) -> None:
    if not condition:
        raise NotSound(why)


def unb64(text: str) -> bytes:
    """Standard base64 with padding, in the one spelling that encoding gives."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NotSound("base64 that does not decode") from error
    require(base64.b64encode(raw).decode("ascii") == text, "base64 that is not canonical")
    return raw


def decimal(text: str) -> int:
    require(DECIMAL.fullmatch(text) is not None, "not a decimal number")
    return int(text)


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_inclusion(index: int, size: int, leaf: bytes, path: list) -> bytes:
    """RFC 9162 section 2.1.3.2."""
    require(index < size, "index outside the tree")
    position, last, root = index, size - 1, leaf
    for sibling in path:
        require(last > 0, "inclusion proof is too long")
        if position & 1 or position == last:
            root = node_hash(sibling, root)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        position, last = position >> 1, last >> 1
    require(last == 0, "inclusion proof is too short")
    return root


def check_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: list) -> None:
    """RFC 9162 section 2.1.4.2, with equal sizes as the trivial case."""
    require(0 < first <= second, "sizes out of order")
    if first == second:
        require(path == [] and first_root == second_root, "one size, two roots")
        return
    nodes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    require(nodes != [], "consistency proof is empty")
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        require(last > 0, "consistency proof is too long")
        if position & 1 or position == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, node)
        position, last = position >> 1, last >> 1
    require(last == 0, "consistency proof is too short")
    require(old == first_root, "consistency proof does not lead to the older root")
    require(new == second_root, "consistency proof does not lead to the newer root")


@dataclass(frozen=True)
class VerifierKey:
    """A C2SP verifier key of signature type 1, Ed25519."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        name, key_id, material = vkey.split("+", 2)
        raw = unb64(material)
        require(len(raw) == 33 and raw[0] == 1, "not an Ed25519 verifier key")
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        require(key_id == expected.hex(), "verifier key with a wrong key id")
        return cls(name, expected, raw[1:])


def open_note(note: str, keys: list) -> str:
    """The text of a signed note, once a pinned key has signed it. A bad signature of a pinned key spoils the note."""
    text, separator, signatures = note.rpartition("\n\n")
    require(separator != "" and signatures.endswith("\n"), "not a signed note")
    text += "\n"
    lines = signatures[:-1].split("\n")
    require(len(lines) <= 64, "too many signatures")
    verified = 0
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        require(dash == "\u2014" and name != "", "not a signature line")
        raw = unb64(encoded)
        for key in keys:
            if key.name == name and key.key_id == raw[:4]:
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text.encode())
                except InvalidSignature as error:
                    raise NotSound("a pinned key's signature is wrong") from error
                verified += 1
    require(verified > 0, "no pinned key signed this")
    return text


@dataclass(frozen=True)
class Checkpoint:
    size: int
    root: bytes

    @classmethod
    def open(cls, note: str, pin: dict) -> "Checkpoint":
        # Its ML-DSA-44 keys are left to tools that know them (FORMATS section 10).
        known = [vkey for vkey in pin["verifier_keys"] if unb64(vkey.split("+", 2)[2])[0] == 1]
        text = open_note(note, [VerifierKey.parse(vkey) for vkey in known])
        lines = text.split("\n")
        require(len(lines) == 4 and lines[3] == "", "not a checkpoint of three lines")
        require(lines[0] == pin["origin"], "another ledger's checkpoint")
        root = unb64(lines[2])
        require(len(root) == 32, "root is no SHA-256 hash")
        return cls(decimal(lines[1]), root)


@dataclass(frozen=True)
class Receipt:
    """A verified receipt: its entry's members, the entry's leaf hash, and the checkpoint that covers it."""

    entry: dict
    leaf: bytes
    checkpoint: Checkpoint

    @property
    def index(self) -> int:
        return self.entry["index"]


def parse_entry(raw: bytes) -> dict:
    """Entry bytes must be the one spelling of their members; so parsing loosely and writing strictly is enough."""
    try:
        entry = json.loads(raw.decode("utf-8"))
    except ValueError as error:
        raise NotSound("entry is not JSON") from error
    require(isinstance(entry, dict) and list(entry) == ENTRY_MEMBERS, "entry with other members")
    require(json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() == raw, "entry is not canonical")
    for name in ("index", "registry"):
        require(type(entry[name]) is int and entry[name] >= 0, f"entry's {name} is no count")
    require(isinstance(entry["received_at"], str) and RECEIVED_AT.fullmatch(entry["received_at"]) is not None,
            "entry's received_at is no time")
    links = entry["links"]
    require(isinstance(links, list) and links == sorted(set(links)), "links are not sorted, or repeat")
    for text in [entry["prev"], entry["statement"], *links]:
        try:
            require(len(unb64url(text)) == 32, "a hash or link has not 32 bytes")
        except (ValueError, TypeError) as error:
            raise NotSound("a hash or link is no base64url") from error
    return entry


def check_receipt(raw: bytes, pin: dict, statement_hash: str) -> Receipt:
    """Verifies a receipt against what its holder pinned and signed, or raises NotSound with the reason."""
    require(len(raw) <= MAX_RECEIPT_BYTES, "receipt is too long")
    try:
        text = raw.decode("utf-8")
    except ValueError as error:
        raise NotSound("receipt is not UTF-8") from error
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    require(separator != "" and len(lines) >= 3, "not a tlog-proof")
    require(lines[0] == "c2sp.org/tlog-proof@v1", "not a tlog-proof of version 1")
    require(lines[1].startswith("extra ") and lines[2].startswith("index "), "extra or index is missing")
    raw_entry = unb64(lines[1].removeprefix("extra "))
    entry = parse_entry(raw_entry)
    require(decimal(lines[2].removeprefix("index ")) == entry["index"], "index is not the entry's")
    path = [unb64(line) for line in lines[3:]]
    require(all(len(node) == 32 for node in path), "a proof line is no SHA-256 hash")
    checkpoint = Checkpoint.open(note, pin)
    leaf = leaf_hash(raw_entry)
    root = root_from_inclusion(entry["index"], checkpoint.size, leaf, path)
    require(root == checkpoint.root, "inclusion proof does not lead to the signed root")
    require(entry["statement"] == statement_hash, "the entry is for another statement")
    return Receipt(entry, leaf, checkpoint)
