//! How long records are kept: rules of the controllers, as data (DOMAIN section 8). Nothing here ends anything; it says when a period ends.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::calendar::end_of_anniversary;
use super::notation::Whole;
use crate::error::{Expected, Fault, SchemaError};
use crate::json::Json;
use crate::moves::Plan;
use crate::notation::codes;
use crate::reading::{Members, Read};
use crate::time::Time;
use crate::words::AgencyCode;

codes! {
    /// The class of a child's record, by the plans that any agency has recorded. A child may have had several.
    pub enum RetentionClass {
        /// The child was looked after.
        LookedAfter = "CLA",
        /// The child was on a child protection plan.
        ProtectionPlan = "CPP",
        /// The child was on a child in need plan.
        ChildInNeed = "CIN",
        /// No plan was ever recorded.
        Other,
    }
}

codes! {
    /// From when on a period counts. The ledger knows no birth dates. A child is there before anything is sealed about it, so years from
    /// the first entry end no earlier than the birthday of that number; where a child may be known before its birth, add one.
    pub enum CountsFrom {
        /// When the ledger received the controller's first entry about the child.
        FirstEntry,
        /// When it received the controller's last entry about the child.
        LastEntry,
    }
}

/// The most years of a period.
const MOST_YEARS: u32 = 150;
/// The most rules. A statement has room for no more than some hundreds.
const MOST_RULES: usize = 256;

/// How long records are kept. Where no rule fits, a record is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// The rules, in the order in which they were written.
    pub rules: Vec<RetentionRule>,
}

/// How long one controller, or any, keeps records of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RetentionRule {
    /// The agency; any that has no rule of its own for the class, if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller: Option<AgencyCode>,
    /// The class.
    pub class: RetentionClass,
    /// From when on the years count.
    pub counts_from: CountsFrom,
    /// After how many years what was disclosed ends: texts, names, the pseudonym.
    pub texts_years: u32,
    /// After how many years the signed statements end too, no fewer than those of the texts; never, if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records_years: Option<u32>,
}

impl RetentionClass {
    /// The class that a plan makes.
    pub const fn of(plan: Plan) -> Self {
        match plan {
            Plan::LookedAfter => Self::LookedAfter,
            Plan::ProtectionPlan => Self::ProtectionPlan,
            Plan::ChildInNeed => Self::ChildInNeed,
            Plan::None => Self::Other,
        }
    }
}

impl Retention {
    /// The rule that holds for a controller's records of a class, with its place in the list: the controller's own, else that of any.
    pub fn rule(&self, controller: &str, class: RetentionClass) -> Option<(usize, &RetentionRule)> {
        let of_class = || self.rules.iter().enumerate().filter(|(_, rule)| rule.class == class);
        let own = of_class()
            .find(|(_, rule)| rule.controller.as_ref().is_some_and(|own| own.as_str() == controller));
        own.or_else(|| of_class().find(|(_, rule)| rule.controller.is_none()))
    }
}

impl RetentionRule {
    /// When the texts end, of a record whose entries by the controller reach from `first` to `last`: as the day ends in London on which
    /// the years are full. Whoever began on 29 February has until the end of that month in a year without one.
    pub fn texts_end(&self, first: Time, last: Time) -> Time {
        end_of_anniversary(self.from(first, last), self.texts_years)
    }

    /// When the records end; none if they do not.
    pub fn records_end(&self, first: Time, last: Time) -> Option<Time> {
        self.records_years.map(|years| end_of_anniversary(self.from(first, last), years))
    }

    const fn from(&self, first: Time, last: Time) -> Time {
        match self.counts_from {
            CountsFrom::FirstEntry => first,
            CountsFrom::LastEntry => last,
        }
    }
}

impl Read for RetentionRule {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let mut members =
            Members::of(value, &["controller", "class", "counts_from", "texts_years", "records_years"])?;
        let rule = Self {
            controller: members.take("controller")?,
            class: members.take("class")?,
            counts_from: members.take("counts_from")?,
            texts_years: members.take::<Whole<1, MOST_YEARS>>("texts_years")?.into(),
            records_years: members.take::<Option<Whole<1, MOST_YEARS>>>("records_years")?.map(u32::from),
        };
        members.finish()?;
        if rule.records_years.is_some_and(|years| years < rule.texts_years) {
            let expected = "records that are kept as long as their texts, or longer";
            return Err(Fault::Contradiction { expected }.here().within("records_years"));
        }
        Ok(rule)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl JsonSchema for RetentionRule {
    fn schema_name() -> Cow<'static, str> {
        "RetentionRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let years = |about: &str| json_schema!({"description": about, "type": "integer", "minimum": 1, "maximum": MOST_YEARS});
        let mut controller = AgencyCode::schema(generator);
        controller.insert(
            "description".to_owned(),
            "The agency whose records these are; any that has no rule of its own for the class, if none is named.".into(),
        );
        json_schema!({
            "description": "How long one controller, or any, keeps records of one class.",
            "type": "object",
            "properties": {
                "controller": controller,
                "class": RetentionClass::schema(generator),
                "counts_from": CountsFrom::schema(generator),
                "texts_years": years("After how many years what was disclosed ends: texts, names, the pseudonym."),
                "records_years": years(
                    "After how many years the signed statements end too, no fewer than those of the texts; never, if nothing is said.",
                ),
            },
            "required": ["class", "counts_from", "texts_years"],
            "additionalProperties": false,
        })
    }
}

