//! Sound statements that the registry lets speak, or not.

use gt_core::json::Value;

use crate::document::{self, NewCase};
use crate::ledger::{
    self, CHARITY, CHARITY_FIRST_KEY, CHARITY_SECOND_KEY, COUNCIL, COUNCIL_KEY, POLICE, POLICE_KEY, RECOVERY,
    REGISTRAR, SCHOOL, SERVICE, STRANGER, TRUST, TRUST_KEY, Writing, id,
};
use crate::statements::outcome;

const AUD: &str = "DESIGN 2: aud is the ledger's origin";
const KID: &str =
    "DESIGN 4: kid is the key that the registry, before this index, gives to this publisher of agency iss";
const BEHALF: &str = "DESIGN 2: on_behalf_of names an agency for which the registry lets this publisher sign";
const REVOKED: &str = "DESIGN 4: revocation is final";
const REGISTRARS: &str =
    "FORMATS 6: iss is ledger:registrar for the registrar; the recovery key signs ledger.rotated only";

pub(crate) fn document() -> Value {
    document::document(
        "Who may sign what (DESIGN 2 and 4). All these statements are sound in themselves; `aud`, the registry as it stands \
         after `registrar_statements`, and the signature decide.",
        ledger::shared(),
        [agencies_accepted(), agencies_refused(), ends_and_proxies(), registrars()].concat(),
        outcome,
    )
}

fn speaks(iss: &str, publisher: u8) -> Writing {
    Writing { iss: iss.into(), publisher: id(publisher), ..Writing::of_council("{}") }
}

fn on_behalf(writing: Writing, agency: &str) -> Writing {
    Writing { more: format!(r#""on_behalf_of":"{agency}","#), ..writing }
}

fn accepted(name: &str, rule: &str, writing: &Writing, seed: u8) -> NewCase {
    NewCase::accepted(name, rule).with("statement", writing.signed_by(seed))
}

fn refused(name: &str, rule: &str, code: &'static str, writing: &Writing, seed: u8) -> NewCase {
    NewCase::refused(name, rule, code).with("statement", writing.signed_by(seed))
}

fn agencies_accepted() -> Vec<NewCase> {
    let council = speaks(COUNCIL, COUNCIL_KEY);
    let charity = speaks(CHARITY, CHARITY_FIRST_KEY);
    vec![
        accepted("a council's system", KID, &council, COUNCIL_KEY),
        accepted("a rotated key, under the id of the first", KID, &charity, CHARITY_SECOND_KEY),
        accepted("the ledger's own service publisher", KID, &speaks("ledger:service", SERVICE), SERVICE),
        accepted(
            "on behalf of an agency that the registry lists",
            BEHALF,
            &on_behalf(council.clone(), SCHOOL),
            COUNCIL_KEY,
        ),
    ]
}

fn agencies_refused() -> Vec<NewCase> {
    let council = speaks(COUNCIL, COUNCIL_KEY);
    let charity = speaks(CHARITY, CHARITY_FIRST_KEY);
    let elsewhere = |aud: &str| Writing { aud: aud.into(), ..council.clone() };
    vec![
        refused("another ledger", AUD, "wrong_audience", &elsewhere("ledger.example/second"), COUNCIL_KEY),
        refused(
            "the origin with a slash",
            AUD,
            "wrong_audience",
            &elsewhere("ledger.example/first/"),
            COUNCIL_KEY,
        ),
        refused(
            "the origin in capitals",
            AUD,
            "wrong_audience",
            &elsewhere("Ledger.example/first"),
            COUNCIL_KEY,
        ),
        refused(
            "a publisher that is not registered",
            KID,
            "unknown_publisher",
            &speaks(COUNCIL, STRANGER),
            STRANGER,
        ),
        refused(
            "the key of another agency, in its own name",
            KID,
            "wrong_agency",
            &speaks(COUNCIL, TRUST_KEY),
            TRUST_KEY,
        ),
        refused(
            "the key of another agency, in this publisher's name",
            KID,
            "key_not_in_force",
            &council,
            TRUST_KEY,
        ),
        refused("a stranger's key in this publisher's name", KID, "key_not_in_force", &council, STRANGER),
        refused("a key that was rotated out", KID, "key_not_in_force", &charity, CHARITY_FIRST_KEY),
        refused(
            "the id of the second key",
            KID,
            "unknown_publisher",
            &speaks(CHARITY, CHARITY_SECOND_KEY),
            CHARITY_SECOND_KEY,
        ),
    ]
}

fn ends_and_proxies() -> Vec<NewCase> {
    let council = speaks(COUNCIL, COUNCIL_KEY);
    vec![
        refused("a revoked publisher", REVOKED, "publisher_revoked", &speaks(POLICE, POLICE_KEY), POLICE_KEY),
        refused(
            "on behalf of an agency that is not listed",
            BEHALF,
            "not_on_behalf_of",
            &on_behalf(council.clone(), TRUST),
            COUNCIL_KEY,
        ),
        refused(
            "on behalf, by a publisher that may for nobody",
            BEHALF,
            "not_on_behalf_of",
            &on_behalf(speaks(TRUST, TRUST_KEY), SCHOOL),
            TRUST_KEY,
        ),
        refused(
            "on behalf of itself, which is not listed",
            BEHALF,
            "not_on_behalf_of",
            &on_behalf(council, COUNCIL),
            COUNCIL_KEY,
        ),
    ]
}

fn registrars() -> Vec<NewCase> {
    let chain = ledger::usual_chain();
    let revoke = chain.next("publisher.revoked", ledger::revocation(TRUST_KEY));
    let rotated = ledger::ledger_data(&ledger::public(STRANGER), &ledger::public(RECOVERY), &[51]);
    let members =
        rotated.as_object().expect("an object").iter().map(|(name, value)| (name.to_owned(), value.clone()));
    let rotate = chain.next("ledger.rotated", members.collect());
    let as_council = Writing { iss: COUNCIL.into(), ..revoke.clone() };
    let behalf = on_behalf(revoke.clone(), SCHOOL);
    let signed = |case: NewCase, writing: &Writing, seed: u8| case.with("statement", writing.signed_by(seed));
    let refused = |name: &str, code: &'static str| NewCase::refused(name, REGISTRARS, code);
    vec![
        signed(NewCase::accepted("the registrar revokes", REGISTRARS), &revoke, REGISTRAR),
        signed(
            NewCase::accepted("the recovery key rotates the ledger's keys", REGISTRARS),
            &rotate,
            RECOVERY,
        ),
        signed(refused("the recovery key revokes", "key_not_in_force"), &revoke, RECOVERY),
        signed(refused("an agency's key speaks as the registrar", "key_not_in_force"), &revoke, COUNCIL_KEY),
        signed(refused("the registrar speaks as an agency", "wrong_agency"), &as_council, REGISTRAR),
        signed(
            refused("the registrar speaks on behalf of an agency", "not_on_behalf_of"),
            &behalf,
            REGISTRAR,
        ),
        signed(
            refused("an agency's publisher speaks as the registrar", "wrong_agency"),
            &speaks("ledger:registrar", COUNCIL_KEY),
            COUNCIL_KEY,
        ),
    ]
}
