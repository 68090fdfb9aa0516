"""What is tried over NATS beyond what HTTP has: several requests in flight, subjects, and a sealer that is killed."""

import collections
import concurrent.futures
import itertools

from nats.errors import NoRespondersError, TimeoutError as NoAnswerError

from checks import Checks
from intake import Intake
from ledger import Answer, Ledger, unix_now
from nodes import Deployment, until
from publisher import Sealed
from receipt import Checkpoint, check_receipt, leaf_hash, parse_entry
from refusals import flip_signature_bit, refused
from selftest import tree_root
from statement import AgencyKey, Chain

IN_FLIGHT = 12
# Many more than one batch, so that some are answered and some are not when the sealer is killed.
AT_THE_KILL = 150
# How many are answered before each kill; a kill that came too late is made again.
KILLS = {"sealer": (0, 10, 40), "broker": (0, 10)}
TRIES = 5
GRACE_SECONDS = 2
BUNDLE_ENTRIES = 256


def sign(chain: Chain, drafts, count: int) -> list:
    """The chain's next statements."""
    statements = []
    for draft in itertools.islice(drafts, count):
        statements.append(chain.draft(draft, unix_now()))
        chain.advance(statements[-1])
    return statements


def sealed_by(answer: Answer, statement, pin: dict) -> Sealed:
    """What a receipt proves; raises NotSound, or ValueError for an answer that is no receipt."""
    if answer.status not in (200, 201) or answer.content_type != "text/plain":
        raise ValueError(f"status {answer.status}: {answer.body[:300]!r}")
    return Sealed(statement, answer.body, check_receipt(answer.body, pin, statement.hash()))


def check_before_enrolment(checks: Checks, intake: Intake) -> None:
    problem = refused(checks, "an unknown publisher's question is refused", intake.ask(), "unknown_publisher")
    checks.record(problem.get("status") == 404, "as not found", str(problem))


def check_question(checks: Checks, intake: Intake, chain: Chain, pin: dict) -> None:
    """The empty question: where this chain ends, and which ledger says so."""
    answer = intake.ask()
    checks.record(answer.status == 200 and answer.content_type == "application/json",
                  "the empty question is answered with JSON", f"status {answer.status}, {answer.content_type}")
    told = answer.json()
    checks.record(all(told[name] == value for name, value in pin.items()), "it names the pinned ledger", str(told))
    expected = {"publisher": chain.key.id, "agency": chain.agency, "next_seq": chain.next_seq, "head": chain.head}
    checks.record(told.items() >= expected.items(), f"and the chain's end at {chain.next_seq}", str(told))
    checks.record(type(told["size"]) is int and told["size"] > 0, "and the size of the log", str(told))


def check_in_flight(checks: Checks, intake: Intake, chain: Chain, pin: dict, drafts, known: Sealed) -> list:
    """Requests that do not wait for each other: good ones around four that must each get an answer of their own."""
    statements = sign(chain, drafts, IN_FLIGHT)
    half = IN_FLIGHT // 2
    draft = next(drafts)
    trials = {
        "the gap": (chain.draft(draft, unix_now(), seq=chain.next_seq + 5).text(), "chain_gap"),
        "the fork": (chain.draft(draft, unix_now(), seq=known.statement.seq).text(), "chain_fork"),
        "the bad signature": (flip_signature_bit(chain.draft(draft, unix_now())), "signature"),
    }
    first, second = [[each.text() for each in part] for part in (statements[:half], statements[half:])]
    texts = [*first, known.statement.text(), *(text for text, _ in trials.values()), *second]
    order, futures = [], intake.begin(texts)
    for number, future in enumerate(futures):
        future.add_done_callback(lambda _, number=number: order.append(number))
    answers = [future.result() for future in futures]
    checks.record(sorted(order) == list(range(len(texts))), f"{len(texts)} requests in flight are all answered", str(order))

    sealed = [sealed_by(answer, each, pin) for answer, each in zip([*answers[:half], *answers[-half:]], statements)]
    indexes = [each.receipt.index for each in sealed]
    checks.record(indexes == list(range(indexes[0], indexes[0] + IN_FLIGHT)),
                  "in the order in which they were sent, one entry after the other", str(indexes))
    kept = [number for number in order if number < half or number >= len(texts) - half]
    checks.record(kept == sorted(kept), "and so are their receipts", str(order))
    created = all(answer.status == 201 for answer in [*answers[:half], *answers[-half:]])
    checks.record(created, "each of them as sealed now", str([answer.status for answer in answers]))
    check_same(checks, "the duplicate among them", answers[half], known, pin)
    for (name, (_, code)), answer in zip(trials.items(), answers[half + 1 : half + 4]):
        refused(checks, f"{name} among them is refused by itself", answer, code)
    return sealed


