//! The list of all routes. Whatever is not in it is neither served nor documented.

use gt_projections::Pattern;
use serde_json::json;

use super::route::{Parameter, Route, codes, component, hash, number, reference, text};
use super::{
    advice, break_glass, configuration, decision, healthy, log, openapi, publishers, ready, statements,
    stream, views,
};

/// Every route.
pub(super) fn all() -> Vec<Route> {
    [publishing(), ledger(), asking(), views::routes(), access(), alerts(), tiles(), service()]
        .into_iter()
        .flatten()
        .collect()
}

fn publishing() -> Vec<Route> {
    let sd_jwt =
        json!({"type": "string", "description": "A compact SD-JWT with all its disclosures: `H.P.S~D~…~`."});
    let receipt = json!({"type": "string", "description": "The receipt: a C2SP tlog-proof whose extra line is the entry."});
    vec![
        Route::post("/v1/statements", statements::publish)
            .about("publishing", "Publish statements; the answer is their receipts.")
            .described(
                "One statement as `application/sd-jwt`, or up to 1,000 as NDJSON, each a JSON string. NDJSON is answered with a line for each, in order, \
                 whatever came of it. Publishing needs a registered key and no token. Problems have the code of the rule that was broken, and those of \
                 status 503 ask for the same bytes again.",
            )
            .body("application/sd-jwt", sd_jwt)
            .body("application/x-ndjson", text())
            .at_most(statements::MAX_NDJSON_BYTES)
            .answers(201, "It is sealed now.", "text/plain", receipt.clone())
            .answers(200, "It was sealed before.", "text/plain", receipt)
            .answers(200, "A line for each statement.", "application/x-ndjson", component("PublishedLine"))
            .problem(400, "bad_request")
            .problem(403, "bad_signature")
            .problem(403, "wrong_key")
            .problem(403, "not_registrar")
            .problem(409, "chain_fork")
            .problem(409, "chain_gap")
            .problem(409, "chain_prev")
            .problem(413, "too_long")
            .problem(413, "too_many")
            .problem(415, "unsupported_media_type")
            .problem(422, "wrong_audience")
            .problem(422, "from_the_future")
            .problem(503, "busy")
            .problem(503, "superseded")
            .problem(503, "unavailable")
            .problem(503, "stopped"),
    ]
}

fn ledger() -> Vec<Route> {
    let publisher = || (hash(), "The thumbprint of the publisher's first key.");
    let with_publisher = |route: Route| {
        let (schema, about) = publisher();
        route.path("id", schema, about).problem(404, "unknown_publisher")
    };
    vec![
        Route::get("/v1/ledger", publishers::ledger)
            .about("ledger", "What pins this ledger, and how far it has come.")
            .json("The ledger.", component("Ledger")),
        Route::get("/v1/configuration", configuration::show)
            .about("ledger", "The configuration in force: legal bases, thresholds, calendar.")
            .json("The configuration.", component("ConfigurationInForce")),
        Route::get("/v1/publishers", publishers::list)
            .about("ledger", "Every system that is or was allowed to sign.")
            .json("The registry.", component("Publishers")),
        with_publisher(Route::get("/v1/publishers/{id}", publishers::one))
            .about("ledger", "One system that is or was allowed to sign.")
            .json("The publisher.", component("Publisher")),
        with_publisher(Route::get("/v1/publishers/{id}/head", publishers::head))
            .about("publishing", "What the publisher's next statement must say.")
            .json("The head of its chain.", component("ChainHead")),
        Route::get("/v1/entries/{index}", log::entry)
            .about("ledger", "An entry; with a token also its statement, as far as it can be read.")
            .more_with_token()
            .path("index", number(), "The entry's index.")
            .json("The entry.", component("Entry"))
            .problem(404, "not_found"),
        Route::get("/v1/proofs/inclusion", log::inclusion)
            .about("ledger", "A proof that an entry is in the log of a size (RFC 6962).")
            .parameter(Parameter {
                name: "index",
                place: "query",
                required: true,
                about: "The entry's index.",
                schema: number(),
            })
            .query("size", number(), "The size of the log; that of the checkpoint if nothing is said.")
            .json("The proof.", component("InclusionProof"))
            .problem(404, "not_found"),
        Route::get("/v1/proofs/consistency", log::consistency)
            .about("ledger", "A proof that the log of one size begins as the log of another (RFC 6962).")
            .parameter(Parameter {
                name: "from",
                place: "query",
                required: true,
                about: "The smaller size.",
                schema: number(),
            })
            .query("to", number(), "The larger size; that of the checkpoint if nothing is said.")
            .json("The proof.", component("ConsistencyProof"))
            .problem(404, "not_found"),
    ]
}

