use super::*;
use proptest::prelude::*;

fn fault(text: &str) -> JsonFault {
    Value::parse(text.as_bytes()).expect_err(text).fault
}

#[test]
fn what_readers_could_read_differently_is_refused() {
    assert_eq!(fault(r#"{"a":1,"a":2}"#), JsonFault::DuplicateMember);
    assert_eq!(fault(r#"{"a":1,"\u0061":2}"#), JsonFault::DuplicateMember);
    assert_eq!(fault(r#""\ud800""#), JsonFault::LoneSurrogate);
    assert_eq!(fault(r#""\ud800\u0041""#), JsonFault::LoneSurrogate);
    assert_eq!(fault(r#""\udc00""#), JsonFault::LoneSurrogate);
    assert_eq!(Value::parse(b"\"\xED\xA0\x80\"").expect_err("raw").fault, JsonFault::LoneSurrogate);
    assert_eq!(Value::parse(b"\"\xFF\"").expect_err("raw").fault, JsonFault::NotUtf8);
    assert_eq!(fault(r#""\u0000""#), JsonFault::Nul);
    assert_eq!(fault("\"\0\""), JsonFault::Nul);
    assert_eq!(fault("\u{feff}{}"), JsonFault::ByteOrderMark);
    assert_eq!(fault(r#"{"__proto__":1}"#), JsonFault::Proto);
    assert_eq!(fault(r#"{"\u005f_proto__":1}"#), JsonFault::Proto);
    for number in ["1.0", "1e2", "1E0", "-0", "9007199254740992", "-9007199254740992", "99999999999999999999"]
    {
        assert_eq!(fault(number), JsonFault::Number, "{number}");
    }
    for text in [
        "",
        "01",
        "-",
        "+1",
        "[1,]",
        "{,}",
        "nul",
        "true false",
        "\"\t\"",
        "'a'",
        "[1 2]",
        "\"\\x\"",
        "\"\\u12\"",
        "\"abc",
    ] {
        assert_eq!(fault(text), JsonFault::Syntax, "{text}");
    }
}

#[test]
fn depth_sixteen_is_the_last() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(Value::parse(nested(16).as_bytes()).is_ok());
    assert_eq!(fault(&nested(17)), JsonFault::TooDeep);
    assert_eq!(fault(&"[".repeat(1_000_000)), JsonFault::TooDeep);
}

#[test]
fn many_members_are_still_compared() {
    let mut text: Vec<String> = (0..40).map(|i| format!("\"m{i}\":0")).collect();
    assert!(Value::parse(format!("{{{}}}", text.join(",")).as_bytes()).is_ok());
    for repeated in ["m7", "m39"] {
        text.push(format!("\"{repeated}\":1"));
        assert_eq!(fault(&format!("{{{}}}", text.join(","))), JsonFault::DuplicateMember);
        text.pop();
    }
    // Names are told from values, whatever these are.
    text[3] = r#""m3":{"m3":["m4",{"m5":"m5"}]}"#.into();
    assert!(Value::parse(format!("{{{}}}", text.join(",")).as_bytes()).is_ok());
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::Integer),
        "[^\u{0}]{0,12}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("[^\u{0}]{0,8}", inner), 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn text_round_trips(value in any_value()) {
        prop_assert_eq!(Value::parse(value.to_text().as_bytes()), Ok(value));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        let _ = Value::parse(&bytes);
    }

    #[test]
    fn whatever_is_accepted_serde_json_reads_alike(text in r#"[\[\]{}:,"\\a-c0-9eu. -]{0,24}"#) {
        if let Ok(value) = Value::parse(text.as_bytes()) {
            let other: serde_json::Value = serde_json::from_str(&text).expect("accepted by the strict reader");
            let ours: serde_json::Value = serde_json::from_str(&value.to_text()).expect("our own text");
            prop_assert_eq!(ours, other);
        }
    }
}

/// What a document lends, taken apart by hand: it is the value that the text says, wherever in it one begins.
fn taken_apart(value: ValueRef<'_>) -> Value {
    match value.lent() {
        Lent::Null => Value::Null,
        Lent::Bool(flag) => Value::Bool(flag),
        Lent::Integer(number) => Value::Integer(number),
        Lent::String(text) => text.into(),
        Lent::Array(elements) => {
            let expected = elements.len();
            let elements: Vec<Value> = elements.map(taken_apart).collect();
            assert_eq!(elements.len(), expected);
            Value::Array(elements)
        }
        Lent::Object(members) => {
            let mut object = Object::default();
            for (name, value) in members.iter() {
                assert_eq!(members.get(name).map(taken_apart), Some(taken_apart(value)));
                object.insert(name, taken_apart(value));
            }
            assert_eq!((object.len(), members.is_empty()), (members.len(), object.is_empty()));
            Value::Object(object)
        }
    }
}

proptest! {
    #[test]
    fn a_document_says_what_its_text_says(value in any_value(), spaced: bool) {
        let text = value.to_text();
        let text = if spaced { format!(" {text}\n") } else { text };
        let document = Document::parse(text.into_bytes()).expect("strict JSON");
        prop_assert_eq!(taken_apart(document.root()), value.clone());
        prop_assert_eq!(document.root().to_value(), value);
    }
}

proptest! {
    #[test]
    fn values_in_one_document_are_what_they_are_alone(
        values in prop::collection::vec(any_value(), 0..6),
        broken in r#"[\[\]{}:,"\\a-c0-9eu\x00\x1f. -]{0,24}"#,
    ) {
        let mut document = Document::with_capacity(0);
        let nodes: Vec<usize> = values
            .iter()
            .map(|value| document.add(value.to_text().as_bytes()).expect("strict JSON"))
            .collect();
        for (node, value) in nodes.iter().zip(&values) {
            prop_assert_eq!(&taken_apart(document.at(*node)), value);
        }
        // Where an error stands is told as if the text were alone, too.
        let alone = Value::parse(broken.as_bytes());
        let among = document.add(broken.as_bytes());
        prop_assert_eq!(among.map(|node| document.at(node).to_value()), alone);
    }

    #[test]
    fn a_text_ends_where_it_would_byte_for_byte(text in "[a-c\"\\\\\u{0}-\u{24}\u{7f}é\u{a2}😀]{0,40}", before in "[a-e]{0,9}") {
        let plain: String = text.chars().take_while(|c| *c >= ' ' && !['"', '\\'].contains(c)).collect();
        let json = format!("\"{before}{text}");
        let ended = format!("\"{before}{plain}\"");
        prop_assert_eq!(Value::parse(ended.as_bytes()), Ok(Value::String(format!("{before}{plain}"))));
        let rest = &text[plain.len()..];
        let at = 1 + before.len() + plain.len();
        match rest.chars().next() {
            None => prop_assert_eq!(Value::parse(json.as_bytes()), Err(JsonError { fault: JsonFault::Syntax, at })),
            Some('\u{0}') => prop_assert_eq!(Value::parse(json.as_bytes()), Err(JsonError { fault: JsonFault::Nul, at })),
            Some(c) if c < ' ' => {
                prop_assert_eq!(Value::parse(json.as_bytes()), Err(JsonError { fault: JsonFault::Syntax, at }));
            }
            Some(_) => {}
        }
    }
}

#[test]
fn a_document_has_what_escapes_mean() {
    let text = r#"{"a\u0062":"\ud83d\ude00 \"x\"","c":["\n","plain","t\u00e9l"]}"#;
    let document = Document::parse(text.as_bytes().to_vec()).expect("strict JSON");
    let members = document.root().as_object().expect("an object");
    assert_eq!(members.get("ab").and_then(ValueRef::as_str), Some("\u{1f600} \"x\""));
    let list = members.get("c").and_then(ValueRef::as_array).expect("a list");
    assert_eq!(list.filter_map(ValueRef::as_str).collect::<Vec<_>>(), ["\n", "plain", "t\u{e9}l"]);
    assert_eq!(members.get("a\\u0062").map(ValueRef::to_value), None);
    let shown = format!("{document:?}");
    assert!(!shown.contains("plain"), "{shown}");
}

#[test]
fn a_document_is_refused_as_its_value_is() {
    for bytes in [&b"{\"a\":1,\"a\":2}"[..], b"\"\xED\xA0\x80\"", b"\"\xFF\"", b"[1,]", b"\xEF\xBB\xBF{}"] {
        assert_eq!(Document::parse(bytes.to_vec()).err(), Value::parse(bytes).err());
    }
}

#[test]
fn a_value_that_held_a_key_is_wiped_at_every_depth() {
    let mut value = Value::parse(br#"{"d":"secret","more":["secret",{"k":"secret"}],"n":7}"#).unwrap();
    value.zeroize();
    assert_eq!(value.to_text(), r#"{"d":"","more":["",{"k":""}],"n":7}"#);
}
