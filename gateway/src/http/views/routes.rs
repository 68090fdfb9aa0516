//! The views' routes, each with what it takes.

use gt_projections::Pattern;
use gt_schemas::{ContextKind, ContextRisk, Decision, FindingCode, HarmLevel, Purpose, Rating, Trigger};
use serde_json::json;

use super::{
    agreements, alerts, children, decisions, findings, links, requests, retention, sharing, subjects,
};
use crate::http::route::{Route, agency, codes, component, number, reference, text, time};

/// Every route at which views are asked.
pub(in crate::http) fn routes() -> Vec<Route> {
    [of_decisions(), of_children(), of_requests(), of_links(), of_practice(), of_retention(), of_alerts()]
        .into_iter()
        .flatten()
        .collect()
}

/// A list: with a token, page by page.
fn list(route: Route, row: &str) -> Route {
    route.token().list().rows(row).problem(400, "bad_cursor")
}

fn span(route: Route, of: [&'static str; 2]) -> Route {
    route.query("from", time(), of[0]).query("to", time(), of[1])
}

const OF_THAT_TIME: [&str; 2] = ["Of that time or later.", "Of that time or earlier."];

fn of_retention() -> Vec<Route> {
    let due = Route::get("/v1/retention/due", retention::due)
        .about("erasure", "Whose periods of retention have ended, by the rules in force, and what holds them back.")
        .described("It ends nothing: `goldenthread retention run` does, on the ledger's own machine. docs/ERASURE.md says how a period is worked out.")
        .query("at", time(), "What is due at this time, which may lie ahead; now if nothing is said.");
    vec![list(due, "RetentionRow")]
}

fn of_decisions() -> Vec<Route> {
    let subject = Route::post("/v1/subjects", subjects::subject)
        .about(
            "views",
            "The opaque reference under which views know a person, a place or another context, or an agreement.",
        )
        .described("A POST, since a pseudonym is personal data and has no place in a URL.")
        .token()
        .body("application/json", component("SubjectQuestion"))
        .json("The reference.", component("SubjectReference"))
        .problem(400, "bad_request")
        .problem(404, "not_found");
    let decisions = Route::get("/v1/decisions", decisions::decisions)
        .about("views", "Decisions to share or not to share, by event time, as corrected.")
        .query("child", reference(), "About this child, under any identifier.")
        .query("agency", agency(), "Signed by this agency, or in its name.")
        .query("context", reference(), "About children linked to this place or other context.")
        .query(
            "person",
            reference(),
            "That name this person of concern, or are about children linked to the person.",
        )
        .query("decision", codes(Decision::CODES.iter().copied()), "With this outcome.")
        .query("trigger", codes(Trigger::CODES.iter().copied()), "With this trigger.")
        .query("harm_level", codes(HarmLevel::CODES.iter().copied()), "With this level of harm.")
        .query("purpose", codes(Purpose::CODES.iter().copied()), "For this purpose.")
        .query("basis", text(), "Relying on this lawful basis: a kind, or kind and code (`Article6.e`).")
        .query(
            "finding",
            codes(FindingCode::CODES.iter().copied()),
            "Of which the rules of practice say this.",
        )
        .query("recipient", agency(), "With this agency among the recipients.");
    let decided = ["Decided then or later.", "Decided then or earlier."];
    vec![subject, list(span(decisions, decided), "DecisionRow")]
}

fn of_children() -> Vec<Route> {
    let child = |route: Route| route.path("reference", reference(), "The child, by any identifier.");
    let timeline = child(Route::get("/v1/children/{reference}/timeline", children::timeline))
        .about("views", "Everything about one child, by event time.");
    let episodes = child(Route::get("/v1/children/{reference}/episodes", children::episodes))
        .about("views", "One child's missing episodes; an absence that several agencies report is one.");
    let identities = child(Route::get("/v1/children/{reference}/identities", children::identities))
        .about("views", "The identifiers that are one child's, and the entries that say so.");
    let accesses = child(Route::get("/v1/children/{reference}/accesses", children::accesses)).about(
        "views",
        "Who looked at one child's record and what for, and who was allowed to, in the order of the log.",
    );
    let states = codes(["open", "ended", "end_not_reported"]);
    let all = Route::get("/v1/episodes", children::all_episodes)
        .about("views", "The missing episodes of all children, by when they began.")
        .query("state", states, "With this known of them.");
    vec![
        list(span(timeline, OF_THAT_TIME), "TimelineEvent"),
        list(episodes, "Episode"),
        list(identities, "Identity"),
        list(accesses, "AccessRow"),
        list(span(all, ["Begun then or later.", "Begun then or earlier."]), "ChildEpisode"),
    ]
}

fn of_requests() -> Vec<Route> {
    let states = codes(["open", "overdue", "answered", "all"]);
    let requests = Route::get("/v1/requests", requests::requests)
        .about("views", "Requests for information with their clocks, by when they are due.")
        .query("agency", agency(), "That this agency is to answer.")
        .query("requester", agency(), "That this agency makes.")
        .query("child", reference(), "About this child, under any identifier.")
        .query("state", states, "`open` (overdue ones too) if nothing is said.")
        .query("rating", codes(Rating::CODES.iter().copied()), "With this urgency.");
    vec![list(span(requests, ["Due then or later.", "Due then or earlier."]), "RequestRow")]
}

fn of_links() -> Vec<Route> {
    let linked = |route: Route| {
        let sorts = codes(["children", "last", "reference"]);
        let route = route
            .query("risk", codes(ContextRisk::CODES.iter().copied()), "With this risk, by at least one link.")
            .query("agency", agency(), "Of which this agency said something.")
            .query("children", number(), "With at least so many different children.")
            .query("sort", sorts, "The most children first if nothing is said; `reference` is for reading all of them page by page.");
        span(
            route,
            ["What was said of that time or later counts.", "What was said of that time or earlier counts."],
        )
    };
    let contexts = linked(Route::get("/v1/contexts", links::contexts))
        .about("views", "Places and other contexts, with the number of children linked to each.")
        .query("kind", codes(ContextKind::CODES.iter().copied()), "Of this kind, by at least one link.");
    let location = Route::get("/v1/locations/{reference}", links::location)
        .about("views", "The children who are linked to a place or another context.")
        .path("reference", reference(), "The place.");
    let persons = linked(Route::get("/v1/persons", links::persons))
        .about("views", "Persons of concern, with the number of children linked to each.");
    let person = Route::get("/v1/persons/{reference}", links::person)
        .about("views", "The children who are linked to a person of concern.")
        .path("reference", reference(), "The person, by any identifier.");
    vec![
        list(contexts, "ContextRow"),
        list(span(location, OF_THAT_TIME), "ContextLink"),
        list(persons, "PersonRow"),
        list(span(person, OF_THAT_TIME), "PersonLink"),
    ]
}

fn of_practice() -> Vec<Route> {
    let shares = |route: Route| {
        route
            .query("from", agency(), "Shared by this agency.")
            .query("to", agency(), "Shared with this agency.")
            .query("since", time(), "Shared then or later.")
            .query("until", time(), "Shared then or earlier.")
            .query("sort", codes(["agency", "shares", "median", "last"]), "By agency if nothing is said.")
    };
    let findings =
        |route: Route| {
            let route = route
                .query("agency", agency(), "Of decisions by this agency, or in its name.")
                .query("code", codes(FindingCode::CODES.iter().copied()), "This one.");
            span(route, ["Of decisions of that time or later.", "Of decisions of that time or earlier."])
        };
    let agreements = Route::get("/v1/agreements", agreements::agreements)
        .about("views", "Information sharing agreements, their reviews, and how much relies on them.")
        .query("agreement", reference(), "This one.")
        .query("agency", agency(), "To which this agency is a party.")
        .query("review_before", time(), "Due for review then or earlier.")
        .query("overdue", json!({"type": "boolean"}), "Whether the review is overdue.")
        .query(
            "sort",
            codes(["review", "shares", "registered"]),
            "By when the review is due if nothing is said.",
        );
    let ways = shares(Route::get("/v1/sharing", sharing::ways))
        .about("views", "Who shares with whom: how often, and how long it takes from knowing to sharing.");
    let totals = shares(Route::get("/v1/sharing/agencies", sharing::agencies))
        .about("views", "The same for each agency, whomever it shares with.");
    let found = findings(Route::get("/v1/findings", findings::findings))
        .about("views", "Decisions of which the rules of practice say something, by agency.");
    let counted = findings(Route::get("/v1/findings/agencies", findings::agencies))
        .about("views", "How many decisions of each agency have each finding.")
        .query("sort", codes(["agency", "code", "decisions"]), "By agency if nothing is said.");
    vec![
        list(ways, "SharingWay"),
        list(totals, "AgencySharing"),
        list(found, "DecisionRow"),
        list(counted, "FindingCount"),
        list(agreements, "AgreementRow"),
    ]
}

fn of_alerts() -> Vec<Route> {
    let statuses = codes(["waiting", "open", "assigned", "reviewed", "retracted", "all"]);
    let alerts = Route::get("/v1/alerts", alerts::alerts)
        .about("alerts", "Alerts, as they stand or stood. Each asks a person to look.")
        .query("pattern", codes(Pattern::ALL.map(Pattern::as_str)), "Of this pattern.")
        .query("child", reference(), "About this child, under any identifier.")
        .query("person", reference(), "About this person of concern, under any identifier.")
        .query("location", reference(), "About this place or other context.")
        .query("agency", agency(), "About this agency, or a way between two agencies of which it is one.")
        .query(
            "status",
            statuses,
            "With this status; `waiting` is open or assigned. All if nothing is said.",
        );
    let alert = Route::get("/v1/alerts/{id}", alerts::alert)
        .about("alerts", "One alert, with what people did about it.")
        .token()
        .path("id", reference(), "The alert's id.")
        .at_time()
        .format()
        .rows("Alert")
        .problem(404, "not_found");
    vec![list(span(alerts, ["Raised then or later.", "Raised then or earlier."]), "Alert"), alert]
}
