//! The cases, as data that a person can read and add to: one file each in `gateway/demo/cases/`.
//!
//! A case has its story, its drafts in the demonstration's notation, and what must come of it, with its drafts by number from 1:
//! the alerts that fire and stand (`expects`), those that were taken back (`retracted`), what the rules of practice find in its
//! decisions as they stand at the end (`findings`), and what is advised before a decision (`advice`). What is not foretold must not
//! come. A draft may be `like` an earlier one, of which it then has all members but those that it names itself.

use gt_projections::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const FILES: [&str; 27] = [
    include_str!("../../demo/cases/01-four-times-missing.json"),
    include_str!("../../demo/cases/02-far-from-home.json"),
    include_str!("../../demo/cases/03-no-interview.json"),
    include_str!("../../demo/cases/04-one-takeaway.json"),
    include_str!("../../demo/cases/05-one-adult.json"),
    include_str!("../../demo/cases/06-three-councils.json"),
    include_str!("../../demo/cases/07-moved-overnight.json"),
    include_str!("../../demo/cases/08-refused-by-the-practice.json"),
    include_str!("../../demo/cases/09-bruises-not-passed-on.json"),
    include_str!("../../demo/cases/10-split-reports.json"),
    include_str!("../../demo/cases/11-a-basis-copied.json"),
    include_str!("../../demo/cases/12-half-a-basis.json"),
    include_str!("../../demo/cases/13-a-mother-refuses.json"),
    include_str!("../../demo/cases/14-a-father-asks.json"),
    include_str!("../../demo/cases/15-no-answer.json"),
    include_str!("../../demo/cases/16-consent-for-everything.json"),
    include_str!("../../demo/cases/17-after-five-days.json"),
    include_str!("../../demo/cases/near-a-twice.json"),
    include_str!("../../demo/cases/near-b-two-at-the-park.json"),
    include_str!("../../demo/cases/near-c-long-apart.json"),
    include_str!("../../demo/cases/near-d-in-96-days.json"),
    include_str!("../../demo/cases/near-e-reported-twice.json"),
    include_str!("../../demo/cases/near-f-in-the-last-hour.json"),
    include_str!("../../demo/cases/near-g-told-the-same-day.json"),
    include_str!("../../demo/cases/near-h-answered-in-time.json"),
    include_str!("../../demo/cases/near-i-three-days-less-an-hour.json"),
    include_str!("../../demo/cases/near-j-harm-long-after.json"),
];

/// A story, and what must come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its number in DOMAIN section 9, or a letter.
    pub case: String,
    /// One sentence or two.
    pub story: String,
    /// Whether it comes close to a pattern's threshold and stays below.
    pub near_miss: bool,
    /// The alerts that fire on it and stand.
    pub expects: Vec<ForetoldAlert>,
    /// The alerts that fire on it and are taken back.
    pub retracted: Vec<ForetoldAlert>,
    /// What the rules of practice find in its decisions.
    pub findings: Vec<ForetoldFinding>,
    /// What is advised before its decisions.
    pub advice: Vec<ForetoldAdvice>,
}

/// An alert that must fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForetoldAlert {
    /// The pattern.
    pub pattern: Pattern,
    /// The numbers of the drafts behind it, from 1.
    pub entries: Vec<usize>,
}

/// A finding that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForetoldFinding {
    /// The number of the decision's draft.
    pub draft: usize,
    /// The rule's code.
    pub code: String,
}

/// What must be advised if a decision's draft is put as a question.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ForetoldAdvice {
    /// The number of the decision's draft.
    pub draft: usize,
    /// Where the flowchart leads: the members of the outcome that matter.
    pub flow: Map<String, Value>,
    /// The codes of the rules that the decision would break.
    pub findings: Vec<String>,
}

/// A draft of a case, in the demonstration's notation.
pub(super) struct CaseDraft {
    /// The agency's short name.
    pub(super) agency: String,
    /// The event type.
    pub(super) event_type: String,
    /// The members of the event.
    pub(super) data: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    case: String,
    story: String,
    #[serde(default)]
    near_miss: bool,
    #[serde(default)]
    expects: Vec<AlertText>,
    #[serde(default)]
    retracted: Vec<AlertText>,
    #[serde(default)]
    findings: Vec<ForetoldFinding>,
    #[serde(default)]
    advice: Vec<ForetoldAdvice>,
    drafts: Vec<DraftText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertText {
    pattern: String,
    entries: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftText {
    agency: String,
    #[serde(rename = "type")]
    event_type: String,
    like: Option<usize>,
    data: Map<String, Value>,
}

/// Every case, with its drafts.
pub(super) fn all() -> impl Iterator<Item = (Case, Vec<CaseDraft>)> {
    FILES.iter().map(|text| {
        let text: CaseText = serde_json::from_str(text).expect("the cases are in order: a test reads them");
        let case = Case {
            case: text.case,
            story: text.story,
            near_miss: text.near_miss,
            expects: foretold(text.expects),
            retracted: foretold(text.retracted),
            findings: text.findings,
            advice: text.advice,
        };
        (case, drafts(text.drafts))
    })
}

fn foretold(alerts: Vec<AlertText>) -> Vec<ForetoldAlert> {
    let one = |alert: AlertText| ForetoldAlert {
        pattern: Pattern::parse(&alert.pattern).expect("cases name patterns that there are"),
        entries: alert.entries,
    };
    alerts.into_iter().map(one).collect()
}

fn drafts(texts: Vec<DraftText>) -> Vec<CaseDraft> {
    let mut drafts: Vec<CaseDraft> = Vec::with_capacity(texts.len());
    for text in texts {
        let mut data = text.like.map_or_else(Map::new, |like| {
            drafts.get(like - 1).expect("a draft is like an earlier one").data.clone()
        });
        data.extend(text.data);
        drafts.push(CaseDraft { agency: text.agency, event_type: text.event_type, data });
    }
    drafts
}
