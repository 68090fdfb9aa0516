use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use async_nats::{Auth, AuthError};
use nkeys::{KeyPair, KeyPairType};
use zeroize::Zeroizing;

use super::ConnectError;

/// The longest credentials file that is read, in bytes.
const MAX_CREDENTIALS_BYTES: usize = 64 * 1024;

/// By what a system shows a NATS server who it is: an nkey, or a JWT and its nkey. Only signatures of the server's nonce leave it.
#[derive(Clone)]
pub(super) struct Credentials {
    jwt: Option<Zeroizing<String>>,
    key: Arc<KeyPair>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Makes a NATS user's key: its seed (`SU…`), which is secret, and its public key (`U…`), which a server's configuration names.
pub fn new_user_seed() -> Result<(Zeroizing<String>, String), getrandom::Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice())?;
    let key = KeyPair::new_from_raw(KeyPairType::User, *bytes).expect("every 32 bytes are a seed");
    let seed = key.seed().expect("a key that was made from a seed has it");
    Ok((Zeroizing::new(seed), key.public_key()))
}

impl Credentials {
    /// Reads a file with a bare nkey seed or a `.creds` file. Refuses one that others can read.
    pub(super) fn read(path: &Path) -> Result<Self, ConnectError> {
        let unreadable = |source| ConnectError::CredentialsUnreadable { file: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        if is_exposed(&file).map_err(unreadable)? {
            return Err(ConnectError::CredentialsExposed { file: path.to_owned() });
        }
        let mut text = Zeroizing::new(String::with_capacity(MAX_CREDENTIALS_BYTES + 1));
        let read = file.take(MAX_CREDENTIALS_BYTES as u64 + 1).read_to_string(&mut text);
        let malformed = || ConnectError::CredentialsMalformed { file: path.to_owned() };
        match read {
            Ok(length) if length <= MAX_CREDENTIALS_BYTES => Self::parse(&text).ok_or_else(malformed),
            Err(error) if error.kind() != io::ErrorKind::InvalidData => Err(unreadable(error)),
            _ => Err(malformed()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (jwt, seed) = match (section(text, "NATS USER JWT"), section(text, "USER NKEY SEED")) {
            (None, None) => (None, text.trim()),
            (jwt, seed) => (Some(jwt?), seed?),
        };
        let key = KeyPair::from_seed(seed).ok()?;
        (key.key_pair_type() == KeyPairType::User)
            .then(|| Self { jwt: jwt.map(|jwt| Zeroizing::new(jwt.to_owned())), key: Arc::new(key) })
    }

    /// What is sent to a server that gave this nonce.
    pub(super) fn answer(&self, nonce: &[u8]) -> Result<Auth, AuthError> {
        let mut auth = Auth::new();
        auth.signature = Some(self.key.sign(nonce).map_err(|_| AuthError::new("the key does not sign"))?);
        match &self.jwt {
            // The JWT names the key.
            Some(jwt) => auth.jwt = Some(jwt.to_string()),
            None => auth.nkey = Some(self.key.public_key()),
        }
        Ok(auth)
    }
}

/// The one line between a `.creds` file's marks. The marks have three hyphens or more, and not always as many.
fn section<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let is_mark = |line: &str, word: &str| {
        let inner = line.trim().trim_matches('-').trim();
        line.trim().starts_with("---") && inner.strip_prefix(word).is_some_and(|rest| rest.trim() == name)
    };
    let mut lines = text.lines().skip_while(|line| !is_mark(line, "BEGIN")).skip(1);
    let content = lines.by_ref().map(str::trim).find(|line| !line.is_empty())?;
    lines.find(|line| !line.trim().is_empty()).is_some_and(|line| is_mark(line, "END")).then_some(content)
}

#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creds(jwt: &str, seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             ***** IMPORTANT *****\nkeep it\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n\n****\n"
        )
    }

    #[test]
    fn a_seed_and_a_creds_file_sign_the_nonce() {
        let (seed, public) = new_user_seed().unwrap();
        assert!(seed.starts_with("SU") && public.starts_with('U'));
        let verifier = KeyPair::from_public_key(&public).unwrap();
        let signed = |credentials: Credentials| {
            let auth = credentials.answer(b"nonce").unwrap();
            verifier.verify(b"nonce", auth.signature.as_ref().unwrap()).unwrap();
            (auth.jwt, auth.nkey)
        };
        assert_eq!(
            signed(Credentials::parse(&format!("{}\n", *seed)).unwrap()),
            (None, Some(public.clone()))
        );
        for text in [creds("e.y.J", &seed), creds("e.y.J", &seed).replace('\n', "\r\n")] {
            assert_eq!(signed(Credentials::parse(&text).unwrap()), (Some("e.y.J".to_owned()), None));
        }
        let shown = format!("{:?}", Credentials::parse(&creds("e.y.J", &seed)).unwrap());
        assert!(!shown.contains(&seed[2..]) && !shown.contains("e.y.J"), "{shown}");
    }

    #[test]
    fn anything_else_is_no_credentials() {
        let (seed, public) = new_user_seed().unwrap();
        let account = KeyPair::new_from_raw(KeyPairType::Account, [1; 32]).unwrap().seed().unwrap();
        let whole = creds("e.y.J", &seed);
        let without_seed = whole.split("-----BEGIN USER").next().unwrap();
        for text in
            ["", "user:password", &public, &account, &seed[1..], without_seed, &creds("e.y.J", &public)]
        {
            assert!(Credentials::parse(text).is_none(), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_and_nothing_of_it_is_said() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agency.nk");
        let (seed, _) = new_user_seed().unwrap();
        std::fs::write(&path, seed.as_bytes()).unwrap();
        for (mode, sound) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match Credentials::read(&path) {
                Ok(_) => assert!(sound, "{mode:o}"),
                Err(error) => {
                    assert!(!sound && matches!(error, ConnectError::CredentialsExposed { .. }), "{mode:o}");
                }
            }
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for content in [seed[..40].as_bytes(), &[0xff; 58], &vec![b'S'; MAX_CREDENTIALS_BYTES + 1]] {
            std::fs::write(&path, content).unwrap();
            let error = Credentials::read(&path).unwrap_err();
            assert!(matches!(error, ConnectError::CredentialsMalformed { .. }));
            assert!(!format!("{error} {error:?}").contains(&seed[2..40]));
        }
        let missing = Credentials::read(&dir.path().join("missing")).unwrap_err();
        assert!(matches!(missing, ConnectError::CredentialsUnreadable { .. }));
    }
}
