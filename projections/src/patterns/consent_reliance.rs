//! `consent-reliance`: over 20 % of what an agency shares within 90 days relies on consent (Article 6(a)), of 10 shares or
//! more (DOMAIN section 5, pattern 11; the numbers are thresholds). Consent is unlikely to be the right basis in most
//! cases.
//!
//! A window is the 90 days up to a share, by the time of sharing. A share is a decision to share, in whole or in part, as
//! corrected since.
//!
//! **The id is anchored to** the first share of a run: windows that share one join.

use gt_schemas::Configuration;

use super::sentence::{days, days_between};
use super::{DAY, Finding, Pattern, at_statement, sorted, span};
use crate::share::Brief;
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
        let all = (last - first + 1) as u64;
        if all < u64::from(threshold.shares) || consented * 100 <= all * u64::from(threshold.percent) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if first <= run.1 => run.1 = last,
            _ => runs.push((first, last)),
        }
    }
    runs.into_iter().map(|(first, last)| finding(agency, &shares[first..=last], rules)).collect()
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
