"""Makes the corpus anew from the vectors and the schemas' examples: tests/fuzz/seed.py

Run it when there are new vectors; `tests/fuzz/run --merge` then adds what fuzzing found and drops what reaches nothing new."""

import base64
import hashlib
import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VECTORS = ROOT / "tests" / "vectors"
# libFuzzer changes short inputs better; what is longer is in the vectors themselves.
LONGEST = 24_000
# Types whose current version is not 1.
CURRENT = {"decision.recorded": 2, "missing.ended": 2}


def keep(target: str, content: bytes) -> None:
    if 0 < len(content) <= LONGEST:
        folder = HERE / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha256(content).hexdigest()[:40]).write_bytes(content)


def cases(name: str) -> list:
    return json.loads((VECTORS / name).read_text())["cases"]


def bytes_of(case: dict, member: str) -> bytes:
    if member in case:
        return case[member].encode()
    text = case.get(f"{member}_base64url", "")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def from_vectors() -> None:
    for name in ("statements-accepted.json", "statements-refused.json", "authorship.json"):
        for case in cases(name):
            keep("statements", bytes_of(case, "statement"))
    for case in cases("receipts.json"):
        receipt = bytes_of(case, "receipt")
        keep("proofs", receipt)
        note = receipt.partition(b"\n\n")[2]
        keep("notes", note)
        keep("checkpoints", note)
        keep("checkpoints", note.partition(b"\n\n")[0] + b"\n")
        for key in case["pinned"]["verifier_keys"]:
            keep("notes", key.encode())
    for case in cases("policies.json"):
        keep("notes", bytes_of(case, "policy"))
        keep("notes", bytes_of(case, "checkpoint"))
    for case in cases("entries.json"):
        entry = bytes_of(case, "entry")
        keep("tiles", entry)
        keep("tiles", len(entry).to_bytes(2, "big") + entry)
    for path in ("tile/0/x001/x234/067", "tile/63/000.p/255", "tile/entries/x001/000.p/1", "tile/entries/000"):
        keep("tiles", path.encode())
    keep("tiles", bytes(range(256)) * 4)
    for case in cases("witness.json"):
        keep("requests", bytes_of(case, "request"))
    for case in cases("forks.json"):
        keep("bundles", bytes_of(case, "evidence"))
    for file in (VECTORS / "bundles").glob("*.bundle.json"):
        keep("bundles", json.dumps(json.loads(file.read_text()), separators=(",", ":"), ensure_ascii=False).encode())


def from_examples() -> None:
    for file in sorted((ROOT / "schemas" / "examples").glob("*.json")):
        parts = file.name.split(".")
        # An older version's example says so in its name.
        version = int(parts[-2][1:]) if re.fullmatch(r"v[0-9]+", parts[-2]) else CURRENT.get(".".join(parts[:2]), 1)
        data = json.loads(file.read_text())
        draft = {"type": ".".join(parts[:2]), "version": version, "data": data}
        keep("requests", json.dumps(draft, separators=(",", ":"), ensure_ascii=False).encode())


if __name__ == "__main__":
    from_vectors()
    from_examples()
    for folder in sorted((HERE / "corpus").iterdir()):
        print(folder.name, len(list(folder.iterdir())))
