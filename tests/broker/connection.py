"""Connections of the broker's users: TLS and an nkey, and no reconnecting unless a test asks for it."""

import base64
import binascii
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nats.aio.client import Client


class User(Client):
    """A connection that also remembers what the server refused it (`-ERR`), which arrives apart from the request."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[str] = []

    async def _note(self, error: Exception) -> None:
        self.refusals.append(str(error).lower())

    async def flush(self, timeout: int = 10) -> None:
        """The client writes its PING at once and what was sent before it a little later; a second PING comes after that."""
        await super().flush(timeout)
        await super().flush(timeout)

    def was_refused(self, what: str) -> bool:
        """Whether the server said no to this, e.g. `publish to "a.b"`."""
        return any(f"permissions violation for {what.lower()}" in refusal for refusal in self.refusals)


async def connect(url: str, authority: Path | None, seed: str | None, **options: object) -> User:
    """Connects; without an authority's certificate in plain text, without a seed as nobody."""
    user = User()
    settings: dict[str, object] = {"allow_reconnect": False, "connect_timeout": 5, "error_cb": user._note}
    if authority is not None:
        settings["tls"] = ssl.create_default_context(cafile=str(authority))
        settings["tls_hostname"] = "localhost"
    if seed is not None:
        settings |= signing_with(private_key(seed))
    settings |= options
    # nats-py signs with the packages nkeys and pynacl, unless it is given a signature; the public key has no option.
    user._public_nkey = settings.pop("public_nkey", None)
    await user.connect(url, **settings)
    # The client goes on in plain text with a server that asks for none, whatever it was given.
    if authority is not None and not user._server_info.get("tls_required"):
        await user.close()
        raise ConnectionError("the server does not ask for TLS: not the one under test")
    return user


def signing_with(key: Ed25519PrivateKey, name: str | None = None) -> dict[str, object]:
    """The options of a connection that signs with this key, as the user of its public key or as another."""
    return {"signature_cb": lambda nonce: base64.b64encode(key.sign(nonce.encode())), "public_nkey": name or public_nkey(key)}


def private_key(seed: str) -> Ed25519PrivateKey:
    """The key in a user's seed: two type bytes, the key, a check sum of two."""
    return Ed25519PrivateKey.from_private_bytes(decode(seed)[2:34])


def public_nkey(key: Ed25519PrivateKey) -> str:
    """`U…` of a key, computed apart from the program that made it (binascii's CRC-16 is the same one)."""
    raw = bytes([20 << 3]) + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")


def decode(text: str) -> bytes:
    text = text.strip()
    return base64.b32decode(text + "=" * (-len(text) % 8))
