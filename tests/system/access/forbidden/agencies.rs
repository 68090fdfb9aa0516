//! What is another agency's, another child's, or for another role.

use serde_json::json;

use super::grounds::Grounds;
use super::{Attempt, Forbidden, Must, refused};

const NO: &[u16] = &[403];

pub(super) fn list(grounds: &Grounds) -> Vec<Forbidden> {
    [
        of_another_agency(grounds),
        restricted(grounds),
        of_other_roles(grounds),
        counts(grounds),
        cursors(grounds),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn empty(name: String, attempt: Attempt) -> Forbidden {
    Forbidden { name, attempt, must: Must::BeEmpty }
}

/// An agency that has nothing to do with it, by every route that shows disclosures or rows.
fn of_another_agency(grounds: &Grounds) -> Vec<Forbidden> {
    let (child, entry) = (&grounds.child, grounds.scene.entry);
    let mut list = Vec::new();
    for (who, token) in [
        ("a manager of another agency", &grounds.stranger),
        ("a practitioner of another agency who names the child", &grounds.practitioner),
        ("a panel on another child", &grounds.panel),
    ] {
        for target in [
            format!("/v1/entries/{entry}"),
            format!("/v1/decisions/{entry}"),
            format!("/v1/children/{child}/timeline"),
            format!("/v1/children/{child}/episodes"),
        ] {
            list.push(refused(
                format!("{who}: GET {target}"),
                Attempt::get(&target, token),
                NO,
                "outside_scope",
            ));
        }
        for target in [
            "/v1/decisions",
            "/v1/decisions?agency=gss:E06000999",
            "/v1/decisions?newest_first=true&limit=500",
            "/v1/decisions?as_of=2099-01-01T00:00:00Z",
            "/v1/requests",
            "/v1/findings",
            "/v1/episodes",
            "/v1/decisions?format=json",
            // Page by page, nobody counts what others have.
            "/v1/decisions?limit=1",
            "/v1/decisions?agency=gss:E06000999&limit=1",
            "/v1/episodes?limit=1",
        ] {
            list.push(empty(format!("{who}: GET {target}"), Attempt::get(target, token)));
        }
        for target in
            ["/v1/contexts", "/v1/persons", "/v1/stream"].into_iter().chain(["/v1/publishers/../decisions"])
        {
            list.push(refused(format!("{who}: GET {target}"), Attempt::get(target, token), &[403, 404], ""));
        }
        let ask = json!({"child": child, "purpose": "CaseWork", "hours": 8}).to_string();
        let name = format!("{who}: asks for approval for a child of others'");
        list.push(refused(name, Attempt::post("/v1/break-glass", token, &ask), NO, "outside_scope"));
        let known = json!({"pseudonym": grounds.scene.pseudonym}).to_string();
        let unknown = json!({"pseudonym": crate::partnership::child(999)}).to_string();
        list.push(Forbidden {
            name: format!("{who}: asks whether a child is known"),
            attempt: Attempt::post("/v1/subjects", token, &known),
            must: Must::BeAs(Attempt::post("/v1/subjects", token, &unknown)),
        });
    }
    for token in [&grounds.stranger, &grounds.practitioner] {
        for target in [
            format!("/v1/children/{child}/identities"),
            format!("/v1/children/{child}/accesses"),
            format!("/v1/bundles?child={child}"),
        ] {
            list.push(refused(
                format!("an agency: GET {target}"),
                Attempt::get(&target, token),
                NO,
                "role_not_allowed",
            ));
        }
        let bundle = json!({"child": child}).to_string();
        list.push(refused(
            "an agency: a bundle",
            Attempt::post("/v1/bundles", token, &bundle),
            NO,
            "role_not_allowed",
        ));
    }
    let bundle = json!({"child": child}).to_string();
    list.push(refused(
        "a panel: a bundle about another child",
        Attempt::post("/v1/bundles", &grounds.panel, &bundle),
        NO,
        "outside_scope",
    ));
    list
}

/// A restricted record, by naming the child and by naming nobody.
fn restricted(grounds: &Grounds) -> Vec<Forbidden> {
    let (child, entry) = (&grounds.hidden, grounds.hidden_entry);
    let mut list = Vec::new();
    for (who, token) in [("the hub", &grounds.mash), ("its own agency", &grounds.council)] {
        for target in [
            format!("/v1/entries/{entry}"),
            format!("/v1/entries/{}", entry + 1),
            format!("/v1/decisions/{entry}"),
            format!("/v1/children/{child}/timeline"),
            format!("/v1/children/{child}/timeline?as_of=2026-01-01T00:00:00Z"),
            format!("/v1/children/{child}/episodes"),
        ] {
            let name = format!("{who}, of a restricted record: GET {target}");
            list.push(refused(name, Attempt::get(&target, token), NO, "record_restricted"));
        }
        let target = format!("/v1/decisions?child={child}");
        let name = format!("{who}, of a restricted record: GET {target}");
        list.push(refused(name, Attempt::get(&target, token), NO, "record_restricted"));
    }
    for token in [&grounds.mash, &grounds.officer] {
        let bundle = json!({"child": child}).to_string();
        list.push(refused(
            "a bundle about a restricted record",
            Attempt::post("/v1/bundles", token, &bundle),
            NO,
            "record_restricted",
        ));
        let range = json!({"from": entry, "to": entry + 1}).to_string();
        list.push(refused(
            "a bundle of the entries of a restricted record",
            Attempt::post("/v1/bundles", token, &range),
            &[400, 403],
            "",
        ));
    }
    list
}

fn of_other_roles(grounds: &Grounds) -> Vec<Forbidden> {
    let (child, entry) = (&grounds.child, grounds.scene.entry);
    let mut list = vec![
        refused(
            "an analyst: texts",
            Attempt::get(&format!("/v1/entries/{entry}"), &grounds.analyst),
            NO,
            "approval_needed",
        ),
        refused(
            "an analyst: who looked",
            Attempt::get(&format!("/v1/children/{child}/accesses"), &grounds.analyst),
            NO,
            "role_not_allowed",
        ),
        refused(
            "an analyst: a bundle",
            Attempt::get(&format!("/v1/bundles?child={child}"), &grounds.analyst),
            NO,
            "role_not_allowed",
        ),
        refused(
            "an analyst: who waits for approval",
            Attempt::get("/v1/break-glass", &grounds.analyst),
            NO,
            "role_not_allowed",
        ),
        refused(
            "the hub: for another purpose than the token's",
            Attempt::new("GET", "/v1/decisions", &[&super::bearer(&grounds.mash), "gt-purpose: Audit"], ""),
            NO,
            "purpose_not_allowed",
        ),
        refused(
            "the hub: for two purposes",
            Attempt::new(
                "GET",
                "/v1/decisions",
                &[&super::bearer(&grounds.mash), "gt-purpose: CaseWork", "gt-purpose: Audit"],
                "",
            ),
            &[400],
            "purpose_unknown",
        ),
    ];
    for (who, token) in [("an auditor", &grounds.auditor), ("an administrator", &grounds.administrator)] {
        for target in [
            format!("/v1/entries/{entry}"),
            "/v1/decisions".to_owned(),
            format!("/v1/decisions/{entry}"),
            format!("/v1/children/{child}/timeline"),
            format!("/v1/children/{child}/identities"),
            "/v1/episodes".to_owned(),
            "/v1/findings".to_owned(),
            "/v1/alerts".to_owned(),
            "/v1/stream".to_owned(),
        ] {
            list.push(refused(
                format!("{who}: GET {target}"),
                Attempt::get(&target, token),
                NO,
                "role_not_allowed",
            ));
        }
        let known = json!({"pseudonym": grounds.scene.pseudonym}).to_string();
        list.push(refused(
            format!("{who}: a child's reference"),
            Attempt::post("/v1/subjects", token, &known),
            NO,
            "role_not_allowed",
        ));
    }
    list
}

/// Counts of few, and counts of spans that differ by one case.
fn counts(grounds: &Grounds) -> Vec<Forbidden> {
    let auditor = &grounds.auditor;
    let mut list = Vec::new();
    for target in [
        "/v1/sharing?since=2026-01-05T00:00:00Z",
        "/v1/sharing?since=2026-01-05T00:00:00Z&until=2026-01-06T00:00:00Z",
        "/v1/sharing?until=2026-01-06T00:00:00Z",
        "/v1/sharing?as_of=2026-01-06T00:00:00Z",
        "/v1/sharing/agencies?as_of=2026-01-06T00:00:00Z",
        "/v1/sharing/agencies?since=2026-01-05T00:00:00Z",
        "/v1/findings/agencies?from=2026-01-05T00:00:00Z",
        "/v1/findings/agencies?to=2026-01-06T00:00:00Z",
        "/v1/findings/agencies?as_of=2026-01-06T00:00:00Z",
        "/v1/agreements?review_before=2026-01-01T00:00:00Z",
        "/v1/agreements?as_of=2026-01-01T00:00:00Z",
    ] {
        list.push(refused(
            format!("an auditor: GET {target}"),
            Attempt::get(target, auditor),
            NO,
            "counts_of_all_only",
        ));
    }
    for target in [
        "/v1/sharing",
        "/v1/sharing?from=gss:E06000999",
        "/v1/sharing?sort=shares",
        "/v1/sharing?limit=1",
        "/v1/sharing/agencies",
        "/v1/sharing/agencies?from=gss:E06000999",
        "/v1/findings/agencies",
    ] {
        list.push(Forbidden {
            name: format!("an auditor: GET {target}"),
            attempt: Attempt::get(target, auditor),
            must: Must::BeCountsOfMany,
        });
    }
    list
}

/// Somebody else's place in a list widens nothing, and no place is one that the ledger did not give.
fn cursors(grounds: &Grounds) -> Vec<Forbidden> {
    let cursor = &grounds.cursor;
    let mut list: Vec<Forbidden> =
        [("somebody else's cursor", &grounds.stranger), ("a cursor under another role", &grounds.officer)]
            .map(|(name, token)| {
                let target = format!("/v1/decisions?cursor={cursor}");
                refused(name, Attempt::get(&target, token), &[400], "bad_cursor")
            })
            .into();
    list.push(refused(
        "a cursor of another list",
        Attempt::get(&format!("/v1/requests?cursor={cursor}"), &grounds.mash),
        &[400],
        "bad_cursor",
    ));
    for (name, cursor) in [
        ("a changed cursor", cursor.replace(|letter: char| letter.is_ascii_lowercase(), "x")),
        ("a cursor with a little more", format!("{cursor}AAAA")),
        ("a cursor that is none", "AAAA".to_owned()),
        ("a cursor of zeros", "%00%00".to_owned()),
        ("an endless cursor", "A".repeat(8_000)),
    ] {
        let target = format!("/v1/decisions?cursor={cursor}");
        list.push(refused(name, Attempt::get(&target, &grounds.mash), &[400], "bad_cursor"));
    }
    list
}
