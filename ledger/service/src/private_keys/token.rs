//! Keys on a PKCS #11 token: private keys that sign there and never leave it, and data objects that hold a JWK.
//!
//! A wrong PIN is never tried twice: after a few of them a token locks itself for good.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use gt_core::key::{PublicKey, Signer, SignerError};
use zeroize::Zeroizing;

use super::token_uri::{Kind, TokenUri, TokenUriError};
use super::{MAX_LENGTH, PassphraseError, PassphraseSource};

/// Why a token gives no key, or no signature.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The URI.
    #[error(transparent)]
    Uri(#[from] TokenUriError),
    /// The library, or the token.
    #[error("the token cannot {step}")]
    Library {
        /// What it was to do.
        step: &'static str,
        /// What the library says.
        #[source]
        source: Error,
    },
    /// No token is as the URI says.
    #[error("no token is there that is as the PKCS #11 URI says (token, serial, manufacturer, model)")]
    NoToken,
    /// Several are.
    #[error("{0} tokens are as the PKCS #11 URI says: name one by token and serial")]
    SeveralTokens(usize),
    /// The PIN is wrong.
    #[error(
        "the token says that its PIN is wrong; it is not tried again, for a token locks itself after a few wrong ones"
    )]
    WrongPin,
    /// There is no PIN.
    #[error("the token's PIN: {0}")]
    Pin(PassphraseError),
    /// No object is as the URI says.
    #[error("the token has no {what} that is as the PKCS #11 URI says (object, id)")]
    NoObject {
        /// What was looked for.
        what: &'static str,
    },
    /// Several are.
    #[error("the token has several {what} that are as the PKCS #11 URI says: name one by object and id")]
    SeveralObjects {
        /// What was looked for.
        what: &'static str,
    },
    /// The key is of another kind, or its public half is not there.
    #[error(
        "the token's public key is no Ed25519 key; it must be there beside the private one, under the same label and id"
    )]
    NotEd25519,
    /// The object is too long to be a key.
    #[error("the token's data object is longer than a key can be")]
    TooLong,
    /// What the token signed does not verify.
    #[error("what the token signed does not verify with its public key: are the two halves of one key?")]
    BadSignature,
}

/// A token, opened when it is first needed.
#[derive(Clone)]
pub(super) struct Token {
    uri: TokenUri,
    pin: PassphraseSource,
    session: Arc<Mutex<State>>,
}

enum State {
    Closed,
    Open(Session),
    /// The PIN was wrong.
    Refused,
}

impl Token {
    /// The token of a URI. The PIN comes from its `pin-source`, or from where passphrases come from.
    pub(super) fn new(uri: TokenUri, passphrase: &PassphraseSource) -> Self {
        let pin = uri.pin_source.as_ref().map_or_else(|| passphrase.clone(), PassphraseSource::file);
        Self { uri, pin, session: Arc::new(Mutex::new(State::Closed)) }
    }

    pub(super) fn kind(&self) -> Kind {
        self.uri.kind.unwrap_or(Kind::Private)
    }

    /// The content of the data object of this label, or of the URI's own; `None` if there is none.
    pub(super) fn read(&self, label: Option<&str>) -> Result<Option<Zeroizing<Vec<u8>>>, TokenError> {
        self.with_session(|session| {
            let Some(object) = self.find(session, ObjectClass::DATA, "data object", label)? else {
                return Ok(None);
            };
            let found = session
                .get_attributes(object, &[AttributeType::Value])
                .map_err(library("hand over a data object"))?;
            let value = found.into_iter().find_map(|attribute| match attribute {
                Attribute::Value(value) => Some(Zeroizing::new(value)),
                _ => None,
            });
            let value = value.ok_or(TokenError::NoObject { what: "data object" })?;
            if value.len() > MAX_LENGTH { Err(TokenError::TooLong) } else { Ok(Some(value)) }
        })
    }

    /// Whoever signs with the private key of the URI.
    pub(super) fn signer(self) -> Result<TokenSigner, TokenError> {
        let public = self.with_session(|session| {
            self.private_key(session)?;
            let what = "public key";
            let object = self.find(session, ObjectClass::PUBLIC_KEY, what, None)?;
            let object = object.ok_or(TokenError::NoObject { what })?;
            let found = session
                .get_attributes(object, &[AttributeType::EcPoint])
                .map_err(library("show a public key"))?;
            let point = found.iter().find_map(|attribute| match attribute {
                Attribute::EcPoint(point) => Some(point.as_slice()),
                _ => None,
            });
            point.and_then(ed25519_point).ok_or(TokenError::NotEd25519)
        })?;
        let signer = TokenSigner { token: self, public };
        // Now, and not when the first statement is to be signed.
        signer.sign(b"golden thread: is this key of one piece?")?;
        Ok(signer)
    }

