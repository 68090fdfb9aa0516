"""An agency's own system against a ledger on NATS: broker, accounts and TLS as deployed, a node that seals, a follower.

    over_nats.py --program GOLDENTHREAD --nats-server NATS_SERVER --folder FOLDER --drafts FOLDER --results FILE

Sets the ledger's side up in FOLDER, publishes with nats-py, kills sealer and broker on the way, and leaves the receipts in
FOLDER/agency and the pin in FOLDER/ledger.secrets for the ledger's own verifier. Everything that it starts ends with it.
"""

import argparse
import itertools
import json
import signal
import sys
from pathlib import Path

import trials
from checks import Checks
from intake import Intake, UserKey, quieten_transport
from ledger import Ledger
from nodes import ORIGIN, Deployment
from publisher import check_entries, check_later_checkpoint, load_drafts, load_pin, make_key, publish_singly, save
from refusals import check_chain, check_content, check_forgeries, check_unchanged
from statement import AgencyKey, Chain

AGENCY, OTHER_AGENCY = "charity:999001", "police:99"
PUBLISHED_ONE_BY_ONE = 5
# Of the stream of entries; it and the other streams fit the broker's max_file_store.
MAX_BYTES = 1 << 30


class Failed(Exception):
    """A step that everything after it needs did not succeed."""


def ran(checks: Checks, name: str, done) -> str:
    """A command that must end with exit status 0. Returns its standard output."""
    if not checks.record(done.returncode == 0, name, f"exit status {done.returncode}: {done.stderr.strip()[-1000:]}"):
        raise Failed(name)
    return done.stdout


def set_up(checks: Checks, deployment: Deployment, key: UserKey) -> str:
    """From nothing to two nodes that serve. Returns the follower's URL."""
    ran(checks, "provision the broker", deployment.provision([f"{AGENCY}={key.public}", OTHER_AGENCY]))
    deployment.start("broker")
    run = deployment.goldenthread
    ran(checks, "init", run("init", "--data", str(deployment.data), "--origin", ORIGIN))
    folder = ["--data", str(deployment.data), "--max-bytes", str(MAX_BYTES), *deployment.on_nats("provisioner")]
    ran(checks, "nats init, as the provisioner", run("nats", "init", *folder))
    ran(checks, "nats check finds nothing that differs", run("nats", "check", *folder))
    deployment.start("sealer")
    checks.record(True, "a full node serves")
    deployment.share_secrets()
    follower = deployment.start("follower")
    checks.record(True, "a follower makes its folder from the stream, and serves")
    return follower


def publish_with_program(checks: Checks, deployment: Deployment, url: str, drafts: list) -> None:
    """The other agency uses the ledger's own program with the nkey that it was given."""
    key = deployment.folder / "other.jwk"
    run = deployment.goldenthread
    ran(checks, "the other agency makes its key",
        run("keygen", "--out", str(key), "--agency", OTHER_AGENCY, "--pin", str(deployment.pin)))
    enrol(checks, deployment, url, OTHER_AGENCY, key.with_suffix(".public.jwk"))
    lines = "".join(json.dumps(draft) + "\n" for draft in drafts)
    printed = ran(checks, "and publishes with the ledger's own program over NATS",
                  run("publish", "--json", "--key", str(key), "--pin", str(deployment.pin), "--to", deployment.broker.url,
                      "--nats-credentials", str(deployment.agency_seed(OTHER_AGENCY)),
                      "--nats-ca", deployment.broker.authority, stdin=lines))
    receipts = sum("receipt" in json.loads(line) for line in printed.splitlines())
    checks.record(receipts == len(drafts), "with a receipt for each draft", printed[:1000])


def enrol(checks: Checks, deployment: Deployment, url: str, agency: str, public: Path) -> None:
    ran(checks, f"register {agency}'s key at the follower",
        deployment.goldenthread("register", "--url", url, "--registrar", str(deployment.registrar), "--agency", agency,
                                "--name", f"System of {agency}", "--kind", "charity", "--key", str(public)))


