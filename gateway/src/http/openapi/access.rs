//! Who looked, and reading beyond the usual rights.

use gt_schemas::{AccessPurpose, AccessRole, AccessedKind};
use serde_json::{Value, json};

use super::super::route::{agency, codes, number, reference, text, time};
use super::components::{Named, flag, list, object, or_null};
use crate::access::reader::ROLES;

pub(super) fn all() -> Named {
    let purpose = || codes(AccessPurpose::CODES.iter().copied());
    let row = json!({
        "index": number(),
        "child": or_null(reference()),
        "type": codes(["record.accessed", "access.approved"]),
        "reader": or_null(text()),
        "role": codes(AccessRole::CODES.iter().copied()),
        "purpose": purpose(),
        "what": codes(AccessedKind::CODES.iter().copied()),
        "break_glass": flag(),
        "records": or_null(number()),
        "expires_at": or_null(time()),
        "occurred_at": or_null(time()),
        "received_at": time(),
        "agency": agency(),
    });
    let waiting = json!({"id": reference(), "status": codes(["waiting"]), "approve": text()});
    let request = object(
        "Somebody asks.",
        json!({
            "id": reference(), "reader": text(), "role": codes(ROLES.map(|(_, name)| name)), "child": reference(),
            "purpose": purpose(), "hours": number(), "asked_at": time(),
        }),
    );
    vec![
        ("AccessRow", object("Somebody looked at a child's record, or was allowed to.", row)),
        ("BreakGlassQuestion", question(&purpose())),
        ("BreakGlassWaiting", object("It waits for a second person.", waiting)),
        ("BreakGlassRequests", object("What waits for approval.", json!({"items": list(request)}))),
        ("BreakGlassApproved", object("It is approved.", json!({"entry": number(), "expires_at": time()}))),
    ]
}

fn question(purpose: &Value) -> Value {
    json!({
        "type": "object",
        "description": "Whose texts, what for, and for how many hours from the approval on; 8 if nothing is said.",
        "required": ["child", "purpose"],
        "properties": {
            "child": reference(),
            "purpose": purpose,
            "hours": {"type": "integer", "minimum": 1, "maximum": crate::access::break_glass::MAX_HOURS},
        },
        "additionalProperties": false,
    })
}
