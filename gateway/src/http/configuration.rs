use axum::Json;
use axum::extract::State;
use gt_ledger::Ledger;
use serde_json::{Value, json};

use super::App;

/// `GET /v1/configuration`: the rules in force. Open, since it says nothing of anybody.
pub(super) async fn show(State(app): State<App>) -> Json<Value> {
    Json(in_force(&app.ledger))
}

/// The configuration in force, the entry that sealed it (null if none is sealed and the standard one holds), and the size of
/// the log that says so.
pub(crate) fn in_force(ledger: &Ledger) -> Value {
    // The size first: what is sealed in between may be in the answer, and nothing that the size covers is missing from it.
    let size = ledger.log().size().0;
    let configured = ledger.configured();
    let index = configured.index.map(|index| index.0);
    json!({
        "configuration": configured.configuration.to_json(),
        "entry": index,
        "size": size.max(index.map_or(0, |index| index + 1)),
    })
}
