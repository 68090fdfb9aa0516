//! A bundle's text: reading it, strictly, and writing it.

use core::fmt;

use super::form::{At, Members, list, number, parsed, text};
use super::{
    About, Bundle, BundleError, BundleRecord, FORMAT, LeftOut, MAX_BUNDLE_BYTES, MAX_CONSISTENCY,
    MAX_SUBJECTS, Manifest, StatedRecord, SubjectLinks, Why,
};
use crate::agency::AgencyCode;
use crate::base64url;
use crate::hash::Hash;
use crate::json::Value;
use crate::link::LinkOpening;
use crate::position::LeafIndex;
use crate::statement::Pseudonym;
use crate::time::Timestamp;

type Read<T> = Result<T, BundleError>;

impl Bundle {
    /// Reads a bundle and checks its form (step 1 of `docs/FORMATS.md` section 12). The first member that is not of its form is
    /// named: in the order in which the format names members, each with all that is in it, unknown ones last.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLong { bytes: bytes.len() });
        }
        let root = At::ROOT;
        let mut members = Members::of(Value::parse(bytes)?, &root)?;
        if members.take("format", text)? != FORMAT {
            return Err(BundleError::Format);
        }
        let bundle = Self {
            manifest: members.take("manifest", read_manifest)?,
            checkpoint: members.take("checkpoint", text)?,
            consistency: members.take("consistency", read_consistency)?,
            registrar: members.take("registrar", read_registrar)?,
            tip: members.take("tip", text)?,
            records: members.take("records", |value, at| list(value, at, read_record))?,
            completeness: members.take("completeness", |value, at| list(value, at, read_links))?,
        };
        members.finish()?;
        Ok(bundle)
    }

    /// The bundle as JSON, members in the format's order.
    pub fn to_json(&self) -> Value {
        object([
            ("format", Value::from(FORMAT)),
            ("manifest", write_manifest(&self.manifest)),
            ("checkpoint", Value::from(self.checkpoint.as_str())),
            ("consistency", texts(&self.consistency)),
            ("registrar", Value::Array(self.registrar.iter().map(write_stated).collect())),
            ("tip", Value::from(self.tip.as_str())),
            ("records", Value::Array(self.records.iter().map(write_record).collect())),
            ("completeness", Value::Array(self.completeness.iter().map(write_links).collect())),
        ])
    }
}

/// The bundle's text, without white space.
impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json().to_text())
    }
}

fn read_manifest(value: Value, at: &At<'_>) -> Read<Manifest> {
    let mut members = Members::of(value, at)?;
    let manifest = Manifest {
        about: members.take("about", read_about)?,
        made_at: members.take("made_at", |value, at| {
            parsed(value, at, "a time belongs here, as 2026-03-02T08:00:00Z", |text| {
                Timestamp::parse(text).ok()
            })
        })?,
        entries: members.take("entries", |value, at| list(value, at, index))?,
    };
    members.finish()?;
    Ok(manifest)
}

