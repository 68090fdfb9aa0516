//! Which of the everyday shares rely on consent.

use std::collections::HashMap;

use crate::agencies::AgencyNumber;
use crate::happening::{Basis, Happening, What};

/// At least so many other shares stand between two of an agency's that rely on consent. Of any ten or more shares in a row at most
/// a fifth rely on it then: two of ten, three of seventeen.
const BETWEEN: u32 = 7;

/// Lets shares with consent rely on it wherever that keeps every run of an agency's shares below pattern 11's threshold. Most
/// rely on a public task all the same, as the guidance advises.
pub(crate) fn rely_on_consent(happenings: &mut [Happening]) {
    let mut shares: Vec<(AgencyNumber, i64, usize)> = Vec::new();
    for (position, told) in happenings.iter().enumerate() {
        if matches!(told.what, What::Decision(decision) if decision.shares()) {
            shares.push((told.speaker, told.at, position));
        }
    }
    shares.sort_unstable();
    let mut since: HashMap<AgencyNumber, u32> = HashMap::new();
    for (speaker, _, position) in shares {
        let since = since.entry(speaker).or_insert(BETWEEN);
        match &mut happenings[position].what {
            What::Decision(decision) if decision.basis == Basis::Consented && *since >= BETWEEN => {
                decision.basis = Basis::Consent;
                *since = 0;
            }
            _ => *since += 1,
        }
    }
}
