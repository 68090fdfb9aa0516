"""Encrypted private keys (FORMATS section 14), made by the program and opened by another implementation of JWE, and the other way round."""

import argparse
import base64
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, OKPKey

from checks import Checks
from statement import unb64url

LIMIT_SECONDS = 120
PASSPHRASE = "quiet lanterns over the larkfield"
HEADER = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "cty": "jwk+json"}


def registry(*algorithms: str) -> jwe.JWERegistry:
    return jwe.JWERegistry(algorithms=list(algorithms), strict_check_header=False)


def key_of(passphrase: str) -> OctKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return OctKey.import_key(passphrase.encode())


def sealed(header: dict, jwk: dict) -> str:
    algorithms = registry(header["alg"], header["enc"])
    return jwe.encrypt_compact(header, json.dumps(jwk).encode(), key_of(PASSPHRASE), registry=algorithms)


class Program:
    def __init__(self, program: str, folder: Path):
        self.program, self.folder = program, folder
        self.passphrase_file = self.private("passphrase", PASSPHRASE + "\n")

    def private(self, name: str, text: str) -> Path:
        path = self.folder / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run(self, *arguments) -> subprocess.CompletedProcess:
        command = [self.program, *map(str, arguments), "--passphrase-file", str(self.passphrase_file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    def public_half(self, name: str, text: str) -> str:
        """The public key that the program finds in a key file of this content."""
        key, public = self.private(f"{name}.jwk", text), self.folder / f"{name}.public.jwk"
        done = self.run("keygen", "--existing", "--out", key, "--public", public)
        if done.returncode != 0:
            raise ValueError(done.stderr.strip())
        return json.loads(public.read_text())["x"]


def ours_elsewhere(program: Program, checks: Checks) -> None:
    key = program.folder / "ours.jwk"
    made = program.run("keygen", "--out", key)
    checks.record(made.returncode == 0, "key file: keygen encrypts a new key", made.stderr)
    text = key.read_text().strip()
    algorithms = registry(HEADER["alg"], HEADER["enc"])
    opened = jwe.decrypt_compact(text, key_of(PASSPHRASE), registry=algorithms)
    public = json.loads((program.folder / "ours.public.jwk").read_text())
    jwk = json.loads(opened.plaintext)
    checks.record(jwk["x"] == public["x"] and set(jwk) == {"kty", "crv", "x", "d"}, "key file: joserfc opens it")
    checks.record(OKPKey.import_key(jwk).is_private, "key file: what is in it is a private JWK to joserfc")
    checks.record(opened.headers().get("p2c", 0) >= 220_000, "key file: its passphrase is hashed often enough")
    try:
        jwe.decrypt_compact(text, key_of(PASSPHRASE + "!"), registry=algorithms)
        checks.record(False, "key file: joserfc refuses another passphrase")
    except (JoseError, ValueError):
        checks.record(True, "key file: joserfc refuses another passphrase")


def theirs_here(program: Program, checks: Checks) -> None:
    jwk = OKPKey.generate_key("Ed25519", private=True).as_dict(private=True)
    jwk = {name: jwk[name] for name in ("kty", "crv", "x", "d")}
    x = program.public_half("theirs", sealed({**HEADER, "p2c": 300_000}, jwk))
    checks.record(x == jwk["x"], "key file: the program opens what joserfc made")
    for name, header, sentence in [
        ("alg", {**HEADER, "alg": "PBES2-HS256+A128KW"}, "its alg is not PBES2-HS512+A256KW"),
        ("enc", {**HEADER, "enc": "A256CBC-HS512"}, "its enc is not A256GCM"),
        ("cty", {**HEADER, "cty": "JWT"}, "its cty is not jwk+json"),
        ("more", {**HEADER, "kid": "mine"}, "exactly alg, enc, cty, p2s and p2c"),
    ]:
        try:
            program.public_half(name, sealed({"p2c": 2000, **header}, jwk))
            checks.record(False, f"key file: another {name} is refused")
        except ValueError as error:
            checks.record(sentence in str(error), f"key file: another {name} is refused", str(error))
    header, rest = sealed({**HEADER, "p2c": 2000}, jwk).split(".", 1)
    for count in (999, 5_000_001):
        changed = {**json.loads(unb64url(header)), "p2c": count}
        text = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
        try:
            program.public_half(f"p2c-{count}", f"{text}.{rest}")
            checks.record(False, f"key file: {count} iterations are refused")
        except ValueError as error:
            checks.record("its p2c is not between" in str(error), f"key file: {count} iterations are refused", str(error))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--results", required=True)
    arguments = parser.parse_args()
    arguments.folder.mkdir()
    checks = Checks(arguments.results)
    program = Program(arguments.program, arguments.folder)
    with checks.part("key file: made here, opened elsewhere"):
        ours_elsewhere(program, checks)
    with checks.part("key file: made elsewhere, opened here"):
        theirs_here(program, checks)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
