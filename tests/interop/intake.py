"""The ledger as an agency's system sees it over NATS: requests on one subject, with nats-py and the agency's own key.

The answers are the same objects as over HTTP, so what is checked there is checked here by the same code.
"""

import asyncio
import base64
import binascii
import concurrent.futures
import itertools
import logging
import ssl
import threading
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nats.aio.client import Client
from nats.errors import NoRespondersError, TimeoutError as NoAnswerError

from ledger import Answer

# One attempt, and all attempts at one request together: a sealer that was killed takes its time to start again.
ATTEMPT_SECONDS = 30
PATIENCE_SECONDS = 90
PAUSE_SECONDS = 0.2
# The type byte that makes a user's public key begin with U.
USER_TYPE = bytes([20 << 3])


class Unanswered(Exception):
    """No answer that settles the matter. The statement may be sealed or not; the same bytes may be sent again."""


class UserKey:
    """A NATS user's Ed25519 key (an "nkey"): base32 with a type before and a check sum after."""

    def __init__(self, private: Ed25519PrivateKey):
        self.private = private

    @classmethod
    def generate(cls) -> "UserKey":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path) -> "UserKey":
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
        if len(raw) != 36 or check_sum(raw[:-2]) != raw[-2:]:
            raise ValueError("not a seed")
        return cls(Ed25519PrivateKey.from_private_bytes(raw[2:-2]))

    @property
    def public(self) -> str:
        raw = USER_TYPE + self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b32encode(raw + check_sum(raw)).decode("ascii").rstrip("=")

    def sign(self, nonce: str) -> bytes:
        return base64.b64encode(self.private.sign(nonce.encode()))


def check_sum(raw: bytes) -> bytes:
    """CRC-16/XMODEM, little-endian."""
    return binascii.crc_hqx(raw, 0).to_bytes(2, "little")


@dataclass(frozen=True)
class Broker:
    """How the broker is reached: its address and the file of the authority that its certificate is from."""

    url: str
    authority: str


class Intake:
    """One connection, and the requests of one publisher on it. Its event loop runs on a thread of its own."""

    def __init__(self, broker: Broker, key: UserKey, agency: str, publisher: str):
        self.subject = f"gt.intake.{agency}.{publisher}"
        self.refusals = []
        self.client = Client()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        try:
            self.start(self.connect(broker, key)).result(ATTEMPT_SECONDS)
        except BaseException:
            self.stop_loop()
            raise

    def __enter__(self) -> "Intake":
        return self

    def __exit__(self, *_) -> None:
        self.start(self.client.close()).result(ATTEMPT_SECONDS)
        self.stop_loop()

    async def connect(self, broker: Broker, key: UserKey) -> None:
        # nats-py takes a seed only with the package nkeys, which exists as source alone. It takes a signature without it, but
        # has no option for the public key that goes with that.
        self.client._public_nkey = key.public
        tls = ssl.create_default_context(cafile=broker.authority)
        await self.client.connect(broker.url, tls=tls, signature_cb=key.sign, error_cb=self.note)

    async def note(self, error: Exception) -> None:
        """What the server refuses a client it says apart from any request."""
        self.refusals.append(str(error).lower())

    def was_refused(self, subject: str) -> bool:
        return any(f'permissions violation for publish to "{subject}"'.lower() in each for each in self.refusals)

    def start(self, coroutine) -> concurrent.futures.Future:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def stop_loop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def request(self, payload: bytes, subject: str, seconds: float) -> Answer:
        reply = await self.client.request(subject, payload, timeout=seconds)
        headers = reply.headers or {}
        kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
        return Answer(int(headers["Gt-Status"]), kind, reply.data)

    def attempt(self, payload: bytes, subject: str, seconds: float = ATTEMPT_SECONDS) -> Answer:
        """Sends a request once. Raises nats-py's own errors if nobody listens or answers."""
        return self.start(self.request(payload, subject, seconds)).result()

    def publish(self, statement_text: str) -> Answer:
        """Sends the same bytes until there is an answer that settles the matter."""
        return self.publish_all([statement_text])[0]

    def publish_all(self, texts: list) -> list:
        """Several in flight. From the first without an answer on, all are sent again: the others may be refused for its sake."""
        deadline, answers = time.monotonic() + PATIENCE_SECONDS, []
        while time.monotonic() < deadline:
            outcomes = [self.outcome(future) for future in self.begin(texts[len(answers) :])]
            answers += itertools.takewhile(lambda answer: answer is not None, outcomes)
            if len(answers) == len(texts):
                return answers
            time.sleep(PAUSE_SECONDS)
        raise Unanswered(f"{len(answers)} of {len(texts)} answered in {PATIENCE_SECONDS} s")

    @staticmethod
    def outcome(future: concurrent.futures.Future) -> Answer | None:
        """The answer, or None where it is to send the same bytes again."""
        try:
            answer = future.result()
        except (NoRespondersError, NoAnswerError):
            return None
        return None if answer.status == 503 else answer

    def begin(self, texts: list) -> list:
        """Sends requests without waiting for answers, in this order; a future of each one's answer."""
        return [self.start(self.request(text.encode("ascii"), self.subject, ATTEMPT_SECONDS)) for text in texts]

    def flush(self) -> None:
        """Returns once the broker has all that was sent."""
        self.start(self.client.flush(ATTEMPT_SECONDS)).result()

    def ask(self) -> Answer:
        """The empty question: where this publisher's chain ends."""
        return self.publish("")

    def head(self, publisher: str) -> dict:
        """The same as over HTTP, taken from the answer to the empty question."""
        answer = self.ask().json()
        if answer["publisher"] != publisher:
            raise ValueError("an answer about another publisher")
        return {name: answer[name] for name in ("publisher", "next_seq", "head")}


def quieten_transport() -> None:
    """asyncio warns of a return value in nats-py's transport that means nothing under TLS, once a connection."""
    logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in record.getMessage())
