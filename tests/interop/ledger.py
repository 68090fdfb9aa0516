"""The ledger as an agency's system sees it: the HTTP calls, and nothing else of it."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

MAX_ANSWER_BYTES = 4 * 1024 * 1024
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes

    def json(self):
        return json.loads(self.body)

    def ndjson(self) -> list:
        return [json.loads(line) for line in self.body.decode("utf-8").splitlines() if line]

    def problem(self) -> dict:
        """The RFC 9457 problem of a refusal, or an empty object where this is none."""
        is_problem = 400 <= self.status < 500 and self.content_type == "application/problem+json"
        return self.json() if is_problem else {}


class Ledger:
    def __init__(self, url: str):
        self.url = url.rstrip("/")
        # The ledger of this run is on the loopback address: a proxy from the environment must not see it.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, path: str, body: bytes | None = None, content_type: str = "") -> Answer:
        request = urllib.request.Request(self.url + path, data=body)
        if body is not None:
            request.add_header("Content-Type", content_type)
        try:
            with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return self.read(response)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return self.read(refusal)

    @staticmethod
    def read(response) -> Answer:
        kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        return Answer(response.status, kind, response.read(MAX_ANSWER_BYTES))

    def describe(self) -> dict:
        return self.call("/v1/ledger").json()

    def head(self, publisher: str) -> dict:
        return self.call(f"/v1/publishers/{publisher}/head").json()

    def checkpoint(self) -> str:
        return self.call("/checkpoint").body.decode("utf-8")

    def consistency(self, first: int, second: int) -> dict:
        return self.call(f"/v1/proofs/consistency?from={first}&to={second}").json()

    def publish(self, statement_text: str) -> Answer:
        return self.call("/v1/statements", statement_text.encode("ascii"), "application/sd-jwt")

    def publish_lines(self, texts: list) -> Answer:
        body = "".join(json.dumps(text) + "\n" for text in texts)
        return self.call("/v1/statements", body.encode("ascii"), "application/x-ndjson")


def unix_now() -> int:
    """`iat` is the signer's own clock, in seconds."""
    return int(time.time())
