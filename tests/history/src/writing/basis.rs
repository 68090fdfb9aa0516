//! The provisions that an agency relies on (DOMAIN section 2), such that no rule of practice is broken unless it is meant to be.

use serde_json::{Value, json};

use crate::agencies::Kind;
use crate::draw::Draw;
use crate::happening::{Basis, Level};

/// 2026-02-05T00:00:00Z: recognised legitimate interests (Article 6(1)(ea)) come into force.
const RECOGNISED_FROM: i64 = 1_770_249_600_000;

/// What the information is, as far as the law asks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Classes {
    pub(super) special: bool,
    pub(super) criminal: bool,
}

pub(super) fn lawful_basis(
    basis: Basis,
    kind: Kind,
    level: Level,
    classes: Classes,
    shared: i64,
    draw: &mut Draw,
) -> Vec<Value> {
    match basis {
        Basis::Consent => vec![article6("a"), confidence("Consent")],
        Basis::WithoutArticle9 => {
            vec![article6("e"), gateway(duty(kind, level)), confidence("OverridingPublicInterest")]
        }
        Basis::Sound | Basis::Consented => sound(kind, level, classes, shared, draw),
    }
}

fn sound(kind: Kind, level: Level, classes: Classes, shared: i64, draw: &mut Draw) -> Vec<Value> {
    if kind == Kind::Police && draw.chance(60) {
        return law_enforcement(classes);
    }
    let mut list = match kind {
        // A charity performs no public task, so it may rely on its own or on a recognised interest.
        Kind::Charity if shared >= RECOGNISED_FROM => {
            vec![json!({"kind": "Article6", "code": "ea", "condition": "Safeguarding"})]
        }
        Kind::Charity => vec![article6("f")],
        _ => vec![article6("e"), gateway(duty(kind, level))],
    };
    if classes.special && kind == Kind::Health {
        list.extend([json!({"kind": "Article9", "code": "h"}), schedule1("P2")]);
    } else if classes.special {
        list.push(json!({"kind": "Article9", "code": "g"}));
    }
    if classes.criminal {
        list.push(json!({"kind": "Article10", "code": "Schedule1Condition"}));
    }
    if classes.criminal || classes.special && kind != Kind::Health {
        let grounds = ["ConsentCannotBeGiven", "CannotReasonablyObtain", "WouldPrejudiceProtection"];
        list.push(json!({"kind": "Schedule1", "paragraph": "P18", "ground": draw.one_of(&grounds)}));
    }
    list.push(confidence(draw.one_of(&["StatuteOrCourt", "OverridingPublicInterest"])));
    list
}

fn law_enforcement(classes: Classes) -> Vec<Value> {
    let mut list = vec![json!({"kind": "Part3", "code": "s35"})];
    if classes.special || classes.criminal {
        list.push(json!({"kind": "Schedule8", "paragraph": "P4"}));
    }
    if classes.criminal {
        list.push(json!({"kind": "Article10", "code": "OfficialAuthority"}));
    }
    list.push(confidence("OverridingPublicInterest"));
    list
}

fn duty(kind: Kind, level: Level) -> &'static str {
    match (kind, level) {
        (Kind::Council, Level::SignificantHarm | Level::Immediate) => "CA1989s47",
        (Kind::Council, Level::ChildInNeed) => "CA1989s17",
        (Kind::Council, _) => "CA2004s10",
        (Kind::Police, _) => "CDA1998s115",
        (Kind::School, _) => "EA2002s175",
        (Kind::Health | Kind::Charity, _) => "CA2004s11",
    }
}

fn article6(code: &str) -> Value {
    json!({"kind": "Article6", "code": code})
}

fn gateway(code: &str) -> Value {
    json!({"kind": "Gateway", "code": code})
}

fn schedule1(paragraph: &str) -> Value {
    json!({"kind": "Schedule1", "paragraph": paragraph})
}

fn confidence(code: &str) -> Value {
    json!({"kind": "Confidence", "code": code})
}