def publish(checks: Checks, deployment: Deployment, ledger: Ledger, intake: Intake, other: Intake, chain: Chain, drafts) -> list:
    """Everything that needs a sealer which stays. Returns what is sealed, in the chain's order."""
    pin, one_by_one = load_pin(deployment.pin), list(itertools.islice(drafts, PUBLISHED_ONE_BY_ONE))
    trials.check_question(checks, intake, chain, pin)
    sealed = publish_singly(checks, intake, chain, pin, one_by_one)
    if len(sealed) < PUBLISHED_ONE_BY_ONE:
        raise Failed("statements one by one")
    first, draft = sealed[0], one_by_one[0]
    trials.check_question(checks, intake, chain, pin)
    for trial in (check_forgeries, check_content):
        with checks.part(trial.__name__):
            trial(checks, intake, chain, draft)
    with checks.part("check_chain"):
        check_chain(checks, intake, chain, draft, first.statement)
    with checks.part("check_subjects"):
        trials.check_subjects(checks, intake, other, chain, first, draft)
    with checks.part("check_duplicates"):
        trials.check_duplicates(checks, intake, pin, first)
    with checks.part("check_unchanged"):
        check_unchanged(checks, intake, chain, pin, first.statement, first.receipt.index)
    sealed += trials.check_in_flight(checks, intake, chain, pin, drafts, first)
    sealed.append(trials.check_http(checks, ledger, intake, chain, pin, draft))
    return sealed


def stop(checks: Checks, deployment: Deployment) -> None:
    for name, data in (("sealer", deployment.data), ("follower", deployment.copy)):
        status = deployment.stop(name)
        checks.record(status == 0, f"SIGTERM ends the {name} cleanly", f"exit status {status}")
        done = deployment.goldenthread("fsck", "--data", str(data))
        checks.record(done.returncode == 0, f"fsck re-derives the {name}'s folder", f"{done.stdout}{done.stderr}"[-1000:])


def run(options, checks: Checks, deployment: Deployment) -> None:
    agency_folder = deployment.folder / "agency"
    agency_folder.mkdir()
    user = UserKey.generate()
    url = set_up(checks, deployment, user)
    ledger, drafts = Ledger(url), load_drafts(options.drafts)
    # Before this agency is enrolled, so that one state of the registry serves for all its statements.
    publish_with_program(checks, deployment, url, drafts)
    enrolment = argparse.Namespace(url=url, pin=deployment.pin, agency=AGENCY, out=agency_folder)
    make_key(enrolment, checks)
    key, pin = AgencyKey.load(agency_folder / "private.jwk"), load_pin(deployment.pin)
    chain = Chain(key, AGENCY, pin["origin"], 0, pin["genesis"])
    others = UserKey.load(deployment.agency_seed(OTHER_AGENCY))
    with Intake(deployment.broker, user, AGENCY, key.id) as intake, \
            Intake(deployment.broker, others, OTHER_AGENCY, key.id) as other:
        trials.check_before_enrolment(checks, intake)
        enrol(checks, deployment, url, AGENCY, agency_folder / "public.jwk")
        supply = itertools.cycle(drafts)
        sealed = publish(checks, deployment, ledger, intake, other, chain, supply)
        save(agency_folder, sealed)
        for name in ("sealer", "broker"):
            sealed += trials.check_killed(checks, deployment, name, intake, chain, pin, supply)
        trials.check_question(checks, intake, chain, pin)
    with checks.part("check_entries"):
        check_entries(checks, sealed)
    with checks.part("check_follower"):
        trials.check_follower(checks, ledger, pin, sealed)
    with checks.part("check_later_checkpoint"):
        check_later_checkpoint(checks, ledger, pin, sealed)
    stop(checks, deployment)


def main() -> int:
    parser = argparse.ArgumentParser(description="An agency's own system on NATS, for the interoperability run.")
    for name in ("program", "nats-server", "folder", "drafts", "results"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    quieten_transport()
    checks = Checks(options.results)
    with Deployment(options.program, options.nats_server, Path(options.folder)) as deployment:
        with checks.part("the run over NATS"):
            run(options, checks, deployment)
        if checks.failed:
            print(deployment.last_words())
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
