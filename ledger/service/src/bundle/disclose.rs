//! What of a statement goes into a bundle, and what is said of the rest.

use std::collections::HashSet;

use gt_core::Hash;
use gt_core::bundle::{BundleRecord, LeftOut, StatedRecord, Why};
use gt_core::statement::{DisclosableMember, Disclosure, Statement, StatementError};

use super::Withhold;
use crate::open::Texts;
use crate::record::OwnerId;

/// What is to be disclosed, and of whom.
pub(super) struct Disclosing<'r> {
    pub(super) withhold: &'r Withhold,
    /// The identities of the child that the bundle is about. Of statements about others only what is these identities' is
    /// disclosed. `None` if it is not about a child: then nothing is anybody else's.
    pub(super) subjects: Option<HashSet<OwnerId>>,
}

impl Disclosing<'_> {
    /// An entry's record, given its proof and what can be read of it.
    pub(super) fn record(&self, proof: String, texts: Option<Texts>) -> Result<BundleRecord, StatementError> {
        let Some(texts) = texts else { return Ok(BundleRecord::Absent { proof, why: Why::Ended }) };
        if self.withhold.statements {
            return Ok(BundleRecord::Absent { proof, why: Why::Withheld });
        }
        let statement =
            Statement::from_parts(texts.jws.text(), texts.disclosures.iter().map(|(_, text)| text.as_str()))?;
        let is_subject = |owner: &OwnerId| self.subjects.as_ref().is_none_or(|ids| ids.contains(owner));
        let is_about = self.subjects.is_none() || texts.primary.as_ref().is_some_and(is_subject);
        let mut disclosures = Vec::new();
        let (mut here, mut readable) = (HashSet::new(), HashSet::new());
        for (disclosure, (owner, text)) in statement.disclosures().iter().zip(&texts.disclosures) {
            readable.insert(disclosure.digest());
            if (is_about || is_subject(owner)) && !self.is_withheld(&statement, disclosure) {
                here.insert(disclosure.digest());
                disclosures.push(text.clone());
            }
        }
        // Whether somebody else's record has ended is for nobody to learn here.
        let why = |digest: &Hash| {
            if is_about && !readable.contains(digest) { Why::Ended } else { Why::Withheld }
        };
        let data = &statement.payload().data;
        let left_out = data
            .members()
            .iter()
            .filter(|member| !data.is_kept(member.name()))
            .flat_map(DisclosableMember::digests)
            .filter(|digest| !here.contains(*digest))
            .map(|digest| LeftOut { digest: *digest, why: why(digest) })
            .collect();
        Ok(BundleRecord::Stated(StatedRecord {
            proof,
            statement: texts.jws.text().to_owned(),
            disclosures,
            left_out,
        }))
    }

    fn is_withheld(&self, statement: &Statement, disclosure: &Disclosure) -> bool {
        let name = statement.payload().data.members()[disclosure.member_position()].name();
        self.withhold.disclosures || self.withhold.members.iter().any(|member| member == name)
    }
}