impl Read for Retention {
    fn read(value: Json<'_>) -> Result<Self, SchemaError> {
        let mut members = Members::of(value, &["rules"])?;
        let rules: Vec<RetentionRule> = members.take("rules")?;
        members.finish()?;
        if rules.len() > MOST_RULES {
            let expected = Expected::Form("at most 256 rules");
            return Err(Fault::BadValue { expected }.here().within("rules"));
        }
        for (index, rule) in rules.iter().enumerate() {
            let same =
                |other: &RetentionRule| (&other.controller, other.class) == (&rule.controller, rule.class);
            if rules[..index].iter().any(same) {
                let expected = "one rule for a controller and a class";
                return Err(Fault::Contradiction { expected }.here().within_index(index).within("rules"));
            }
        }
        Ok(Self { rules })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl JsonSchema for Retention {
    fn schema_name() -> Cow<'static, str> {
        "Retention".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How long records are kept. Where no rule fits, a record is kept.",
            "type": "object",
            "properties": {"rules": {
                "description": "One rule for a controller and a class.",
                "type": "array",
                "maxItems": MOST_RULES,
                "items": RetentionRule::schema(generator),
            }},
            "required": ["rules"],
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn time(text: &str) -> Time {
        text.parse().expect("a time")
    }

    fn rule(counts_from: CountsFrom, texts_years: u32, records_years: Option<u32>) -> RetentionRule {
        RetentionRule {
            controller: None,
            class: RetentionClass::Other,
            counts_from,
            texts_years,
            records_years,
        }
    }

    #[test]
    fn a_period_ends_with_the_day_in_london_on_which_its_years_are_full() {
        let first = rule(CountsFrom::FirstEntry, 75, Some(78));
        let (from, last) = (time("2026-03-01T09:00:00Z"), time("2031-07-15T23:30:00Z"));
        assert_eq!(first.texts_end(from, last), time("2101-03-02T00:00:00Z"));
        assert_eq!(first.records_end(from, last), Some(time("2104-03-02T00:00:00Z")));
        // It is the 16th in London already, and summer when the day ends.
        let last_entry = rule(CountsFrom::LastEntry, 3, None);
        assert_eq!(last_entry.texts_end(from, last), time("2034-07-16T23:00:00Z"));
        assert_eq!(last_entry.records_end(from, last), None);
        // A day that the year lacks: the end of February, which is when 1 March begins. A leap year has it.
        let leap = time("2024-02-29T12:00:00Z");
        assert_eq!(
            rule(CountsFrom::FirstEntry, 75, None).texts_end(leap, leap),
            time("2099-03-01T00:00:00Z")
        );
        assert_eq!(rule(CountsFrom::FirstEntry, 4, None).texts_end(leap, leap), time("2028-03-01T00:00:00Z"));
        assert_eq!(rule(CountsFrom::FirstEntry, 150, None).texts_end(Time::MAX, Time::MAX), Time::MAX);
    }

    #[test]
    fn a_controllers_own_rule_goes_before_that_of_any_and_no_rule_is_none() {
        let rules = json!({"rules": [
            {"class": "CLA", "counts_from": "FirstEntry", "texts_years": 75},
            {"controller": "gss:E06000999", "class": "CLA", "counts_from": "FirstEntry", "texts_years": 80, "records_years": 80},
            {"controller": "gss:E06000999", "class": "CIN", "counts_from": "LastEntry", "texts_years": 21},
        ]});
        let retention = Retention::read_value(&rules).expect("rules");
        assert_eq!(json!(retention), rules);
        let years = |controller: &str, class| {
            retention.rule(controller, class).map(|(place, rule)| (place, rule.texts_years))
        };
        assert_eq!(years("gss:E06000999", RetentionClass::LookedAfter), Some((1, 80)));
        assert_eq!(years("police:99", RetentionClass::LookedAfter), Some((0, 75)));
        assert_eq!(years("police:99", RetentionClass::ChildInNeed), None);
        assert_eq!(years("gss:E06000999", RetentionClass::Other), None);
    }

    #[test]
    fn rules_that_contradict_each_other_are_refused() {
        let one = |records: u32| json!({"class": "CLA", "counts_from": "FirstEntry", "texts_years": 75, "records_years": records});
        let refused =
            |rules: serde_json::Value| Retention::read_value(&json!({"rules": rules})).expect_err("refused");
        assert_eq!(refused(json!([one(75), one(76)])).path, "/rules/1");
        assert_eq!(refused(json!([one(74)])).path, "/rules/0/records_years");
        assert_eq!(refused(json!([one(151)])).path, "/rules/0/records_years");
        assert_eq!(refused(json!([one(0)])).path, "/rules/0/records_years");
        assert_eq!(Retention::read_value(&json!({})).expect_err("no rules").path, "/rules");
    }
}
