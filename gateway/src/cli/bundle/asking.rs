//! By asking a running ledger.

use gt_core::bundle::Bundle;
use gt_core::checkpoint::Checkpoint;
use serde_json::{Value, json};

use super::{BundleCommand, Child, What};
use crate::cli::Failure;
use crate::reading::ReadingClient;

impl BundleCommand {
    pub(super) fn ask(&self, url: &str, what: &What, known: &[Checkpoint]) -> Result<Bundle, Failure> {
        let mut question = match what {
            What::Child(Child::Pseudonym(pseudonym)) => json!({"child": pseudonym.as_str()}),
            What::Child(Child::Owner(id)) => json!({"child": id.to_string()}),
            What::Entries(first, last) => json!({"entries": format!("{first}-{last}")}),
            What::Agency(code) => json!({"agency": code}),
            What::Alert(id) => json!({"alert": id}),
        };
        if self.subject_access {
            question["bare"] = json!(self.bare);
            return self.ask_at(url, "/v1/subject-access", &question);
        }
        question["without"] = json!(self.without);
        question["bare"] = json!(self.bare);
        question["statements"] = json!(!self.no_statements);
        question["known"] = known.iter().map(|checkpoint| checkpoint.size().0).collect();
        self.ask_at(url, "/v1/bundles?format=json", &question)
    }

    fn ask_at(&self, url: &str, path: &str, question: &Value) -> Result<Bundle, Failure> {
        let client = ReadingClient::new(url, self.token_file.as_deref())?.with_purpose(self.purpose.clone());
        let bytes = client.post_for_bytes(path, question)?;
        Bundle::parse(&bytes)
            .map_err(|error| Failure::new(format!("what the ledger at {url} sent is no bundle: {error}")))
    }
}
