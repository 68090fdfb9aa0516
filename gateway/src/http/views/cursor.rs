//! Places in a list, as they are handed out.
//!
//! A place is the key of the last row that was looked at, and that may be a row that the reader does not see: its time, its entry, somebody's
//! reference. So it goes out encrypted, and holds for the reader and the list for which it was made.

use gt_core::key::PrivateKey;
use gt_core::{Hash, base64url};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::access::reader::Reader;

/// Longer than any that was ever handed out.
const MAX_CURSOR: usize = 1024;

/// The key of all cursors of a ledger. All its nodes have the same, so a list that begins at one goes on at another.
pub(crate) struct Cursors(LessSafeKey);

impl Cursors {
    /// Under a key that is made of a secret; of chance if there is none, and then a list begins anew after a restart.
    pub(crate) fn under(secret: Option<&PrivateKey>) -> Self {
        let mut key = [0; 32];
        match secret {
            Some(secret) => {
                let made = Hash::of_parts(&[b"gt/cursor/1", secret.to_seed().as_slice()]);
                key.copy_from_slice(made.as_bytes());
            }
            None => getrandom::fill(&mut key).expect("the operating system gives random bytes"),
        }
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).expect("a key of 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// A place in this list, for this reader.
    pub(super) fn seal(&self, place: &str, list: &str, reader: &Reader) -> String {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let mut sealed = place.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound(list, reader), &mut sealed)
            .expect("a place is short");
        base64url::encode(&[&nonce[..], &sealed].concat())
    }

    /// The place, if it was handed out to this reader for this list.
    pub(super) fn open(&self, cursor: &str, list: &str, reader: &Reader) -> Option<String> {
        let bytes = (cursor.len() <= MAX_CURSOR).then(|| base64url::decode(cursor).ok()).flatten()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, bound(list, reader), &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

/// What a cursor is bound to. A reader may come with a newer token, so the token is not in it.
fn bound(list: &str, reader: &Reader) -> Aad<[u8; 32]> {
    let agency = reader.agency.as_ref().map_or("", |agency| agency.as_str());
    let parts = [list, reader.role.as_str(), agency, &reader.subject].map(|part| Hash::of(part.as_bytes()));
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes().as_slice()).collect();
    Aad::from(*Hash::of_parts(&parts).as_bytes())
}

#[cfg(test)]
mod tests {
    use gt_schemas::AccessRole;

    use super::*;

    fn reader(subject: &str, role: AccessRole) -> Reader {
        Reader {
            subject: subject.to_owned(),
            role,
            agency: None,
            children: std::iter::empty().collect(),
            purposes: Vec::new(),
            issued_at: 0,
            expires_at: 1,
            token: "one".to_owned(),
        }
    }

    #[test]
    fn a_place_is_for_whom_and_where_it_was_handed_out_and_says_nothing() {
        let secret = PrivateKey::from_seed(&[1; 32]);
        let (cursors, kim) = (Cursors::under(Some(&secret)), reader("Kim", AccessRole::Mash));
        let (place, list) = ("AAAAAAAAAAAAAAAA", "/v1/decisions");
        let cursor = cursors.seal(place, list, &kim);
        assert!(!cursor.contains(place));
        let renewed = Reader { token: "another".to_owned(), ..kim.clone() };
        assert_eq!(cursors.open(&cursor, list, &renewed).as_deref(), Some(place));
        let other_node = Cursors::under(Some(&secret));
        assert_eq!(other_node.open(&cursor, list, &kim).as_deref(), Some(place));
        assert_eq!(cursors.open(&cursor, "/v1/requests", &kim), None);
        assert_eq!(cursors.open(&cursor, list, &reader("Lee", AccessRole::Mash)), None);
        assert_eq!(cursors.open(&cursor, list, &reader("Kim", AccessRole::Analyst)), None);
        assert_eq!(Cursors::under(None).open(&cursor, list, &kim), None);
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(cursors.open(&changed, list, &kim), None, "{at}");
        }
        for none in ["", "AAAA", "n5", &"A".repeat(2000)] {
            assert_eq!(cursors.open(none, list, &kim), None);
        }
    }
}
