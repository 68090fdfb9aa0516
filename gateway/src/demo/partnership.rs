/// An agency of the fictional partnership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agency {
    /// Its short name, in the cases' data and in the name of its key file.
    pub key: &'static str,
    /// Its code. No such agency exists.
    pub code: &'static str,
    /// Its name, for people.
    pub name: &'static str,
    /// What it is, in a word.
    pub kind: &'static str,
}

/// The name of the demonstration's ledger. Nothing can have it in earnest: `.example` is reserved (RFC 2606).
pub const ORIGIN: &str = "goldenthread.example/demonstration";

/// The agencies, each with a key and a chain of its own.
pub const AGENCIES: [Agency; 6] = [
    Agency { key: "council", code: "gss:E06000999", name: "Marlhaven City Council", kind: "council" },
    Agency { key: "police", code: "police:99", name: "Wessmere Constabulary", kind: "police" },
    Agency { key: "health", code: "ods:Z9X", name: "Marlhaven Children's NHS Trust", kind: "health" },
    Agency { key: "harbour", code: "gias:999001", name: "Harbour Lane Academy", kind: "school" },
    Agency { key: "orlan", code: "gias:999002", name: "St Orlan's School", kind: "school" },
    Agency { key: "charity", code: "charity:9990001", name: "Lantern Youth and Housing", kind: "charity" },
];

/// The position in [`AGENCIES`] of the agency with this short name.
pub(super) fn position(key: &str) -> Option<usize> {
    AGENCIES.iter().position(|agency| agency.key == key)
}
