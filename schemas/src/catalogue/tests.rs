use serde_json::{Value, json};

use super::*;
use crate::{Article6, Gateway};

fn standard() -> Value {
    serde_json::to_value(Catalogue::standard()).unwrap()
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

#[test]
fn the_standard_catalogue_has_every_basis_and_is_small() {
    let catalogue = Catalogue::standard();
    assert_eq!(catalogue.items().count(), Catalogue::keys().count());
    assert!(include_str!("../../data/legal.json").len() <= 20 * 1024);
}

#[test]
fn a_catalogue_survives_its_own_text() {
    assert_eq!(Catalogue::read(&standard()), Ok(Catalogue::standard()));
}

#[test]
fn bases_know_their_keys() {
    let safeguarding = LawfulBasis::Article6 {
        code: Article6::RecognisedInterest,
        condition: Some(RecognisedInterest::Safeguarding),
    };
    let keys: Vec<_> = safeguarding.keys().collect();
    assert_eq!(keys, ["Article6.ea", "Article6.ea.Safeguarding"]);
    assert_eq!(Catalogue::standard().items_of(safeguarding).count(), 2);
    let gateway = LawfulBasis::Gateway { code: Gateway::CA1989S47 };
    assert_eq!(gateway.keys().collect::<Vec<_>>(), ["Gateway.CA1989s47"]);
}

/// DOMAIN section 2: `ea` since 5 February 2026; section 16LA may not be commenced.
#[test]
fn bases_are_in_force_from_their_day() {
    let catalogue = Catalogue::standard();
    let in_force = |key: &str, moment| catalogue.item(key).unwrap().in_force(moment);
    assert_eq!(in_force("Article6.ea", Some(at("2026-02-04T23:59:59.999Z"))), Some(false));
    assert_eq!(in_force("Article6.ea", Some(at("2026-02-05T00:00:00Z"))), Some(true));
    assert_eq!(in_force("Article6.ea", None), None);
    assert_eq!(in_force("Gateway.CA2004s16LA", Some(at("2026-06-01T00:00:00Z"))), Some(false));
    assert_eq!(in_force("Gateway.CA2004s16LA", None), Some(false));
    assert_eq!(in_force("Gateway.CA1989s47", None), Some(true));
}

#[test]
fn a_basis_is_in_force_on_its_last_day() {
    let mut data = standard();
    data["bases"]["Gateway.EA2002s175"]["in_force_to"] = json!("2026-03-31");
    let catalogue = Catalogue::read(&data).unwrap();
    let item = catalogue.item("Gateway.EA2002s175").unwrap();
    assert_eq!(item.in_force(Some(at("2026-03-31T23:59:59.999Z"))), Some(true));
    assert_eq!(item.in_force(Some(at("2026-04-01T00:00:00Z"))), Some(false));
    assert_eq!(item.in_force(None), None);
}

/// DOMAIN section 2: a public authority's tasks, Part 3's competent authorities, section 16LA's list.
#[test]
fn agencies_belong_by_scheme_unless_they_are_named() {
    let catalogue = Catalogue::standard();
    let agencies = catalogue.agencies();
    for (agency, public, competent, duty) in [
        ("gss:E06000999", true, false, true),
        ("police:99", true, true, true),
        ("ods:RX999", true, false, true),
        ("gias:999999", true, false, true),
        ("ofsted:EY999", false, false, true),
        ("charity:9999999", false, false, false),
        ("rsh:L9999", false, false, false),
    ] {
        assert_eq!(agencies.public_authorities.has(agency), Some(public), "{agency}");
        assert_eq!(agencies.competent_authorities.has(agency), Some(competent), "{agency}");
        assert_eq!(agencies.duty_to_share.has(agency), Some(duty), "{agency}");
    }
    assert_eq!(agencies.public_authorities.has("unknown"), None);

    let mut data = standard();
    data["agencies"]["public_authorities"]["except"] = json!(["gias:999999"]);
    data["agencies"]["public_authorities"]["also"] = json!(["charity:9999999"]);
    let catalogue = Catalogue::read(&data).unwrap();
    let public = &catalogue.agencies().public_authorities;
    assert_eq!((public.has("gias:999999"), public.has("gias:999998")), (Some(false), Some(true)));
    assert_eq!((public.has("charity:9999999"), public.has("charity:9999998")), (Some(true), Some(false)));
}

#[test]
fn what_is_no_catalogue_is_refused_precisely() {
    type Change = fn(&mut Value);
    let changes: &[(Change, &str, &str)] = &[
        (|c| *c = json!([]), "", "bad_value"),
        (|c| c["extra"] = json!(1), "/extra", "unknown_member"),
        (|c| drop(c.as_object_mut().unwrap().remove("agencies")), "/agencies", "missing_member"),
        (|c| c["bases"] = json!([]), "/bases", "bad_value"),
        (
            |c| drop(c["bases"].as_object_mut().unwrap().remove("Schedule1.P18")),
            "/bases/Schedule1.P18",
            "missing_basis",
        ),
        (
            |c| c["bases"]["Article6.eb"] = c["bases"]["Article6.e"].clone(),
            "/bases/Article6.eb",
            "unknown_basis",
        ),
        (|c| c["bases"]["Jo Bloggs"] = c["bases"]["Article6.e"].clone(), "/bases/*", "unknown_basis"),
        (|c| c["bases"]["Article6.e"]["title"] = json!(" "), "/bases/Article6.e/title", "blank_text"),
        (|c| c["bases"]["Article6.e"]["colour"] = json!(1), "/bases/Article6.e/colour", "unknown_member"),
        (
            |c| c["bases"]["Article6.e"]["in_force_from"] = json!("2026-02-30"),
            "/bases/Article6.e/in_force_from",
            "bad_value",
        ),
        (
            |c| c["bases"]["Article6.ea"]["in_force_to"] = json!("2026-02-04"),
            "/bases/Article6.ea/in_force_to",
            "ends_before_it_begins",
        ),
        (
            |c| c["bases"]["Gateway.CA2004s16LA"]["in_force_to"] = json!("2026-02-04"),
            "/bases/Gateway.CA2004s16LA/in_force_to",
            "ends_without_beginning",
        ),
        (
            |c| c["bases"]["Article6.e"]["see"] = json!(["DfE", "Nobody"]),
            "/bases/Article6.e/see/1",
            "unknown_source",
        ),
        (
            |c| c["agencies"]["duty_to_share"]["schemes"] = json!(["gss", "nhs"]),
            "/agencies/duty_to_share/schemes/1",
            "bad_value",
        ),
        (
            |c| {
                c["agencies"]["duty_to_share"]["also"] = json!(["rsh:L9999"]);
                c["agencies"]["duty_to_share"]["except"] = json!(["gss:E06000999", "rsh:L9999"]);
            },
            "/agencies/duty_to_share/except/1",
            "contradiction",
        ),
    ];
    for (change, path, code) in changes {
        let mut data = standard();
        change(&mut data);
        let error = Catalogue::read(&data).expect_err(path);
        assert_eq!((error.path.as_str(), error.fault.code()), (*path, *code));
    }
}

/// What the schema says is what `read` says, where a schema can say it.
#[test]
fn the_schema_accepts_what_is_read() {
    let schema = schemars::schema_for!(Catalogue).to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&standard()));
    for (pointer, value) in [
        ("/bases/Article6.e/in_force_from", json!("yesterday")),
        ("/bases/Article6.e/title", json!("")),
        ("/agencies/duty_to_share/schemes", json!(["nhs"])),
        ("/bases", json!({})),
        ("/bases/Article6.e/see", json!(1)),
        ("/bases/Article6.e", json!({ "title": "Public task" })),
        ("/sources/DfE", json!({ "title": "Advice", "colour": "red" })),
        ("/agencies/duty_to_share", json!({ "schemes": [], "but": [] })),
        ("/agencies/duty_to_share/schemes", json!(null)),
        ("/bases/Article6.ea/in_force_from", json!(null)),
    ] {
        let mut data = standard();
        *data.pointer_mut(pointer).expect("the member exists") = value;
        assert!(!validator.is_valid(&data), "{pointer}");
        assert!(Catalogue::read(&data).is_err(), "{pointer}");
    }
}
