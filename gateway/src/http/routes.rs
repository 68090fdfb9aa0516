//! The list of all routes. Whatever is not in it is neither served nor documented.

use gt_projections::Pattern;
use serde_json::json;

use super::route::{Parameter, Route, agency, codes, component, hash, number, reference, text};
use super::{
    advice, break_glass, bundles, configuration, decision, erasures, healthy, log, openapi, publishers,
    ready, statements, stream, verifier, views,
};

/// Every route.
pub(super) fn all() -> Vec<Route> {
    [
        publishing(),
        ledger(),
        asking(),
        views::routes(),
        access(),
        alerts(),
        evidence(),
        erasing(),
        tiles(),
        service(),
    ]
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
            .problem(503, "not_witnessed")
            .problem(503, "unreadable")
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
            .problem(429, "too_many_requests_waiting")
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

fn evidence() -> Vec<Route> {
    let answered = |route: Route| {
        route
            .token()
            .answers(200, "The bundle.", gt_core::bundle::MEDIA_TYPE, component("Bundle"))
            .answers(200, "A page for people, of the same bundle.", "text/html", text())
            .problem(400, "empty_range")
            .problem(400, "unknown_member")
            .problem(404, "not_found")
            .problem(404, "no_such_entry")
            .problem(404, "unknown_agency")
            .problem(404, "unknown_child")
            .problem(409, "known_ahead")
            .problem(422, "bundle_too_large")
            .problem(422, "too_many_subjects")
    };
    let form = |route: Route| {
        route.query(
            "format",
            codes(["json", "html"]),
            "The form of the answer; without it, what `Accept` names first.",
        )
    };
    let get = Route::get("/v1/bundles", bundles::get)
        .about("evidence", "An evidence bundle, which anybody can check: of a child, a range of entries, an agency or an alert.")
        .described(
            "Exactly one of `child`, `entries`, `agency` and `alert`. docs/FORMATS.md section 12 says what a bundle is and how it is checked; \
             `goldenthread verify` does it. Of statements about other children a child's bundle discloses only what is the child's own.",
        )
        .query("child", reference(), "About this child, under every identity to which the ledger joins it.")
        .query("entries", json!({"type": "string", "pattern": "^[0-9]+(-[0-9]+)?$"}), "All entries from the first to the last, like 5-9.")
        .query("agency", agency(), "Every statement that this agency signed.")
        .query("alert", text(), "The entries behind this alert, by its id.")
        .query("without", text(), "Members whose disclosures are withheld, with commas between.")
        .query("bare", json!({"type": "boolean"}), "Whether all disclosures are withheld.")
        .query("statements", json!({"type": "boolean"}), "False withholds the statements too, and shows the entries alone.")
        .query("known", text(), "Sizes of checkpoints that are held, with commas between: a consistency proof is put in for each.");
    let post = Route::post("/v1/bundles", bundles::post)
        .about("evidence", "The same, for a child by its pseudonym.")
        .described("A POST, since a pseudonym is personal data and has no place in a URL.")
        .body("application/json", component("BundleQuestion"))
        .at_most(bundles::MAX_BODY_BYTES)
        .problem(413, "too_long");
    vec![answered(form(get)), answered(form(post)), subject_access()]
}

fn subject_access() -> Route {
    let question = json!({
        "type": "object",
        "required": ["child"],
        "properties": {
            "child": {"type": "string", "description": "The child's pseudonym, `nhs.1:…`, or its opaque reference."},
            "bare": {"type": "boolean", "description": "Whether all disclosures are withheld: to see whether the record has grown."},
        },
        "additionalProperties": false,
    });
    Route::post("/v1/subject-access", bundles::post_subject_access)
        .about("evidence", "Everything about a child, for the person who decides on a subject access request (UK GDPR Article 15).")
        .described(
            "The child's full bundle, other people's data in it too: never for who asks. `goldenthread bundle --subject-access` makes the worksheet \
             of it, and then the copy.",
        )
        .token()
        .body("application/json", question)
        .at_most(bundles::MAX_BODY_BYTES)
        .answers(200, "The bundle.", gt_core::bundle::MEDIA_TYPE, component("Bundle"))
        .problem(404, "unknown_child")
        .problem(422, "bundle_too_large")
        .problem(422, "too_many_subjects")
}

fn erasing() -> Vec<Route> {
    let recorded = |route: Route| route.token().problem(503, "not_recorded");
    let erase = recorded(Route::post("/v1/erasures", erasures::erase))
        .about("erasure", "Destroy the keys of what is sealed about somebody.")
        .described(
            "A POST, since a pseudonym is personal data and has no place in a URL. Who asks is sealed first. The answer is pending until people have \
             destroyed every copy of the retired key-encryption key: docs/ERASURE.md. After 408 or `interrupted` ask GET /v1/erasures what came of it.",
        )
        .body("application/json", component("ErasureRequest"))
        .at_most(erasures::MAX_BODY_BYTES)
        .answers(201, "It is erased.", "application/json", component("ErasureDone"));
    let problems: [(u16, &'static str); 19] = [
        (400, "bad_request"),
        (400, "not_json"),
        (403, "other_authority"),
        (404, "unknown_owner"),
        (409, "already_erased"),
        (409, "held"),
        (409, "not_prepared"),
        (409, "only_follows"),
        (413, "too_long"),
        (415, "unsupported_media_type"),
        (422, "unknown_authority"),
        (422, "too_many_identifiers"),
        (500, "kek"),
        (500, "unreadable"),
        (500, "io"),
        (500, "sign"),
        (503, "busy"),
        (503, "interrupted"),
        (503, "no_service_key"),
    ];
    let erase = problems.into_iter().fold(erase, |route, (status, code)| route.problem(status, code));
    vec![
        erase.problem(503, "no_kek_source"),
        Route::get("/v1/erasures", erasures::list)
            .about("erasure", "What was erased, and which retired keys people must still destroy.")
            .token()
            .json("All of it, oldest first.", component("Erasures"))
            .problem(503, "not_recorded")
            .problem(503, "no_register"),
        recorded(Route::post("/v1/erasures/{index}/confirmations", erasures::confirm))
            .about("erasure", "Say that every copy of the key that was retired for an erasure is destroyed.")
            .path("index", text(), "The erasure's entry, or the fingerprint of the retired key.")
            .json("It is noted. To say so twice changes nothing.", component("RetiredKey"))
            .problem(404, "unknown_erasure")
            .problem(409, "nodes_pending")
            .problem(503, "no_register")
            .problem(503, "stopped"),
    ]
}

fn tiles() -> Vec<Route> {
    vec![
        Route::get("/checkpoint", log::checkpoint)
            .about("log", "The newest signed tree head (C2SP tlog-checkpoint); with the witnesses' cosignatures, once they have signed it.")
            .answers(200, "The signed note.", "text/plain", text()),
        Route::get("/checkpoint/cosigned", log::cosigned)
            .about("log", "The newest signed tree head that the ledger's witnesses have cosigned (C2SP tlog-cosignature).")
            .answers(200, "The signed note, with their cosignatures.", "text/plain", text())
            .problem(404, "not_found"),
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
        Route::get("/verify", verifier::show)
            .about(
                "service",
                "The page on which evidence is checked; it asks the network for nothing, and may be saved.",
            )
            .query("download", text(), "Given, whatever its value: the page comes as a file to save.")
            .answers(200, "One HTML file.", "text/html", text()),
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
                "The sealer has stopped, or the node waits for the next key-encryption key, or it only follows and its views no longer do; reading goes on.",
                "application/json",
                component("Readiness"),
            ),
    ]
}