def check_same(checks: Checks, name: str, answer: Answer, known: Sealed, pin: dict) -> None:
    again = sealed_by(answer, known.statement, pin)
    checks.record(answer.status == 200, f"{name} is answered as sealed before", f"status {answer.status}")
    checks.record(again.receipt.leaf == known.receipt.leaf, f"{name} has the same entry", str(again.receipt.entry))


def check_duplicates(checks: Checks, intake: Intake, pin: dict, known: Sealed) -> None:
    """The same bytes, and the same with the line break that a tool may have left at their end."""
    for name, end in (("a duplicate", ""), ("a duplicate with a line break", "\n")):
        check_same(checks, name, intake.publish(known.statement.text() + end), known, pin)


def check_subjects(checks: Checks, intake: Intake, other: Intake, chain: Chain, known: Sealed, draft: dict) -> None:
    """A subject is what the broker lets somebody use; the ledger holds the statement against it."""
    text = chain.draft(draft, unix_now()).text().encode("ascii")
    beside = f"gt.intake.{chain.agency}.{AgencyKey.generate().id}"
    problem = refused(checks, "a statement on another publisher's subject is refused", intake.attempt(text, beside),
                      "subject_mismatch")
    checks.record(problem.get("status") == 403, "as forbidden", str(problem))
    # Another agency has come by the bytes. Its own subjects are the only ones that it may use.
    for stolen, name in ((text.decode("ascii"), "a new statement"), (known.statement.text(), "a sealed one")):
        refused(checks, f"another agency gets nothing for {name} of this one's", other.publish(stolen), "subject_mismatch")
    for who, mine, subject in (("another agency", other, intake.subject), ("this agency", intake, other.subject)):
        waiting = mine.start(mine.request(text, subject, 60))
        until(lambda: waiting.done() or mine.was_refused(subject), "the broker to refuse another agency's subject")
        held = not waiting.done()
        waiting.cancel()
        checks.record(held, f"the broker refuses {who} the subject of the other one")


def check_http(checks: Checks, ledger: Ledger, intake: Intake, chain: Chain, pin: dict, draft: dict) -> Sealed:
    """The follower takes a statement over HTTP and passes it on; over NATS it is then a duplicate."""
    statement = chain.draft(draft, unix_now())
    answer = ledger.publish(statement.text())
    checks.record(answer.status == 201, "the follower passes on what is posted to it", f"{answer.status}: {answer.body[:300]!r}")
    sealed = sealed_by(answer, statement, pin)
    chain.advance(statement)
    check_same(checks, "what was posted, sent over NATS,", intake.publish(statement.text()), sealed, pin)
    return sealed


def check_killed(checks: Checks, deployment: Deployment, name: str, intake: Intake, chain: Chain, pin: dict, drafts) -> list:
    """`kill -9` with requests in flight; then the same bytes again, and no statement sealed twice."""
    sealed = []
    for count in KILLS[name]:
        for _ in range(TRIES):
            statements = sign(chain, drafts, AT_THE_KILL)
            before = answered_until_killed(deployment, name, intake, [each.text() for each in statements], count)
            if name == "sealer":
                check_nobody(checks, intake)
            deployment.start(name)
            sealed += check_again(checks, intake, pin, statements, before)
            if len(before) < AT_THE_KILL:
                break
        in_flight = AT_THE_KILL - len(before)
        checks.record(in_flight > 0, f"the {name} was killed with requests in flight", "each time it had answered all")
    return sealed


