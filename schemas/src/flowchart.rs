//! The flowchart of DOMAIN section 3: four questions, in their order, and what follows from the answers.

use serde::Serialize;

use crate::decision_recorded::{HarmLevel, WithholdGround};
use crate::notation::codes;

codes! {
    /// A question of the flowchart.
    pub enum FlowQuestion {
        /// Is there a clear and legitimate purpose for sharing?
        Purpose,
        /// Is there consent?
        Consent,
        /// Does the information identify a person?
        Identifies,
        /// Is there a lawful reason to share without consent?
        LawfulReason,
        /// How severe is the harm? It is asked only where the others say not to share.
        HarmLevel,
    }
}

codes! {
    /// What to settle before sharing, once sharing is possible.
    pub enum HowToShare {
        /// How much is necessary? Share that and no more.
        HowMuch,
        /// What is fact and what is opinion? Keep them apart, and say which is which.
        FactFromOpinion,
        /// Is this the right person to receive it?
        RightPerson,
        /// How does it travel securely?
        Securely,
        /// Can the individual be told of it without adding risk? Then tell them.
        TellTheIndividual,
    }
}

/// The answers. `None` is an answer that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlowAnswers {
    /// Whether there is a clear and legitimate purpose.
    pub purpose: Option<bool>,
    /// Whether there is consent.
    pub consent: Option<bool>,
    /// Whether the information identifies a person.
    pub identifies: Option<bool>,
    /// Whether there is a lawful reason.
    pub lawful_reason: Option<bool>,
    /// The harm that it is about.
    pub harm_level: Option<HarmLevel>,
}

/// Where the flowchart leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome")]
pub enum FlowOutcome {
    /// The information may be shared.
    MayShare {
        /// What to settle first.
        how: &'static [HowToShare],
    },
    /// The information is not to be shared.
    DoNotShare {
        /// Why.
        ground: WithholdGround,
        /// Whether the concern must go to children's social care or the police all the same: at section 17 or above.
        escalate: bool,
    },
    /// An answer is wanting: ask the safeguarding lead, the data protection officer or others who can advise.
    SeekAdvice {
        /// The question that was asked and not answered.
        unanswered: FlowQuestion,
    },
}

/// The outcome, with the version of the flowchart that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// The flowchart's version: [`Flow::VERSION`] when it was asked.
    pub version: u16,
    /// Where it led.
    #[serde(flatten)]
    pub outcome: FlowOutcome,
}

impl Flow {
    /// The flowchart's version. It rises whenever the same answers may lead elsewhere.
    pub const VERSION: u16 = 1;

    /// Asks the questions in their order. One that is not asked may be without an answer.
    pub fn of(answers: FlowAnswers) -> Self {
        let outcome = follow(answers).unwrap_or_else(|unanswered| FlowOutcome::SeekAdvice { unanswered });
        Self { version: Self::VERSION, outcome }
    }
}

/// The table of DOMAIN section 3, row by row; the question at which it stops for want of an answer.
fn follow(answers: FlowAnswers) -> Result<FlowOutcome, FlowQuestion> {
    let may_share = FlowOutcome::MayShare { how: HowToShare::ALL };
    if !answers.purpose.ok_or(FlowQuestion::Purpose)? {
        return do_not_share(WithholdGround::NoPurpose, answers);
    }
    if answers.consent.ok_or(FlowQuestion::Consent)? {
        return Ok(may_share);
    }
    if !answers.identifies.ok_or(FlowQuestion::Identifies)? {
        return Ok(may_share);
    }
    if answers.lawful_reason.ok_or(FlowQuestion::LawfulReason)? {
        return Ok(may_share);
    }
    do_not_share(WithholdGround::NoLawfulReason, answers)
}

/// Without the harm nobody can say whether to escalate, and "do not share" alone could leave a child unprotected.
fn do_not_share(ground: WithholdGround, answers: FlowAnswers) -> Result<FlowOutcome, FlowQuestion> {
    let harm_level = answers.harm_level.ok_or(FlowQuestion::HarmLevel)?;
    Ok(FlowOutcome::DoNotShare { ground, escalate: harm_level >= HarmLevel::ChildInNeed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use FlowOutcome::{DoNotShare, MayShare, SeekAdvice};
    use WithholdGround::{NoLawfulReason, NoPurpose};

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    fn outcome(answers: [Option<bool>; 4], harm_level: Option<HarmLevel>) -> FlowOutcome {
        let [purpose, consent, identifies, lawful_reason] = answers;
        Flow::of(FlowAnswers { purpose, consent, identifies, lawful_reason, harm_level }).outcome
    }

    const MAY_SHARE: FlowOutcome = MayShare { how: HowToShare::ALL };

    /// DOMAIN section 3, the table: each row, with every answer to what the row does not ask.
    #[test]
    fn every_row_of_the_table() {
        let do_not = |ground| DoNotShare { ground, escalate: false };
        let any = [YES, NO, None];
        for a in any {
            for b in any {
                for c in any {
                    let harm = Some(HarmLevel::None);
                    assert_eq!(outcome([NO, a, b, c], harm), do_not(NoPurpose));
                    assert_eq!(outcome([YES, YES, b, c], None), MAY_SHARE);
                    assert_eq!(outcome([YES, NO, NO, c], None), MAY_SHARE);
                    assert_eq!(outcome([YES, NO, YES, YES], None), MAY_SHARE);
                    assert_eq!(outcome([YES, NO, YES, NO], harm), do_not(NoLawfulReason));
                }
            }
        }
    }

    /// DOMAIN section 3: an unknown answer to an asked question.
    #[test]
    fn an_asked_question_without_an_answer_seeks_advice() {
        let harm = Some(HarmLevel::Immediate);
        for (answers, harm, unanswered) in [
            ([None, YES, YES, YES], harm, FlowQuestion::Purpose),
            ([YES, None, NO, YES], harm, FlowQuestion::Consent),
            ([YES, NO, None, YES], harm, FlowQuestion::Identifies),
            ([YES, NO, YES, None], harm, FlowQuestion::LawfulReason),
            ([YES, NO, YES, NO], None, FlowQuestion::HarmLevel),
            ([NO, YES, YES, YES], None, FlowQuestion::HarmLevel),
        ] {
            assert_eq!(outcome(answers, harm), SeekAdvice { unanswered });
        }
    }

    /// DOMAIN section 3: at section 17 or above such concerns go to children's social care or the police.
    #[test]
    fn not_sharing_escalates_from_section_17() {
        for (harm_level, expected) in [
            (HarmLevel::None, false),
            (HarmLevel::EarlyHelp, false),
            (HarmLevel::ChildInNeed, true),
            (HarmLevel::SignificantHarm, true),
            (HarmLevel::Immediate, true),
        ] {
            for (answers, ground) in [([NO; 4], NoPurpose), ([YES, NO, YES, NO], NoLawfulReason)] {
                assert_eq!(outcome(answers, Some(harm_level)), DoNotShare { ground, escalate: expected });
            }
        }
    }

    #[test]
    fn an_outcome_carries_the_version() {
        let flow = serde_json::to_value(Flow::of(FlowAnswers::default())).unwrap();
        assert_eq!(
            flow,
            serde_json::json!({ "version": 1, "outcome": "SeekAdvice", "unanswered": "Purpose" })
        );
    }
}
