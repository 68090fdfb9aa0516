"""User keys of NATS ("nkeys"): Ed25519 keys in base32 with a type byte before and a CRC-16 after.

The encoding is that of the server's own nkeys library; the curve arithmetic is openssl's, so the standard library suffices.
"""

import base64
import os
import subprocess

SEED_TYPE = 18 << 3  # makes a seed begin with S
USER_TYPE = 20 << 3  # makes a user's public key begin with U
# RFC 8410: what stands before the 32 bytes of an Ed25519 private key in PKCS#8, and before those of a public one.
PKCS8_HEAD = bytes.fromhex("302e020100300506032b657004220420")
PUBLIC_HEAD = bytes.fromhex("302a300506032b6570032100")


def new_seed() -> str:
    """A fresh user's seed (`SU…`)."""
    head = bytes([SEED_TYPE | USER_TYPE >> 5, (USER_TYPE & 31) << 3])
    return _encode(head + os.urandom(32))


def public_key(seed: str) -> str:
    """The public key (`U…`) of a user's seed. Raises ValueError for anything that is no such seed."""
    raw = _decode(seed.strip())
    if len(raw) != 34 or raw[0] & 0xF8 != SEED_TYPE or (raw[0] & 7) << 5 | raw[1] >> 3 != USER_TYPE:
        raise ValueError("not the seed of a NATS user")
    command = ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"]
    public = subprocess.run(command, input=PKCS8_HEAD + raw[2:], capture_output=True, check=True).stdout
    if not public.startswith(PUBLIC_HEAD) or len(public) != len(PUBLIC_HEAD) + 32:
        raise ValueError("openssl did not answer with an Ed25519 key")
    return _encode(bytes([USER_TYPE]) + public[len(PUBLIC_HEAD) :])


def is_public_key(text: str) -> bool:
    """Whether this is a user's public key, its check sum included."""
    try:
        raw = _decode(text)
    except ValueError:
        return False
    return len(raw) == 33 and raw[0] == USER_TYPE


def _encode(raw: bytes) -> str:
    return base64.b32encode(raw + _crc16(raw).to_bytes(2, "little")).decode().rstrip("=")


def _decode(text: str) -> bytes:
    raw = base64.b32decode(text + "=" * (-len(text) % 8))
    if len(raw) < 3 or _crc16(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
        raise ValueError("the check sum is wrong")
    return raw[:-2]


def _crc16(data: bytes) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, from zero, not reflected."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
