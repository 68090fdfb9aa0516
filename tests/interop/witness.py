"""A log's side of C2SP tlog-witness, against `goldenthread witness`: requests are written and cosignatures checked here.

Written from the C2SP pages tlog-witness, tlog-cosignature, signed-note and tlog-policy. The log is the ledger of this run, as
anybody sees it: its checkpoint, an older one out of a receipt, and the consistency proof that it serves.
"""

import argparse
import base64
import hashlib
import json
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from checks import Checks
from ledger import Ledger
from receipt import NotSound, require, unb64
from statement import unb64url

LIMIT_SECONDS = 60
ED25519_COSIGNATURE, ML_DSA_COSIGNATURE = 4, 6


@dataclass(frozen=True)
class Note:
    """A signed checkpoint: its three lines, and the signature lines below them."""

    text: str
    signatures: str

    @classmethod
    def parse(cls, note: str) -> "Note":
        text, separator, signatures = note.rpartition("\n\n")
        require(separator != "", "not a signed note")
        return cls(text + "\n", signatures)

    @property
    def origin(self) -> str:
        return self.text.split("\n")[0]

    @property
    def size(self) -> int:
        return int(self.text.split("\n")[1])

    @property
    def root(self) -> bytes:
        return unb64(self.text.split("\n")[2])

    def __str__(self) -> str:
        return f"{self.text}\n{self.signatures}"


@dataclass(frozen=True)
class Cosigner:
    """A witness's verifier key: C2SP's types 0x04 and 0x06."""

    name: str
    kind: int
    public: bytes
    key_id: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Cosigner":
        name, key_id, material = vkey.split("+", 2)
        raw = unb64(material)
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        require(key_id == expected.hex(), "verifier key with a wrong key id")
        require(raw[0] in (ED25519_COSIGNATURE, ML_DSA_COSIGNATURE), "not a cosigner's key")
        return cls(name, raw[0], raw[1:], expected)

    def check(self, note: Note, signature: bytes) -> int:
        """The time of a cosignature that holds."""
        (when,) = struct.unpack(">Q", signature[:8])
        try:
            if self.kind == ED25519_COSIGNATURE:
                message = f"cosignature/v1\ntime {when}\n{note.text}".encode()
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature[8:], message)
            else:
                name, origin = self.name.encode(), note.origin.encode()
                message = b"subtree/v1\n\0" + bytes([len(name)]) + name + struct.pack(">Q", when)
                message += bytes([len(origin)]) + origin + struct.pack(">QQ", 0, note.size) + note.root
                MLDSA44PublicKey.from_public_bytes(self.public).verify(signature[8:], message)
        except InvalidSignature as error:
            raise NotSound("a cosignature does not hold") from error
        return when


def read_answer(body: bytes, note: Note, keys: list) -> list:
    """The times of the cosignatures in an answer, one for each key."""
    times = {}
    for line in body.decode().splitlines():
        dash, name, encoded = line.split(" ")
        require(dash == "\u2014", "not a signature line")
        raw = unb64(encoded)
        for key in keys:
            if (key.name, key.key_id) == (name, raw[:4]):
                times[key.kind] = key.check(note, raw[4:])
    require(len(times) == len(keys), "a key has not signed")
    return list(times.values())


def request(old: int, proof: list, note: Note) -> str:
    lines = "".join(base64.b64encode(unb64url(each)).decode() + "\n" for each in proof)
    return f"old {old}\n{lines}\n{note}"


