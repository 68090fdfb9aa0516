"""What a ledger must refuse, tried with an agency's own valid key; and what it must answer the same way twice."""

import copy

from checks import Checks
from ledger import Answer, Ledger, unix_now
from receipt import check_receipt
from statement import AgencyKey, Chain, Statement, b64url, compact_json, unb64url

SECRET_TEXT = "Fictional wording that no refusal may repeat"


def flip_signature_bit(statement: Statement) -> str:
    signed, _, signature = statement.signed.rpartition(".")
    raw = bytearray(unb64url(signature))
    raw[0] ^= 1
    return "~".join([f"{signed}.{b64url(bytes(raw))}", *statement.disclosures]) + "~"


def refused(checks: Checks, name: str, answer: Answer, type_part: str) -> dict:
    """A refusal is a problem document whose `type` names the rule."""
    problem = answer.problem()
    named = type_part in str(problem.get("type", ""))
    checks.record(named, name, f"status {answer.status}, {answer.content_type}, type {problem.get('type')}")
    return problem


def check_forgeries(checks: Checks, ledger: Ledger, chain: Chain, draft: dict) -> None:
    good = chain.draft(draft, unix_now())
    refused(checks, "a flipped bit in the signature is refused", ledger.publish(flip_signature_bit(good)), "signature")

    stranger = Chain(AgencyKey.generate(), chain.agency, chain.origin, chain.next_seq, chain.head)
    answer = ledger.publish(stranger.draft(draft, unix_now()).text())
    checks.record(answer.problem() != {}, "a key that the registry does not know is refused", f"status {answer.status}")

    # The stranger's signature under the agency's name: `kid` and `publisher` say one key, another one signed.
    impostor = Chain(copy.copy(stranger.key), chain.agency, chain.origin, chain.next_seq, chain.head)
    impostor.key.id = chain.key.id
    answer = ledger.publish(impostor.draft(draft, unix_now()).text())
    refused(checks, "another key's signature under this publisher's name is refused", answer, "signature")


def check_content(checks: Checks, ledger: Ledger, chain: Chain, draft: dict) -> None:
    stripped = chain.draft(draft, unix_now())
    stripped.disclosures.pop()
    answer = ledger.publish(stripped.text())
    checks.record(answer.problem() != {}, "a statement stripped of a disclosure is refused", f"status {answer.status}")

    # The table of disclosable members does not know this name, so its text is signed in the clear.
    clear = {**draft, "data": {**draft["data"], "note": SECRET_TEXT}}
    answer = ledger.publish(chain.draft(clear, unix_now()).text())
    refused(checks, "text in the clear is refused", answer, "personal_data_in_clear")
    checks.record(SECRET_TEXT.encode() not in answer.body, "and the refusal does not repeat it")

    elsewhere = Chain(chain.key, chain.agency, "elsewhere.example/log", chain.next_seq, chain.head)
    answer = ledger.publish(elsewhere.draft(draft, unix_now()).text())
    checks.record(answer.problem() != {}, "a statement for another ledger is refused", f"status {answer.status}")

    ahead = chain.draft(draft, unix_now() + 3600)
    answer = ledger.publish(ahead.text())
    checks.record(answer.problem() != {}, "a statement issued an hour ahead is refused", f"status {answer.status}")

    loose = chain.key.sign({"seq": 0}, "Ed25519") + "~"
    checks.record(ledger.publish(loose).problem() != {}, "a payload without its members is refused")
    checks.record(ledger.publish(compact_json({"seq": 0}).decode()).problem() != {}, "a body that is no SD-JWT is refused")


def check_chain(checks: Checks, ledger: Ledger, chain: Chain, draft: dict, sealed: Statement) -> None:
    fork = chain.draft(draft, unix_now(), seq=sealed.seq)
    refused(checks, "another statement under a used number is refused", ledger.publish(fork.text()), "chain_fork")
    gap = chain.draft(draft, unix_now(), seq=chain.next_seq + 3)
    problem = refused(checks, "a gap in the chain is refused", ledger.publish(gap.text()), "chain_gap")
    checks.record(chain.head in str(problem), "and the refusal says where the chain ends")
    astray = Chain(chain.key, chain.agency, chain.origin, chain.next_seq, b64url(bytes(32)))
    answer = ledger.publish(astray.draft(draft, unix_now()).text())
    checks.record(answer.problem() != {}, "a statement that points back to another one is refused", f"status {answer.status}")


def check_unchanged(checks: Checks, ledger: Ledger, chain: Chain, pin: dict, sealed: Statement, index: int) -> None:
    head = ledger.head(chain.key.id)
    held = head["next_seq"] == chain.next_seq and head["head"] == chain.head
    checks.record(held, "no refusal moved the chain's end", f"ledger says {head}")
    again = ledger.publish(sealed.text())
    checks.record(again.status in (200, 201), "the same bytes again are no error", f"status {again.status}")
    receipt = check_receipt(again.body, pin, sealed.hash())
    checks.record(receipt.index == index, "and give a sound receipt for the same index", f"{receipt.index}, not {index}")
