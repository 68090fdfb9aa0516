use super::*;

fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).expect("a code")
}

fn person(n: u8) -> Owner {
    Owner::Person(Pseudonym::parse(&format!("nhs.{n}:{}", base64url::encode(&[n; 32]))).expect("sound"))
}

fn filled() -> Rows {
    let mut rows = Rows::default();
    for n in 0..40 {
        let owner = if n == 7 { Owner::Agency(code("ods:RX1")) } else { person(n) };
        let link = LinkKey::from_bytes([n; 32]);
        rows.take(Taken::Owner { tag: [n; 32], owner: Some(owner), link });
        for agency in ["ods:RX1", "police:32", "gss:E06000999"].iter().take(usize::from(n % 4)) {
            let keys = AgencyKeys { data: [n; 32], record: [n + 100; 32] };
            rows.take(Taken::Agency { tag: [n; 32], agency: code(agency), keys });
        }
    }
    rows
}

#[test]
fn what_was_taken_is_held() {
    let mut rows = filled();
    rows.shrink();
    assert_eq!((rows.len(), rows.all().count()), (40, 40));
    for n in 0..40 {
        let held = rows.get(&[n; 32]).expect("there");
        let owner = if n == 7 { Owner::Agency(code("ods:RX1")) } else { person(n) };
        assert_eq!((held.owner(), held.is_ended()), (Some(owner), false));
        assert_eq!(held.link.as_bytes(), &[n; 32]);
        assert_eq!(held.agencies().count(), usize::from(n % 4));
        let keys = held.agency(&code("police:32"));
        assert_eq!(keys.map(|keys| keys.record[0]), (n % 4 > 1).then_some(n + 100));
    }
    assert!(rows.get(&[40; 32]).is_none());
}

#[test]
fn schemes_may_be_many() {
    const MANY: u32 = (1 << 16) + 1;
    let named = |n: u32| {
        let hmac = base64url::encode(&[n.to_le_bytes(); 8].concat());
        Owner::Person(Pseudonym::parse(&format!("made{}.{}:{hmac}", letters(n), n % 7)).expect("sound"))
    };
    let tag = |n: u32| {
        let mut tag = [0; 32];
        tag[8..12].copy_from_slice(&n.to_le_bytes());
        tag
    };
    let mut rows = Rows::default();
    for n in 0..MANY {
        let link = LinkKey::from_bytes([0; 32]);
        rows.take(Taken::Owner { tag: tag(n), owner: Some(named(n)), link }).expect("taken");
    }
    for n in (0..MANY).step_by(1 << 10) {
        assert_eq!(rows.get(&tag(n)).and_then(|held| held.owner()), Some(named(n)));
    }
    // Who is held already brings none.
    let (known, link) = (rows.schemes.all.len(), LinkKey::from_bytes([0; 32]));
    rows.take(Taken::Owner { tag: tag(0), owner: Some(person(1)), link }).expect("held");
    assert_eq!((known, rows.schemes.all.len()), (MANY as usize, MANY as usize));
}

#[test]
fn an_owners_row_is_as_long_as_it_is_said_to_be() {
    assert_eq!((size_of::<OwnerRow>(), size_of::<AgencyRow>()), (104, 72));
}

/// A number in letters, of which a scheme consists.
fn letters(n: u32) -> String {
    let letter = |at: u32| char::from(b'a' + u8::try_from((n >> (4 * at)) & 15).expect("four bits"));
    (0..8).map(letter).collect()
}

#[test]
fn what_is_held_stays_and_keys_of_nobody_are_refused() {
    let mut rows = filled();
    let link = LinkKey::from_bytes([99; 32]);
    rows.take(Taken::Owner { tag: [3; 32], owner: Some(person(3)), link });
    let other = |tag| Taken::Agency {
        tag,
        agency: code("ods:RX1"),
        keys: AgencyKeys { data: [99; 32], record: [99; 32] },
    };
    assert_eq!(rows.take(other([3; 32])), Some([3; 32]));
    assert_eq!(rows.take(other([50; 32])), None);
    let held = rows.get(&[3; 32]).expect("there");
    assert_eq!(held.link.as_bytes(), &[3; 32]);
    assert_eq!(held.agency(&code("ods:RX1")).expect("there").data, [3; 32]);
}

#[test]
fn nothing_is_left_of_who_is_forgotten_but_what_goes_on() {
    let mut rows = filled();
    rows.forget(&[3; 32], None);
    rows.forget(&[11; 32], Some([200; 32]));
    rows.forget(&[60; 32], None);
    assert!(rows.get(&[3; 32]).is_none() && rows.get(&[11; 32]).is_none());
    assert_eq!((rows.len(), rows.all().count()), (39, 39));
    let held = rows.get(&[200; 32]).expect("goes on");
    assert!(held.is_ended() && held.owner().is_none());
    assert_eq!(held.link.as_bytes(), &[11; 32]);
    let keys = held.agency(&code("ods:RX1")).expect("there");
    assert_eq!((keys.data, keys.record), ([0; 32], [111; 32]));
    let left = |byte: u8| {
        rows.owners.iter().any(|row| row.link.as_bytes()[0] == byte)
            || rows.agencies.iter().any(|row| row.keys.data[0] == byte || row.keys.record[0] == byte)
    };
    assert!(!left(3) && !left(103));
    assert!(rows.agencies.iter().all(|row| row.keys.data[0] != 11));
}