class Witness:
    """`goldenthread witness`, made, told of the ledger, and serving. Use with `with`."""

    def __init__(self, program: str, folder: Path, pin: str):
        self.program, self.data, self.pin = program, folder / "witness", pin

    def run(self, *arguments: str) -> dict:
        done = subprocess.run([self.program, "witness", *arguments, "--json", "--data", str(self.data)],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def __enter__(self) -> "Witness":
        made = self.run("init", "--name", "witness.example/interop")
        self.keys = [Cosigner.parse(vkey) for vkey in made["verifier_keys"]]
        self.policy = made["policy"]
        self.run("add", self.pin)
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.kill()

    def start(self) -> None:
        command = [self.program, "witness", "serve", "--json", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.http = Ledger(json.loads(self.process.stdout.readline())["listening"])

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(LIMIT_SECONDS)
        self.process.stdout.close()

    def add(self, text: str):
        return self.http.call("/add-checkpoint", text.encode(), "text/plain")


def check_first(checks: Checks, witness: Witness, older: Note) -> None:
    answer = witness.add(request(0, [], older))
    times = read_answer(answer.body, older, witness.keys)
    now = time.time()
    checks.record(answer.status == 200 and all(abs(now - each) < 600 for each in times),
                  "witness: both keys sign a first checkpoint, at a time that is now", f"{answer.status} {times}")
    witness.kill()
    witness.start()
    again = witness.add(request(0, [], older))
    told = (again.status, again.content_type, again.body)
    checks.record(told == (409, "text/x.tlog.size", f"{older.size}\n".encode()),
                  "witness: killed and started again, it says what it has signed", str(told))


def check_refusals(checks: Checks, witness: Witness, ledger: Ledger, older: Note, newer: Note) -> None:
    proof = ledger.consistency(older.size, newer.size)["path"]
    other_origin = Note(newer.text.replace(newer.origin, "another.example/log", 1), newer.signatures)
    other_size = Note(newer.text.replace(f"\n{newer.size}\n", f"\n{newer.size + 1}\n", 1), newer.signatures)
    cases = [
        ("a proof with a hash too few", request(older.size, proof[1:], newer), 422),
        ("a proof with another hash", request(older.size, ["A" * 43, *proof[1:]], newer), 422),
        ("an old size above the checkpoint's", request(newer.size + 1, [], newer), 400),
        ("a log that it does not know", request(older.size, proof, other_origin), 404),
        ("a signature of something else", request(older.size, proof, other_size), 403),
        ("a size with a leading zero", "old 0" + request(older.size, proof, newer)[4:], 400),
        ("nothing", "", 400),
    ]
    for what, text, status in cases:
        answer = witness.add(text)
        checks.record(answer.status == status, f"witness: {what} is answered with {status}", str(answer.status))


def check_growth(checks: Checks, witness: Witness, ledger: Ledger, older: Note, newer: Note) -> None:
    proof = ledger.consistency(older.size, newer.size)["path"]
    answer = witness.add(request(older.size, proof, newer))
    checks.record(answer.status == 200 and len(read_answer(answer.body, newer, witness.keys)) == 2,
                  "witness: what extends the older checkpoint is signed", str(answer.status))
    shown = witness.http.call(f"/{hashlib.sha256(newer.origin.encode()).hexdigest()}/checkpoint")
    note = Note.parse(shown.body.decode())
    own = "".join(line + "\n" for line in note.signatures.splitlines() if " witness.example/interop " in line)
    checks.record(note.text == newer.text and len(read_answer(own.encode(), newer, witness.keys)) == 2,
                  "witness: it shows what it has signed, with its signatures")
    back = witness.add(request(older.size, [], older))
    checks.record(back.status == 409, "witness: it does not go back", str(back.status))
    forks = witness.http.call("/forks").json()
    checks.record(forks == {"count": 0, "forks": []}, "witness: and nothing of all this is a fork", str(forks))


def main() -> int:
    parser = argparse.ArgumentParser(description="A log that asks a witness, for the interoperability run.")
    for name in ("program", "url", "pin", "receipt", "folder", "results"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    checks, ledger = Checks(options.results), Ledger(options.url)
    with checks.part("witness"):
        # What follows the first empty line of a tlog-proof is its checkpoint.
        older = Note.parse(Path(options.receipt).read_text(encoding="utf-8").split("\n\n", 1)[1])
        newer = Note.parse(ledger.checkpoint())
        checks.record(0 < older.size < newer.size, "witness: the log has grown since the receipt")
        with Witness(options.program, Path(options.folder), options.pin) as witness:
            check_first(checks, witness, older)
            check_refusals(checks, witness, ledger, older, newer)
            check_growth(checks, witness, ledger, older, newer)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
