//! The exemptions from the right of access, and the rules by which the record suggests them. Both are data: `exemptions.json`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::Facts;

const TEXT: &str = include_str!("exemptions.json");

/// The catalogue. A test reads it whole, so that it cannot be wrong in the program.
pub(crate) static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("the program's own catalogue reads"));

/// Exemptions and rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    pub(crate) exemptions: Vec<Exemption>,
    pub(super) rules: Vec<Rule>,
}

/// Something that may stand against disclosure. Whether it does, a person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exemption {
    pub(crate) code: String,
    pub(crate) title: String,
    /// Act or regulation, with its sections or paragraphs.
    pub(crate) law: String,
    /// What the person who decides asks.
    pub(crate) ask: String,
    /// Whether saying that it applies may do the harm that it is against, so that it may be relied on in silence.
    pub(crate) may_be_silent: bool,
    /// The code under which `subject_access.received` records it; none if that has no code for it.
    pub(crate) recorded_as: Option<String>,
}

/// A fact in the record, and the exemption that it suggests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) exemption: String,
    pub(super) because: String,
    when: When,
}

/// The fact: all that is named must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct When {
    /// `statement` or `disclosure`; both if nothing is said.
    kind: Option<Kind>,
    /// Whose it is.
    of: Option<Whose>,
    /// The statement's type is one of these.
    types: Vec<String>,
    /// The agency's code has one of these schemes.
    schemes: Vec<String>,
    /// It is a disclosure of one of these members.
    members: Vec<String>,
    /// It is a disclosure of none of these.
    not_members: Vec<String>,
    /// A code in the clear.
    clear: Option<Code>,
    /// A code in what is disclosed.
    value: Option<Code>,
    /// A restriction of the record is in force, on one of these grounds.
    restricted: Vec<String>,
}

/// A statement as a whole, or something that it discloses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Statement,
    Disclosure,
}

/// Of whom something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whose {
    Subject,
    Another,
}

impl Whose {
    /// How sentences name the child of such a statement.
    pub(super) const fn child(self) -> &'static str {
        match self {
            Self::Subject => "the child",
            Self::Another => "another child",
        }
    }
}

/// A place in JSON, whose `*` stands for any element, and the codes that are looked for there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    path: String,
    is: Vec<String>,
}

impl Catalogue {
    pub(crate) fn exemption(&self, code: &str) -> Option<&Exemption> {
        self.exemptions.iter().find(|one| one.code == code)
    }

    /// Whether any rule can suggest this exemption. What nothing in a record shows, no rule can.
    pub(super) fn is_ruled(&self, exemption: &str) -> bool {
        self.rules.iter().any(|rule| rule.exemption == exemption)
    }

    /// What of this the rules suggest: each rule, with what it found.
    pub(super) fn marks<'c>(&'c self, facts: &'c Facts<'_>) -> impl Iterator<Item = (&'c Rule, String)> {
        self.rules.iter().filter_map(|rule| Some((rule, rule.when.found(facts)?)))
    }
}

impl When {
    /// What of the record meets it, in words; nothing if it is not met.
    fn found(&self, facts: &Facts<'_>) -> Option<String> {
        let one_of = |list: &[String], found: Option<&str>| {
            list.is_empty() || found.is_some_and(|found| list.iter().any(|one| one == found))
        };
        let fits = self.kind.is_none_or(|kind| kind == facts.kind)
            && self.of.is_none_or(|whose| whose == facts.whose)
            && one_of(&self.types, Some(facts.event_type))
            && one_of(&self.schemes, facts.agency.split(':').next())
            && one_of(&self.members, facts.member)
            && !facts.member.is_some_and(|member| self.not_members.iter().any(|one| one == member));
        if !fits {
            return None;
        }
        let mut found = Vec::new();
        for (code, holder, within) in
            [(&self.clear, facts.clear, ""), (&self.value, facts.value, facts.member.unwrap_or_default())]
        {
            if let Some(code) = code {
                let (place, is) = code.found(holder?)?;
                let within = if within.is_empty() { String::new() } else { format!("/{within}") };
                found.push(format!("{within}{place} is {is}"));
            }
        }
        if !self.restricted.is_empty() {
            let (entry, ground) =
                facts.restrictions.iter().find(|(_, ground)| self.restricted.contains(ground))?;
            found.push(format!("entry {entry} restricts the record, on the ground {ground}"));
        }
        if found.is_empty() {
            found.push(match facts.member {
                Some(member) if self.members.is_empty() => format!("what the member {member} names"),
                Some(member) => format!("the member {member}"),
                None if self.of == Some(Whose::Another) => "the child of the statement is another".to_owned(),
                None if !self.schemes.is_empty() => format!("the agency is {}", facts.agency),
                None => format!("the type is {}", facts.event_type),
            });
        }
        Some(found.join(", and "))
    }
}

impl Code {
    fn found(&self, within: &Value) -> Option<(String, String)> {
        let steps: Vec<&str> = self.path.split('/').skip(1).collect();
        let mut place = String::new();
        self.walk(within, &steps, &mut place).map(|is| (place, is))
    }