    fn private_key(&self, session: &Session) -> Result<ObjectHandle, TokenError> {
        let what = "private Ed25519 key";
        self.find(session, ObjectClass::PRIVATE_KEY, what, None)?.ok_or(TokenError::NoObject { what })
    }

    fn find(
        &self,
        session: &Session,
        class: ObjectClass,
        what: &'static str,
        label: Option<&str>,
    ) -> Result<Option<ObjectHandle>, TokenError> {
        let mut template = vec![Attribute::Class(class)];
        if class != ObjectClass::DATA {
            template.push(Attribute::KeyType(KeyType::EC_EDWARDS));
            template.extend(self.uri.id.clone().map(Attribute::Id));
        }
        let label = label.or(self.uri.object.as_deref());
        template.extend(label.map(|label| Attribute::Label(label.as_bytes().to_vec())));
        let found = session.find_objects(&template).map_err(library("list its objects"))?;
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            _ => Err(TokenError::SeveralObjects { what }),
        }
    }

    /// Works in the open session, and in a new one if that has come to its end: somebody may have taken the token out and put it back.
    fn with_session<T>(&self, work: impl Fn(&Session) -> Result<T, TokenError>) -> Result<T, TokenError> {
        let mut state = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(session) = &*state {
            match work(session) {
                Err(TokenError::Library { .. }) => *state = State::Closed,
                done => return done,
            }
        }
        if matches!(*state, State::Refused) {
            return Err(TokenError::WrongPin);
        }
        match self.open() {
            Ok(session) => {
                let done = work(&session);
                *state = State::Open(session);
                done
            }
            Err(error) => {
                if matches!(error, TokenError::WrongPin) {
                    *state = State::Refused;
                }
                Err(error)
            }
        }
    }

    fn open(&self) -> Result<Session, TokenError> {
        let module =
            Pkcs11::new(&self.uri.module).map_err(library("be spoken to: its library does not load"))?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(source) => return Err(library("be spoken to: its library does not start")(source)),
        }
        let (slot, login) = self.slot(&module)?;
        let session = module.open_ro_session(slot).map_err(library("be opened"))?;
        if login {
            let pin = self.pin.pin().map_err(TokenError::Pin)?;
            match session.login(UserType::User, Some(&AuthPin::new(pin.text().into()))) {
                Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
                Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
                    return Err(TokenError::WrongPin);
                }
                Err(source) => return Err(library("take the PIN")(source)),
            }
        }
        Ok(session)
    }

    /// The one token that is as the URI says, and whether it wants a PIN.
    fn slot(&self, module: &Pkcs11) -> Result<(Slot, bool), TokenError> {
        let list = library("be listed");
        let mut found = Vec::new();
        for slot in module.get_slots_with_initialized_token().map_err(&list)? {
            let about = module.get_token_info(slot).map_err(&list)?;
            let is =
                |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
            let (uri, serial) = (&self.uri, about.serial_number());
            if is(&uri.token, about.label())
                && is(&uri.serial, serial)
                && is(&uri.manufacturer, about.manufacturer_id())
                && is(&uri.model, about.model())
            {
                found.push((slot, about.login_required()));
            }
        }
        match found.as_slice() {
            [] => Err(TokenError::NoToken),
            [one] => Ok(*one),
            several => Err(TokenError::SeveralTokens(several.len())),
        }
    }
}

fn library(step: &'static str) -> impl Fn(Error) -> TokenError {
    move |source| TokenError::Library { step, source }
}

/// `CKA_EC_POINT`: 32 bytes, or a DER octet string of them (PKCS #11 v3.0 section 6.3.5; implementations differ).
fn ed25519_point(point: &[u8]) -> Option<PublicKey> {
    let bytes = match point {
        [0x04, 0x20, bytes @ ..] if bytes.len() == 32 => bytes,
        bytes => bytes,
    };
    PublicKey::from_bytes(bytes.try_into().ok()?).ok()
}

/// Signs on a token.
pub(super) struct TokenSigner {
    token: Token,
    public: PublicKey,
}

impl TokenSigner {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], TokenError> {
        let signature = self.token.with_session(|session| {
            let key = self.token.private_key(session)?;
            let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
            session.sign(&mechanism, key, message).map_err(library("sign (CKM_EDDSA)"))
        })?;
        // A signature that does not hold would be refused by the ledger, and the chain with it.
        let signature: [u8; 64] = signature.try_into().map_err(|_| TokenError::BadSignature)?;
        self.public.verify(message, &signature).map_err(|_| TokenError::BadSignature)?;
        Ok(signature)
    }
}

impl Signer for TokenSigner {
    fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    fn try_sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError> {
        self.sign(message).map_err(SignerError::new)
    }
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSigner(of {})", self.public.thumbprint())
    }
}
