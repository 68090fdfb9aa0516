"""An agency's signing key and its statements, from the published formats alone.

A statement is a compact SD-JWT (RFC 9901) whose disclosures are array elements. What personal data it holds stands only in
disclosures; what is signed shows that a member exists, not what it says.
"""

import base64
import hashlib
import json
import secrets
import warnings
from dataclasses import dataclass, field

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

# The registry accepts RFC 8037's name too; one statement of the run is signed under it on purpose.
warnings.filterwarnings("ignore", category=SecurityWarning, message=".*EdDSA is deprecated.*")

# The members of `decision.recorded` that stand in disclosures. "whole": the value is one disclosure; "each": one for
# every person that is listed.
DISCLOSABLE = {
    "child": "whole",
    "others": "each",
    "recipient_names": "each",
    "item_details": "whole",
    "times": "whole",
    "refs": "whole",
    "purpose_text": "whole",
    "rationale": "whole",
    "practitioner": "whole",
    "authoriser": "whole",
    "less_intrusive_option": "whole",
    "identity_protection_steps": "whole",
    "advice_content": "whole",
    "method_justification": "whole",
    "risk_of_not_sharing": "whole",
    "alternative_action": "whole",
}


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unb64url(text: str) -> bytes:
    """Decodes unpadded base64url and refuses every spelling but the one that encoding gives."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64url(raw) != text:
        raise ValueError("base64url that is not canonical")
    return raw


def compact_json(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def disclosure(value, salt: bytes | None = None) -> str:
    """The disclosure of one array element: base64url of [salt, value], with a fresh salt of 16 bytes."""
    return b64url(compact_json([b64url(salt or secrets.token_bytes(16)), value]))


def digest(disclosure_text: str) -> str:
    return b64url(hashlib.sha256(disclosure_text.encode("ascii")).digest())


@dataclass
class Statement:
    """A signed statement as it travels, and what its publisher remembers of it."""

    seq: int
    signed: str
    disclosures: list
    owners: set = field(default_factory=set)

    def text(self) -> str:
        return "~".join([self.signed, *self.disclosures]) + "~"

    def hash(self) -> str:
        """SHA-256 of the signed part alone: disclosures may go, the hash stays."""
        return b64url(hashlib.sha256(self.signed.encode("ascii")).digest())


class AgencyKey:
    """One Ed25519 key of one agency. Its RFC 7638 thumbprint is the publisher's id."""

    def __init__(self, key: OKPKey):
        self.key = key
        self.id = key.thumbprint()

    @classmethod
    def generate(cls) -> "AgencyKey":
        return cls(OKPKey.generate_key("Ed25519"))

    @classmethod
    def load(cls, path) -> "AgencyKey":
        with open(path, encoding="utf-8") as file:
            return cls(OKPKey.import_key(json.load(file)))

    def private_jwk(self) -> dict:
        return {name: self.key.as_dict(private=True)[name] for name in ("kty", "crv", "x", "d")}

    def registration(self, genesis: str, agency: str) -> dict:
        """The public JWK and its proof of possession over genesis, publisher id and agency (FORMATS section 6)."""
        message = b"gt/key/1\x00" + unb64url(genesis) + unb64url(self.id) + agency.encode("ascii")
        proof = b64url(self.key.private_key.sign(message))
        public = {name: self.key.as_dict(private=False)[name] for name in ("kty", "crv", "x")}
        return {**public, "agency": agency, "genesis": genesis, "proof": proof}

    def sign(self, payload: dict, alg: str) -> str:
        header = {"alg": alg, "typ": "statement+sd-jwt", "kid": self.id}
        return jws.serialize_compact(header, compact_json(payload), self.key, algorithms=[alg])


def split_for_disclosure(data: dict) -> tuple[dict, list, set]:
    """A draft's plain members as: what is signed, the disclosures to send, and the distinct people who own those.

    A member that `kept` names is signed like any other, but its disclosures stay at home and are not sent.
    """
    signed, disclosures, owners = {}, [], set()
    child = data.get("child", {}).get("pseudonym")
    for name, value in data.items():
        if name not in DISCLOSABLE:
            signed[name] = value
            continue
        elements = value if DISCLOSABLE[name] == "each" else [value]
        texts = [disclosure(element) for element in elements]
        signed[name] = [{"...": digest(text)} for text in texts]
        if name in data.get("kept", []):
            continue
        disclosures += texts
        for element in elements:
            named = element.get("pseudonym") if isinstance(element, dict) else None
            owners.add(named or child)
    return signed, disclosures, owners


@dataclass
class Chain:
    """An agency's own chain: which number comes next, and the hash that it must point back to."""

    key: AgencyKey
    agency: str
    origin: str
    next_seq: int
    head: str

    def draft(self, draft: dict, now: int, alg: str = "Ed25519", seq: int | None = None) -> Statement:
        """Signs a draft at the chain's end (or as `seq`, to try what a ledger must refuse). Does not advance."""
        signed, disclosures, owners = split_for_disclosure(draft["data"])
        number = self.next_seq if seq is None else seq
        payload = {
            "iss": self.agency,
            "aud": self.origin,
            "iat": now,
            "publisher": self.key.id,
            "seq": number,
            "prev": self.head,
            "type": draft["type"],
            "version": draft["version"],
            "data": signed,
            "_sd_alg": "sha-256",
        }
        return Statement(number, self.key.sign(payload, alg), disclosures, owners)

    def advance(self, statement: Statement) -> None:
        self.next_seq, self.head = statement.seq + 1, statement.hash()
