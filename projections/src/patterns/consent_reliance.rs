//! `consent-reliance`: over 20 % of what an agency shares within 90 days relies on consent (Article 6(a)), of 10 shares or
//! more (DOMAIN section 5, pattern 11; the numbers are thresholds). Consent is unlikely to be the right basis in most
//! cases.
//!
//! A window is the 90 days up to a share, by the time of sharing. A share is a decision to share, in whole or in part, as
//! corrected since.
//!
//! **The id is anchored to** the first share of a run: windows that share one join.

use gt_schemas::Configuration;
use gt_schemas::configuration::ConsentReliance;

use super::sentence::{days, days_between};
use super::{DAY, Finding, Pattern, at_statement, sorted, span};
use crate::share::{Brief, Briefs};
use crate::subject::Subject;

/// `shares` are an agency's, sorted by time of sharing and by statement.
pub(crate) fn find(agency: &str, shares: &[Brief], rules: &Configuration) -> Vec<Finding> {
    let threshold = rules.thresholds.consent_reliance;
    let (span, mut first, mut consented) = (span(threshold.days, DAY), 0, 0_u64);
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (last, share) in shares.iter().enumerate() {
        consented += u64::from(share.by_consent);
        while share.shared_at - shares[first].shared_at > span {
            consented -= u64::from(shares[first].by_consent);
            first += 1;
        }
        // Of shares at the same moment, the last sees them all.
        if shares.get(last + 1).is_some_and(|next| next.shared_at == share.shared_at) {
            continue;
        }
        if !is_much((last - first + 1) as u64, consented, threshold) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if first <= run.1 => run.1 = last,
            _ => runs.push((first, last)),
        }
    }
    runs.into_iter().map(|(first, last)| finding(agency, &shares[first..=last], rules)).collect()
}

/// Whether any window that holds a share of this time is enough for a review. It looks at the windows that end with it and with the later
/// shares within reach: at one for the latest share, however many there are.
pub(crate) fn is_reached(shares: &Briefs, shared_at: i64, rules: &Configuration) -> bool {
    let threshold = rules.thresholds.consent_reliance;
    let span = span(threshold.days, DAY);
    let mut end = shared_at;
    loop {
        let (all, consented) = shares.within(end.saturating_sub(span), end);
        if is_much(all, consented, threshold) {
            return true;
        }
        match shares.next_after(end) {
            Some(next) if next.saturating_sub(shared_at) <= span => end = next,
            _ => return false,
        }
    }
}

fn is_much(all: u64, consented: u64, threshold: ConsentReliance) -> bool {
    all >= u64::from(threshold.shares) && consented * 100 > all * u64::from(threshold.percent)
}

fn finding(agency: &str, run: &[Brief], rules: &Configuration) -> Finding {
    let threshold = rules.thresholds.consent_reliance;
    let window = (run[0].shared_at, run[run.len() - 1].shared_at);
    let consented = run.iter().filter(|share| share.by_consent);
    Finding {
        pattern: Pattern::ConsentReliance,
        anchor: at_statement(run[0].statement),
        about: Subject::Agency(agency.to_owned()),
        due: None,
        window,
        entries: sorted(consented.clone().map(|share| share.index)),
        sentence: format!(
            "{agency} relied on consent for {} of {} shares in {} (over {} % in {} asks for a review).",
            consented.count(),
            run.len(),
            days_between(window),
            threshold.percent,
            days(threshold.days.into())
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::StatementRef;

    fn share(number: usize, (days, by_consent): (i64, bool)) -> Brief {
        let mut statement = [0; 16];
        statement[..8].copy_from_slice(&number.to_be_bytes());
        Brief { shared_at: days * DAY, statement: StatementRef(statement), index: number as u64, by_consent }
    }

    proptest! {
        /// Shares that come in any order: as long as nothing was found, what is told of each alone is what looking at all would find.
        #[test]
        fn a_share_is_told_to_be_enough_when_it_is(drawn in prop::collection::vec((0_i64..400, any::<bool>()), 0..60), rare in any::<bool>()) {
            let mut rules = Configuration::default();
            rules.thresholds.consent_reliance = ConsentReliance { percent: if rare { 60 } else { 40 }, shares: 4, days: 30 };
            let mut shares = Briefs::default();
            for (number, drawn) in drawn.into_iter().enumerate() {
                let share = share(number, drawn);
                shares.add(share);
                let found = !find("gias:123456", shares.all(), &rules).is_empty();
                prop_assert_eq!(is_reached(&shares, share.shared_at, &rules), found);
                if found {
                    shares.remove(&share);
                    prop_assert_eq!(find("gias:123456", shares.all(), &rules), []);
                }
            }
        }
    }
}
