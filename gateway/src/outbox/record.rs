use serde::{Deserialize, Serialize};

/// What the journal remembers. It has no `Debug`: drafts and disclosures are personal data.
///
/// `order` is the position of a draft among all that were ever accepted, from 0.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// Whose outbox this is, and which ledger it writes to. The last one holds.
    Identity { publisher: String, agency: String, pin: String },
    /// A draft was accepted: its next `order` is the number of those before it.
    Accepted { id: String, content: String, draft: String },
    /// A draft was signed: the compact SD-JWT, and the disclosures that stay at home with their members' names.
    Signed { order: u64, seq: u64, statement: String, kept: Vec<(String, String)> },
    /// The ledger sealed it, and the receipt has been verified.
    Sealed { order: u64, index: u64, receipt: String },
    /// The ledger refused it, and has been seen not to hold it. What was signed after it is void.
    Refused { order: u64, problem: String },
}