def answered_until_killed(deployment: Deployment, name: str, intake: Intake, texts: list, count: int) -> dict:
    """Sends all at once, kills once so many are answered, and returns the answers that came, by their place."""
    futures = intake.begin(texts)
    intake.flush()
    waiting = set(futures)
    while len(futures) - len(waiting) < count:
        waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED).not_done
    deployment.kill(name)
    # What it had sent may still be on its way.
    concurrent.futures.wait(futures, timeout=GRACE_SECONDS)
    answers = {at: intake.outcome(future) for at, future in enumerate(futures) if not future.cancel()}
    return {at: answer for at, answer in answers.items() if answer is not None}


def check_again(checks: Checks, intake: Intake, pin: dict, statements: list, before: dict) -> list:
    """The same bytes once more: a receipt for each. What was answered keeps its entry, and is answered as sealed before."""
    answers = intake.publish_all([each.text() for each in statements])
    sealed = [sealed_by(answer, each, pin) for answer, each in zip(answers, statements)]
    kept = sum(sealed_by(answer, statements[at], pin).receipt.leaf == sealed[at].receipt.leaf for at, answer in before.items())
    known = sum(answers[at].status == 200 for at in before)
    checks.record(kept == known == len(before), "what was answered before the kill keeps its entry",
                  f"{kept} and {known} of {len(before)}")
    first_time = sum(answer.status == 201 for answer in answers)
    print(f"     of {len(statements)} in flight {len(before)} were answered before it; {first_time} were sealed on the second try")
    return sealed


def check_nobody(checks: Checks, intake: Intake) -> None:
    """The broker knows at once when a connection has ended; what it had passed on before stays without an answer."""
    told = []

    def is_told() -> bool:
        try:
            intake.attempt(b"", intake.subject, seconds=2)
        except (NoRespondersError, NoAnswerError) as error:
            told.append(isinstance(error, NoRespondersError))
            return told[-1]
        raise RuntimeError("an answer of a sealer that was killed")

    until(is_told, "the broker to say that nobody answers")
    checks.record(told[-1], "without a sealer a request is told that nobody answers")


def check_follower(checks: Checks, ledger: Ledger, pin: dict, sealed: list) -> None:
    """All that was acknowledged stands in the follower's log, once, under a checkpoint that is over that log."""
    last = max(each.receipt.index for each in sealed)
    until(lambda: Checkpoint.open(ledger.checkpoint(), pin).size > last, "the follower's checkpoint over all receipts")
    checkpoint = Checkpoint.open(ledger.checkpoint(), pin)
    entries = read_entries(ledger, checkpoint.size)
    leaves = [leaf_hash(raw) for raw in entries]
    checks.record(tree_root(leaves) == checkpoint.root, f"the follower's {len(entries)} entries make its checkpoint's root")
    stand = sum(leaves[each.receipt.index] == each.receipt.leaf for each in sealed)
    checks.record(stand == len(sealed), f"all {len(sealed)} receipts' entries are among them", f"{stand} are")
    counts = collections.Counter(parse_entry(raw)["statement"] for raw in entries)
    twice = [statement for statement, count in counts.items() if count > 1]
    checks.record(twice == [], "no statement is sealed twice", str(twice))


def read_entries(ledger: Ledger, size: int) -> list:
    """The entries in the bundles of C2SP's tlog-tiles: each one after its length in two bytes."""
    entries = []
    for first in range(0, size, BUNDLE_ENTRIES):
        width = min(BUNDLE_ENTRIES, size - first)
        part = "" if width == BUNDLE_ENTRIES else f".p/{width}"
        answer = ledger.call(f"/tile/entries/{first // BUNDLE_ENTRIES:03}{part}")
        if answer.status != 200:
            raise ValueError(f"no bundle of {width} entries from {first}: status {answer.status}")
        rest = answer.body
        while rest:
            length = int.from_bytes(rest[:2], "big")
            entries.append(rest[2 : 2 + length])
            rest = rest[2 + length :]
    if len(entries) != size:
        raise ValueError(f"{len(entries)} entries in the bundles of {size}")
    return entries
