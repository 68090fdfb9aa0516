//! Who takes part in the demonstration.

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

/// How many of the agencies, from the first, publish the background: they meet on many children. The others are in cases alone.
pub(super) const EVERYDAY: usize = 6;

/// The agencies, each with a key and a chain of its own.
pub const AGENCIES: [Agency; 15] = [
    agency("council", "gss:E06000999", "Marlhaven City Council", "council"),
    agency("police", "police:99", "Wessmere Constabulary", "police"),
    agency("health", "ods:Z9X", "Marlhaven Children's NHS Trust", "health"),
    agency("harbour", "gias:999001", "Harbour Lane Academy", "school"),
    agency("orlan", "gias:999002", "St Orlan's School", "school"),
    agency("charity", "charity:9990001", "Lantern Youth and Housing", "charity"),
    agency("millgate", "gias:999003", "Millgate Community School", "school"),
    agency("nursery", "ofsted:EY999001", "Little Anchors Nursery", "nursery"),
    agency("practice", "ods:Z99901", "Quayside Medical Practice", "health"),
    agency("mental", "ods:Z9Y", "Wessmere Mental Health NHS Trust", "health"),
    agency("housing", "charity:9990002", "Shoreline Housing Aid", "charity"),
    agency("youth", "charity:9990003", "Compass Youth Service", "charity"),
    agency("county", "gss:E10000999", "Dalemoor County Council", "council"),
    agency("borough", "gss:E08000999", "Northwick Borough Council", "council"),
    agency("hill", "police:98", "Dalemoor Police", "police"),
];

const fn agency(key: &'static str, code: &'static str, name: &'static str, kind: &'static str) -> Agency {
    Agency { key, code, name, kind }
}

/// The position in [`AGENCIES`] of the agency with this short name.
pub(super) fn position(key: &str) -> Option<usize> {
    AGENCIES.iter().position(|agency| agency.key == key)
}