    fn walk(&self, value: &Value, steps: &[&str], place: &mut String) -> Option<String> {
        let Some((step, rest)) = steps.split_first() else {
            let is = value.as_str().filter(|found| self.is.iter().any(|one| one == found));
            return is.map(ToOwned::to_owned);
        };
        let mut enter = |name: &str, value: &Value| {
            let before = place.len();
            place.push('/');
            place.push_str(name);
            let found = self.walk(value, rest, place);
            if found.is_none() {
                place.truncate(before);
            }
            found
        };
        match step {
            &"*" => {
                let elements = value.as_array()?.iter().enumerate();
                elements.into_iter().find_map(|(at, element)| enter(&at.to_string(), element))
            }
            name => enter(name, value.get(name)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gt_schemas::{EventType, Place, RestrictionGround, Shape, json_schema, members};

    use super::*;

    /// The codes that may stand at a path of a schema.
    fn codes_at(schema: &Value, at: &Value, steps: &[&str], into: &mut BTreeSet<String>) {
        if let Some(name) = at.get("$ref").and_then(Value::as_str) {
            let name = name.trim_start_matches("#/$defs/");
            return codes_at(schema, &schema["$defs"][name], steps, into);
        }
        for alternative in ["oneOf", "anyOf"].iter().filter_map(|name| at.get(name)?.as_array()).flatten() {
            codes_at(schema, alternative, steps, into);
        }
        match steps.split_first() {
            None => {
                let listed = at.get("enum").and_then(Value::as_array).into_iter().flatten();
                into.extend(listed.chain(at.get("const")).filter_map(Value::as_str).map(ToOwned::to_owned));
            }
            Some((&"*", rest)) => {
                if let Some(items) = at.get("items") {
                    codes_at(schema, items, rest, into);
                }
            }
            Some((name, rest)) => {
                if let Some(member) = at.get("properties").and_then(|members| members.get(name)) {
                    codes_at(schema, member, rest, into);
                }
            }
        }
    }

    fn all_codes(path: &str, of: Option<&str>) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        for event_type in EventType::ALL.iter().filter(|one| of.is_none_or(|of| one.as_str() == of)) {
            let schema = json_schema(*event_type, Shape::Draft);
            codes_at(&schema, &schema, &steps, &mut codes);
        }
        codes
    }

    #[test]
    fn every_rule_names_what_there_is() {
        let catalogue = &*CATALOGUE;
        let disclosable: BTreeSet<&str> = EventType::ALL
            .iter()
            .flat_map(|event_type| members(*event_type))
            .filter(|member| member.place != Place::Clear)
            .map(|member| member.name)
            .collect();
        let mut ids = BTreeSet::new();
        for Rule { id, exemption, because, when } in &catalogue.rules {
            assert!(ids.insert(id), "{id} stands twice");
            assert!(catalogue.exemption(exemption).is_some() && !because.is_empty(), "{id}");
            for name in when.members.iter().chain(&when.not_members) {
                assert!(disclosable.contains(name.as_str()), "{id}: no member {name}");
            }
            for name in &when.types {
                assert!(EventType::parse(name).is_some(), "{id}: no type {name}");
            }
            for scheme in &when.schemes {
                let known = ["gss", "ods", "police", "gias", "charity", "rsh", "ofsted"];
                assert!(known.contains(&scheme.as_str()), "{id}: no scheme {scheme}");
            }
            for ground in &when.restricted {
                assert!(RestrictionGround::parse(ground).is_some(), "{id}: no ground {ground}");
            }
            if let Some(Code { path, is }) = &when.clear {
                let only = if let [only] = &when.types[..] { Some(only.as_str()) } else { None };
                let codes = all_codes(path, only);
                for code in is {
                    assert!(codes.contains(code), "{id}: {path} is never {code}, but {codes:?}");
                }
            }
            if let Some(Code { path, is }) = &when.value {
                let anywhere: BTreeSet<String> = disclosable
                    .iter()
                    .flat_map(|member| ["", "/*"].map(|element| format!("/{member}{element}{path}")))
                    .flat_map(|path| all_codes(&path, None))
                    .collect();
                assert!(is.iter().all(|code| anywhere.contains(code)), "{id}: {is:?}, but {anywhere:?}");
            }
        }
        assert!(ids.len() > 30);
    }

    #[test]
    fn every_exemption_says_its_law_and_is_recorded_under_a_code_that_there_is() {
        let (mut codes, catalogue) = (BTreeSet::new(), &*CATALOGUE);
        let unruled: Vec<&str> = catalogue
            .exemptions
            .iter()
            .map(|one| one.code.as_str())
            .filter(|code| !catalogue.is_ruled(code))
            .collect();
        // docs/data-protection/subject-access.md names them.
        assert_eq!(unruled, ["SpecialNeeds", "Negotiations", "References", "NationalSecurity"]);
        for one in &catalogue.exemptions {
            assert!(codes.insert(&one.code), "{} stands twice", one.code);
            assert!(
                one.law.contains("DPA 2018") && one.ask.len() > 20 && !one.title.is_empty(),
                "{}",
                one.code
            );
            if let Some(code) = &one.recorded_as {
                assert!(gt_schemas::Exemption::parse(code).is_some(), "{code}");
            }
        }
    }
}
