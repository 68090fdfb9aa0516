//! Erasures, and the keys that were retired for them.

use gt_core::erasure::{GROUNDS, MAX_OWNERS};
use gt_schemas::RetentionClass;
use serde_json::{Value, json};

use super::super::route::{agency, codes, component, number, reference, text, time};
use super::components::{Named, list, object, or_null};

pub(super) fn all() -> Named {
    let done = json!({
        "status": status(), "index": number(), "owners": owners(), "entries": number(), "scope": scope(),
        "kek": fingerprint(), "retired": component("RetiredKey"), "receipt": text(),
    });
    let sealed = json!({
        "owners": owners(), "entries": number(), "scope": scope(), "authority": agency(), "ground": ground(),
    });
    let mut listed = retired();
    listed["status"] = status();
    listed["pending_nodes"] = pending_nodes();
    listed["erased"] = or_null(object("What the entry says.", sealed));
    let listed = object("A retired key; if an erasure retired it, with that.", listed);
    vec![
        ("ErasureRequest", request()),
        ("ErasureDone", object("What an erasure has come to.", done)),
        ("RetentionRow", due()),
        ("RetiredKey", object("A key-encryption key that is no longer in force.", retired())),
        ("Erasures", object("All erasures, and all keys that were renewed.", json!({"items": list(listed)}))),
    ]
}

fn due() -> Value {
    let class = || codes(RetentionClass::CODES.iter().copied());
    let period = json!({
        "agency": agency(), "first_entry": time(), "last_entry": time(), "class": class(), "texts_end": time(),
        "records_end": or_null(time()),
        "rule": {"type": "integer", "minimum": 0, "description": "The rule's place in the configuration's list."},
    });
    let held = json!({"entry": number(), "ended_by": codes(["hold.lifted", "record.released"])});
    let row = json!({
        "child": reference(), "identities": list(reference()), "ends": scope(), "due_since": time(),
        "records_end": or_null(time()), "classes": list(class()),
        "controllers": list(object("How long one controller keeps the record.", period)),
        "held_by": list(object("What forbids it, while it stands.", held)),
    });
    object("A child's record of which something is due to end.", row)
}

fn request() -> Value {
    let members = json!({
        "child": {"type": "string", "description": "A pseudonym, or the opaque id that the views show."},
        "authority": agency(),
        "ground": ground(),
        "scope": scope(),
    });
    let mut request = object("Whom to erase, on whose authority, why, and what.", members);
    request["additionalProperties"] = json!(false);
    request
}

fn retired() -> Value {
    json!({
        "kek": fingerprint(), "retired_at": time(), "erasure": or_null(number()), "confirmed_at": or_null(time()),
    })
}

/// What a node of several says besides.
fn pending_nodes() -> Value {
    let node = json!({"node": {"type": "string", "pattern": "^[0-9a-f]{16}$"}, "name": text()});
    or_null(list(object(
        "A node that has not confirmed that it has forgotten the key and what was erased.",
        node,
    )))
}

fn owners() -> Value {
    let mut owners = list(reference());
    (owners["minItems"], owners["maxItems"]) = (json!(1), json!(MAX_OWNERS));
    owners
}

fn scope() -> Value {
    codes(["data", "records"])
}

fn status() -> Value {
    codes(["pending", "complete"])
}

fn ground() -> Value {
    codes(GROUNDS)
}

fn fingerprint() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-f]{16}$", "description": "A key's fingerprint, which says nothing about it."})
}
