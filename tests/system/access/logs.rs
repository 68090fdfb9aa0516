//! The program's own log has no token, no pseudonym and nothing that a statement says, however much it logs and however busy it is.

use super::{Scene, texts};
use crate::partnership::{Client, Process, child, decision, path};

#[test]
fn nothing_of_a_token_or_a_statement_stands_in_a_log_at_any_level() {
    let mut scene = Scene::new();
    let reference = scene.child();
    let token = scene.home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    let panel = scene.home.issue("panel-reviewer", "Review 12", &["--child", &reference]);
    scene.server.stop();
    let (data, log) = (scene.home.data(), scene.home.at("trace.log"));
    let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&data)];
    let mut process = Process::tracing(arguments, &log);
    let client = Client::new(&process.listening());
    let statements: Vec<_> = (0..20).map(|day| scene.council.next(&child(day), day)).collect();
    std::thread::scope(|threads| {
        threads.spawn(|| statements.iter().for_each(|one| assert_eq!(client.publish(one).status, 201)));
        for token in [token.as_str(), panel.as_str(), "gt_wrong", &token[..token.len() - 3]] {
            let reader = client.clone().with_token(token);
            let (reference, pseudonym, entry) = (&reference, &scene.pseudonym, scene.entry);
            threads.spawn(move || {
                for _ in 0..10 {
                    reader.get("/v1/decisions");
                    reader.get(&format!("/v1/decisions?child={reference}"));
                    reader.get(&format!("/v1/entries/{entry}"));
                    reader.get(&format!("/v1/children/{pseudonym}/timeline"));
                    reader.get(&format!("/v1/decisions?child={pseudonym}&Marigold=1"));
                    let body = serde_json::json!({"pseudonym": pseudonym}).to_string();
                    reader.post("/v1/subjects", "application/json", body.as_bytes());
                    reader.post("/v1/break-glass", "application/json", body.as_bytes());
                }
            });
        }
    });
    process.signal("TERM");
    process.ended();
    let text = process.log_text();
    assert!(
        text.contains("DEBUG") && text.lines().count() > 500,
        "it logs everything: {}",
        text.lines().count()
    );
    let mut private =
        vec![token.clone(), panel, "gt_wrong".to_owned(), "Marigold".to_owned(), "A. Whitfield".to_owned()];
    private.push(token.rsplit('.').next().expect("a signature").to_owned());
    private.push(token.split('.').nth(1).expect("a payload").to_owned());
    private.extend((0..20).map(child));
    texts(&serde_json::from_str(&decision().to_text()).expect("JSON"), &mut private);
    assert!(private.len() > 40);
    for private in private {
        assert!(!text.contains(&private), "{private:?} stands in the log");
    }
}