fn asking() -> Vec<Route> {
    vec![
        Route::post("/v1/advice", advice::advise)
            .about("advice", "Advice on a decision that is not yet taken. Nothing is recorded.")
            .described(
                "The flowchart, the rules of practice and the seven golden rules over a draft of a decision of which any member may be missing, under the \
                 configuration in force. It needs no token: it reads nobody's data, and keeps nothing of the question.",
            )
            .body("application/json", component("Question"))
            .at_most(advice::MAX_BODY_BYTES)
            .json("The advice.", component("Advice"))
            .problem(400, "bad_request")
            .problem(413, "too_long")
            .problem(415, "unsupported_media_type")
            .problem(422, "bad_value"),
        Route::get("/v1/decisions/{index}", decision::page)
            .about("views", "One decision: what it says, what the rules say of it, and what became of it.")
            .token()
            .path("index", number(), "The entry that recorded it.")
            .at_time()
            .json("The decision's page.", component("DecisionPage"))
            .problem(404, "not_found"),
    ]
}

fn access() -> Vec<Route> {
    vec![
        Route::post("/v1/break-glass", break_glass::ask)
            .about("access", "Ask to read one child's texts, or a restricted record, for some hours.")
            .described("A second person approves; then it holds for whoever asked, under the role of the token. `docs/ACCESS.md` says more.")
            .token()
            .body("application/json", component("BreakGlassQuestion"))
            .answers(202, "It waits for approval.", "application/json", component("BreakGlassWaiting"))
            .problem(400, "bad_request")
            .problem(403, "outside_scope")
            .problem(503, "too_many_requests_waiting"),
        Route::get("/v1/break-glass", break_glass::waiting)
            .about("access", "What waits for a second person's approval, on this node.")
            .token()
            .json("All of it.", component("BreakGlassRequests")),
        Route::post("/v1/break-glass/{id}/approve", break_glass::approve)
            .about("access", "Approve what somebody else has asked for; the approval is sealed.")
            .token()
            .path("id", reference(), "The request's id.")
            .answers(201, "It is approved and sealed.", "application/json", component("BreakGlassApproved"))
            .problem(403, "second_person_needed")
            .problem(403, "outside_scope")
            .problem(404, "not_found")
            .problem(503, "not_recorded"),
    ]
}

fn alerts() -> Vec<Route> {
    vec![
        Route::get("/v1/stream", stream::listen)
            .about("alerts", "Every change of an alert as it happens, as server-sent events.")
            .described(
                "Events: `alert` (data: AlertChange), `tree` (data: AsOf; the views have advanced, and everything that the entries below caused has been told), \
                 `lost` (data: Lost). The id of an event is `ENTRY.NUMBER`; a reader that comes back with `Last-Event-ID` hears what it has missed. docs/API.md \
                 says more.",
            )
            .token()
            .query("pattern", codes(Pattern::ALL.map(Pattern::as_str)), "Alerts of this pattern only.")
            .parameter(Parameter {
                name: "Last-Event-ID",
                place: "header",
                required: false,
                about: "The id of the last event that was heard.",
                schema: json!({"type": "string", "pattern": "^[0-9]+\\.[0-9]+$"}),
            })
            .answers(200, "Events, until either side ends it.", "text/event-stream", text())
            .problem(400, "bad_request")
            .problem(503, "too_many_streams")
            .problem(503, "stopped"),
        Route::get("/v1/integrity", views::integrity)
            .about("alerts", "Forks of publishers' chains, and what the registry itself gives rise to.")
            .token()
            .json("All of them.", component("IntegrityAlerts")),
    ]
}

fn tiles() -> Vec<Route> {
    vec![
        Route::get("/checkpoint", log::checkpoint)
            .about("log", "The newest signed tree head (C2SP tlog-checkpoint).")
            .answers(200, "The signed note.", "text/plain", text()),
        Route::get("/tile/{*path}", log::tile)
            .about("log", "Hash tiles and entry bundles (C2SP tlog-tiles).")
            .path("path", text(), "The rest of the tile's path; it may have slashes.")
            .answers(
                200,
                "The tile.",
                "application/octet-stream",
                json!({"type": "string", "format": "binary"}),
            )
            .problem(404, "not_found"),
    ]
}

fn service() -> Vec<Route> {
    vec![
        Route::get("/openapi.json", openapi::show)
            .about("service", "This document.")
            .json("An OpenAPI 3.1 document.", json!({"type": "object"})),
        Route::get("/healthz", healthy).about("service", "Whether the process answers.").answers(
            200,
            "It does.",
            "text/plain",
            text(),
        ),
        Route::get("/readyz", ready)
            .about("service", "Whether the ledger seals, and how far the views have come.")
            .json("It seals, or follows one that does.", component("Readiness"))
            .answers(
                503,
                "The sealer has stopped; reading goes on.",
                "application/json",
                component("Readiness"),
            ),
    ]
}