fn read_about(value: Value, at: &At<'_>) -> Read<About> {
    let mut members = Members::of(value, at)?;
    let kind = members.take("kind", |value, at| {
        parsed(value, at, "one of entries, child, agency, alert belongs here", |kind| {
            ["entries", "child", "agency", "alert"].into_iter().find(|known| *known == kind)
        })
    })?;
    let about = match kind {
        "entries" => {
            About::Entries { first: members.take("first", index)?, last: members.take("last", index)? }
        }
        "child" => About::Child { subjects: members.take("subjects", read_subjects)? },
        "agency" => About::Agency {
            agency: members.take("agency", |value, at| {
                parsed(value, at, "an agency's code belongs here", |code| AgencyCode::parse(code).ok())
            })?,
        },
        _ => About::Alert {
            alert: members.take("alert", |value, at| {
                word(value, at, 64, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            })?,
            pattern: members.take("pattern", |value, at| {
                word(value, at, 32, |byte| byte.is_ascii_lowercase() || byte == b'-')
            })?,
        },
    };
    members.finish()?;
    Ok(about)
}

fn read_subjects(value: Value, at: &At<'_>) -> Read<Vec<Pseudonym>> {
    let mut seen: Vec<Pseudonym> = Vec::new();
    let subjects = list(value, at, |value, at| {
        let subject = subject(value, at)?;
        if seen.contains(&subject) {
            return Err(at.expected("this pseudonym stands twice"));
        }
        // One too many is remembered at most: the list is refused below.
        if seen.len() <= MAX_SUBJECTS {
            seen.push(subject.clone());
        }
        Ok(subject)
    })?;
    if (1..=MAX_SUBJECTS).contains(&subjects.len()) {
        Ok(subjects)
    } else {
        Err(at.expected("1 to 16 pseudonyms belong here"))
    }
}

/// A text that does not read is a finding later on, so there are not more of them than anybody needs.
fn read_consistency(value: Value, at: &At<'_>) -> Read<Vec<String>> {
    let proofs = list(value, at, text)?;
    if proofs.len() <= MAX_CONSISTENCY {
        Ok(proofs)
    } else {
        Err(at.expected("at most 64 consistency proofs belong here"))
    }
}

fn read_registrar(value: Value, at: &At<'_>) -> Read<Vec<StatedRecord>> {
    let records = list(value, at, |value, at| read_stated(Members::of(value, at)?))?;
    if records.is_empty() { Err(at.expected("at least ledger.created belongs here")) } else { Ok(records) }
}

fn read_record(value: Value, at: &At<'_>) -> Read<BundleRecord> {
    let mut members = Members::of(value, at)?;
    if !members.has("absent") {
        return read_stated(members).map(BundleRecord::Stated);
    }
    let record =
        BundleRecord::Absent { proof: members.take("proof", text)?, why: members.take("absent", read_why)? };
    members.finish()?;
    Ok(record)
}

fn read_stated(mut members: Members<'_>) -> Read<StatedRecord> {
    let record = StatedRecord {
        proof: members.take("proof", text)?,
        statement: members.take("statement", text)?,
        disclosures: members.take("disclosures", |value, at| list(value, at, text))?,
        left_out: members.take("left_out", |value, at| list(value, at, read_left_out))?,
    };
    members.finish()?;
    Ok(record)
}

fn read_left_out(value: Value, at: &At<'_>) -> Read<LeftOut> {
    let mut members = Members::of(value, at)?;
    let left_out = LeftOut {
        digest: members.take("digest", |value, at| {
            parsed(value, at, "a digest belongs here, 43 characters of base64url", |text| {
                Hash::parse(text).ok()
            })
        })?,
        why: members.take("why", read_why)?,
    };
    members.finish()?;
    Ok(left_out)
}

fn read_why(value: Value, at: &At<'_>) -> Read<Why> {
    parsed(value, at, "withheld or ended belongs here", |text| {
        [Why::Withheld, Why::Ended].into_iter().find(|why| why.as_str() == text)
    })
}

fn read_links(value: Value, at: &At<'_>) -> Read<SubjectLinks> {
    let mut members = Members::of(value, at)?;
    let links = SubjectLinks {
        subject: members.take("subject", subject)?,
        links: members.take("links", |value, at| list(value, at, read_opening))?,
        next: members.take("next", bytes)?,
    };
    members.finish()?;
    Ok(links)
}

fn read_opening(value: Value, at: &At<'_>) -> Read<LinkOpening> {
    let mut members = Members::of(value, at)?;
    let opening = LinkOpening {
        n: members.take("n", number)?,
        index: members.take("index", index)?,
        name: members.take("name", bytes)?,
        blinding: members.take("blinding", bytes)?,
    };
    members.finish()?;
    Ok(opening)
}

fn index(value: Value, at: &At<'_>) -> Read<LeafIndex> {
    number(value, at).map(LeafIndex)
}

fn subject(value: Value, at: &At<'_>) -> Read<Pseudonym> {
    parsed(value, at, "a pseudonym belongs here", |text| Pseudonym::parse(text).ok())
}

fn bytes<const N: usize>(value: Value, at: &At<'_>) -> Read<[u8; N]> {
    parsed(value, at, "base64url of 16 or 32 bytes belongs here", |text| base64url::decode_array(text).ok())
}

fn word(value: Value, at: &At<'_>, longest: usize, allowed: fn(u8) -> bool) -> Read<String> {
    parsed(value, at, "a short word belongs here", |text| {
        ((1..=longest).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
    })
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn integer(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn texts(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(text.as_str())).collect())
}

fn write_manifest(manifest: &Manifest) -> Value {
    object([
        ("about", write_about(&manifest.about)),
        ("made_at", Value::String(manifest.made_at.to_string())),
        ("entries", Value::Array(manifest.entries.iter().map(|index| integer(index.0)).collect())),
    ])
}

fn write_about(about: &About) -> Value {
    let kind = ("kind", Value::from(about.kind()));
    match about {
        About::Entries { first, last } => {
            object([kind, ("first", integer(first.0)), ("last", integer(last.0))])
        }
        About::Child { subjects } => {
            let subjects = subjects.iter().map(|subject| Value::from(subject.as_str()));
            object([kind, ("subjects", Value::Array(subjects.collect()))])
        }
        About::Agency { agency } => object([kind, ("agency", Value::from(agency.as_str()))]),
        About::Alert { alert, pattern } => {
            object([kind, ("alert", Value::from(alert.as_str())), ("pattern", Value::from(pattern.as_str()))])
        }
    }
}

fn write_record(record: &BundleRecord) -> Value {
    match record {
        BundleRecord::Stated(record) => write_stated(record),
        BundleRecord::Absent { proof, why } => {
            object([("proof", Value::from(proof.as_str())), ("absent", Value::from(why.as_str()))])
        }
    }
}

fn write_stated(record: &StatedRecord) -> Value {
    let left_out = record.left_out.iter().map(|left_out| {
        object([
            ("digest", Value::String(left_out.digest.to_string())),
            ("why", Value::from(left_out.why.as_str())),
        ])
    });
    object([
        ("proof", Value::from(record.proof.as_str())),
        ("statement", Value::from(record.statement.as_str())),
        ("disclosures", texts(&record.disclosures)),
        ("left_out", Value::Array(left_out.collect())),
    ])
}

fn write_links(links: &SubjectLinks) -> Value {
    let openings = links.links.iter().map(|opening| {
        object([
            ("n", integer(opening.n)),
            ("index", integer(opening.index.0)),
            ("name", Value::String(base64url::encode(&opening.name))),
            ("blinding", Value::String(base64url::encode(&opening.blinding))),
        ])
    });
    object([
        ("subject", Value::from(links.subject.as_str())),
        ("links", Value::Array(openings.collect())),
        ("next", Value::String(base64url::encode(&links.next))),
    ])
}

#[cfg(test)]
mod tests;
