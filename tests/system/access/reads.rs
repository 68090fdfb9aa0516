//! Every read is sealed, and shown to who asks who looked.

use super::Scene;
use crate::partnership::{eventually, path, private_file, run};

#[test]
fn who_looked_is_told_with_the_name_and_the_log_with_it_is_sound() {
    let scene = Scene::new();
    let child = scene.child();
    let before = scene.server.client().size();
    let hub = scene.server.of_the_hub(&scene.home);
    assert_eq!(hub.get(&format!("/v1/children/{child}/timeline")).status, 200);
    assert_eq!(hub.get(&format!("/v1/entries/{}", scene.entry)).status, 200);
    assert_eq!(hub.get("/v1/decisions").status, 200);
    assert_eq!(scene.server.client().size(), before + 3, "each is sealed before it is answered");
    let token = scene.home.at("officer");
    let officer = scene.home.issue("data-protection-officer", "C. Moreau", &["--purpose", "SubjectRights"]);
    private_file(&token, &officer);
    let asked = || {
        let at = ["--url", &scene.server.url, "--token-file", path(&token), "--json"];
        run(["query", "accesses", "--child", &child].iter().chain(&at)).succeeded().json()
    };
    let mut items = Vec::new();
    eventually("the views have it", || {
        items = asked()["items"].as_array().expect("a list").clone();
        items.iter().any(|item| item["what"] == "Texts")
    });
    // The look-up of the reference, the timeline, the texts, by the hub; the list of all decisions is no one child's.
    let by_the_hub: Vec<&str> = items
        .iter()
        .filter(|item| item["reader"] == "A. Whitfield")
        .filter_map(|item| item["what"].as_str())
        .collect();
    assert_eq!(by_the_hub, ["Identity", "Timeline", "Texts"]);
    assert!(items.iter().all(|item| item["agency"] == "ledger:service"), "{items:?}");
    let data = scene.home.data();
    let reads = scene.server.client().reads();
    assert!(reads >= 5, "{reads}");
    // Not even the one who looks at who looked goes unseen.
    eventually("the views have that too", || {
        asked()["items"].as_array().expect("a list").iter().any(|item| item["reader"] == "C. Moreau")
    });
    // Nor the one who takes one entry of the child's out of the folder.
    let (out, entry) = (scene.home.at("entry.bundle.json"), scene.entry.to_string());
    let bundle =
        ["bundle", "--data", path(&data), "--entries", &entry, "--without", "child", "--purpose", "Review"];
    run([&bundle[..], &["--reader", "D. Osei", "--out", path(&out)]].concat()).succeeded();
    eventually("the views have that too", || {
        let of_the_folder =
            |item: &serde_json::Value| item["reader"] == "D. Osei" && item["what"] == "Bundle";
        asked()["items"].as_array().expect("a list").iter().any(of_the_folder)
    });
    scene.server.stop();
    let report = run(["fsck", "--json", "--data", path(&data)]).succeeded().json();
    assert_eq!(report["verdict"], "sound", "{report}");
}

/// A practitioner is in the child's only decision, so its links might be the practitioner's; that it was read is about the child alone.
#[test]
fn a_child_of_one_decision_is_told_apart_by_the_reading_itself() {
    for is_asked in [false, true] {
        let scene = Scene::new();
        let (data, pin, token) = (scene.home.data(), scene.home.pin_file(), scene.home.at("hub"));
        private_file(&token, &scene.home.issue("mash", "A. Whitfield", &["--purpose", "Review"]));
        let place = if is_asked {
            ["--url", &scene.server.url, "--token-file", path(&token)]
        } else {
            ["--data", path(&data), "--purpose", "Review"]
        };
        let (out, size) = (scene.home.at("child.bundle.json"), scene.server.client().size());
        let bundle = ["bundle", "--child", &scene.pseudonym, "--out", path(&out)];
        run([&bundle[..], &place].concat()).succeeded();
        run(["verify", path(&out), "--pin", path(&pin), "--log", &scene.server.url]).exited(0);
        let readings = if is_asked { 2 } else { 1 };
        assert_eq!(scene.server.client().size(), size + readings);
        scene.server.stop();
    }
}

#[test]
fn without_its_service_key_a_ledger_answers_nothing_about_people() {
    let scene = Scene::new();
    let token = scene.home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    scene.server.stop();
    std::fs::remove_file(scene.home.secret("service.jwk")).expect("removed");
    let server = scene.home.serve();
    let reader = server.client().with_token(&token);
    let refused = reader.get("/v1/decisions");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "not_recorded"));
    assert_eq!(reader.get("/v1/sharing").status, 200, "counts are about nobody");
    assert_eq!(server.client().get(&format!("/v1/entries/{}", scene.entry)).status, 200);
    // Another key in its place signs nothing that the ledger would take.
    std::fs::copy(scene.home.secret("recovery.jwk"), scene.home.secret("service.jwk")).expect("copied");
    server.stop();
    let server = scene.home.serve();
    let refused = server.client().with_token(&token).get("/v1/decisions");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "not_recorded"));
    server.stop();
}

#[test]
fn many_readers_at_once_share_batches_and_are_all_sealed() {
    let scene = Scene::new();
    let token = scene.home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    let before = scene.server.client().reads();
    let reader = scene.server.client().with_token(&token);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            let reader = reader.clone();
            threads.spawn(move || {
                for _ in 0..25 {
                    let reply = reader.get("/v1/decisions");
                    assert_eq!(reply.status, 200, "{}", reply.text());
                }
            });
        }
    });
    assert_eq!(scene.server.client().reads(), before + 200);
    let integrity = scene.server.client().with_token(&token).get("/v1/integrity");
    assert_eq!(integrity.json()["items"], serde_json::json!([]));
    scene.server.stop();
}
