"""Who gets in at all."""

import json
import socket
import ssl

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker import AGENCIES, Broker
from checks import Checks
from connection import connect, private_key, public_nkey, signing_with

POLICE = AGENCIES[1]


def plain_text_answer(port: int) -> tuple[dict, bytes]:
    """The server's greeting, and all that it says to a client that goes on without TLS."""
    with socket.create_connection(("127.0.0.1", port), 10) as stream:
        lines = stream.makefile("rb")
        greeting = lines.readline()
        stream.sendall(b'CONNECT {"verbose":true}\r\nPING\r\n')
        try:
            rest = lines.read()
        except ConnectionResetError:
            rest = b""
    return json.loads(greeting.removeprefix(b"INFO ")), rest


async def outcome(broker: Broker, seed: str | None, **options: object) -> str:
    try:
        user = await connect(broker.url(), broker.authority, seed, **options)
    except Exception as why:  # noqa: BLE001 - the failure is what is checked
        return str(why).lower()
    await user.close()
    return "connected"


async def check_plain_text(checks: Checks, broker: Broker) -> None:
    for port in (*broker.ports, *broker.leaf_ports):
        greeting, rest = plain_text_answer(port)
        checks.check("a client is told to use TLS", greeting.get("tls_required") is True, greeting)
        checks.check("a connection in plain text gets no further", b"PONG" not in rest and b"+OK" not in rest, rest)


async def check_users(checks: Checks, broker: Broker) -> None:
    seed = broker.seed("sealer")
    checks.equal("control: the sealer's nkey gets in", await outcome(broker, seed), "connected")
    nobody = await outcome(broker, None)
    checks.check("without credentials nobody gets in", "authorization violation" in nobody, nobody)
    password = await outcome(broker, None, user="sealer", password="guess")
    checks.check("a password gets nobody in", "authorization violation" in password, password)
    stranger = Ed25519PrivateKey.generate()
    unknown = await outcome(broker, None, **signing_with(stranger))
    checks.check("an nkey that is not listed gets nobody in", "authorization violation" in unknown, unknown)
    forged = await outcome(broker, None, **signing_with(stranger, public_nkey(private_key(seed))))
    checks.check("the sealer's public key with another's signature gets nobody in", "authorization violation" in forged, forged)


async def check_certificates(checks: Checks, broker: Broker) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=str(broker.authority))
        context.maximum_version = version
        found = await outcome(broker, broker.seed(POLICE), tls=context)
        expected = version is ssl.TLSVersion.TLSv1_3
        checks.equal(f"{version.name} is {'accepted' if expected else 'refused'}", found == "connected", expected)
    found = await outcome(broker, broker.seed(POLICE), tls=ssl.create_default_context())
    checks.check("the servers' certificates are from the private authority only", "certificate" in found, found)


async def check_routes(checks: Checks, broker: Broker) -> None:
    """A route begins with TLS and asks for a certificate of the authority; without one it carries nothing."""
    context = ssl.create_default_context(cafile=str(broker.authority))
    for port in broker.cluster_ports:
        rest = b""
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as stream:
                with context.wrap_socket(stream, server_hostname="localhost") as secured:
                    # In TLS 1.3 the refusal comes with the first read.
                    rest = secured.recv(1000)
            refusal = "closed"
        except (ssl.SSLError, ConnectionError) as why:
            refusal = str(why)
        checks.check("a route without a certificate is refused", rest == b"" and "CERTIFICATE_REQUIRED" in refusal, refusal)
