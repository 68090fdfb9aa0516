//! Tokens through the program: issued, listed, revoked, and refused where they are another ledger's.

use super::Scene;
use crate::partnership::{Home, path, run};

#[test]
fn a_token_is_good_until_it_is_revoked_and_the_running_ledger_knows_at_once() {
    let scene = Scene::new();
    let token = scene.home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    let reader = scene.server.client().with_token(&token);
    assert_eq!(reader.get("/v1/decisions").status, 200);
    let data = scene.home.data();
    let list = run(["token", "list", "--json", "--data", path(&data)]).succeeded().json();
    let issued = list["items"].as_array().expect("a list");
    // The analyst's, which `init` printed, and this one.
    assert_eq!(issued.len(), 2);
    assert_eq!((&issued[1]["subject"], &issued[1]["state"]), (&"A. Whitfield".into(), &"good".into()));
    assert!(!list.to_string().contains(&token));
    let id = issued[1]["id"].as_str().expect("an id");
    run(["token", "revoke", "--data", path(&data), id]).succeeded();
    let refused = reader.get("/v1/decisions");
    assert_eq!((refused.status, refused.problem().as_str()), (401, "token_revoked"));
    let list = run(["token", "list", "--data", path(&data)]).succeeded().stdout;
    assert!(list.contains("revoked") && list.contains("analyst"), "{list}");
    run(["token", "revoke", "--data", path(&data), "unknown"]).exited(1);
}

#[test]
fn another_ledgers_token_and_a_changed_one_are_refused() {
    let (scene, other) = (Scene::new(), Home::new());
    let foreign = other.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    let own = scene.home.issue("auditor", "B. Lindqvist", &[]);
    let parts: Vec<&str> = own.split('.').collect();
    let payload = String::from_utf8(gt_core::base64url::decode(parts[1]).expect("base64url")).expect("UTF-8");
    let raised = gt_core::base64url::encode(payload.replace("Auditor", "Mash").as_bytes());
    let none = gt_core::base64url::encode(br#"{"alg":"none"}"#);
    let symmetric = gt_core::base64url::encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    for wrong in [
        foreign,
        format!("{}.{raised}.{}", parts[0], parts[2]),
        format!("{none}.{raised}."),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{symmetric}.{raised}.{}", parts[2]),
        "A".repeat(7_000),
    ] {
        for path in ["/v1/decisions", "/v1/sharing", &format!("/v1/entries/{}", scene.entry)] {
            let reply = scene.server.client().with_token(&wrong).get(path);
            assert_eq!((reply.status, reply.problem().as_str()), (401, "token_refused"), "{path}");
        }
    }
}

#[test]
fn what_does_not_fit_a_role_is_not_issued() {
    let home = Home::new();
    let data = home.data();
    let issue = |arguments: &[&str]| {
        let all = ["token", "issue", "--data", path(&data), "--subject", "Kim"];
        run(all.iter().chain(arguments)).exited(1).complaint()
    };
    let reference = "AAAAAAAAAAAAAAAAAAAAAA";
    for (arguments, said) in [
        (&["--role", "manager"][..], "name it"),
        (
            &["--role", "mash", "--agency", "police:99"],
            "only a practitioner, a manager and a data protection officer",
        ),
        (&["--role", "panel-reviewer"], "name them"),
        (&["--role", "panel-reviewer", "--child", reference, "--expires", "91d"], "at most 90"),
        (&["--role", "analyst", "--expires", "367d"], "366"),
        (&["--role", "analyst", "--child", reference], "names children"),
    ] {
        let complaint = issue(arguments);
        assert!(complaint.contains(said), "{arguments:?}: {complaint}");
    }
}
