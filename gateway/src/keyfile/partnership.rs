//! A partnership's key file: `{"epoch":1,"key":"<base64url of 32 bytes>"}`, written and read as private key files are.

use std::fs::File;
use std::num::NonZeroU16;
use std::path::Path;

use gt_core::base64url;
use gt_core::json::Value;
use gt_schemas::PartnershipKey;
use zeroize::Zeroizing;

use super::{KeyFileError, check_mode, member, object, read_bounded, write_new};

/// Makes a new key and writes it with mode 0600. Never overwrites: without the old key its pseudonyms are nobody's.
pub fn generate_partnership_key(path: &Path, epoch: NonZeroU16) -> Result<(), KeyFileError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice())?;
    let key = Zeroizing::new(base64url::encode(key.as_slice()));
    let text = Zeroizing::new(format!(r#"{{"epoch":{epoch},"key":"{}"}}"#, key.as_str()));
    write_new(path, text.as_bytes(), 0o600)
}

/// Reads a partnership's key. Refuses a file that [`super::read_private`] would refuse for its mode.
pub fn read_partnership_key(path: &Path) -> Result<PartnershipKey, KeyFileError> {
    let mut file = File::open(path)?;
    check_mode(path, &file)?;
    let text = Zeroizing::new(read_bounded(&mut file)?);
    let members = object(&text)?;
    if members.len() != 2 || members.get("epoch").is_none() || members.get("key").is_none() {
        return Err(KeyFileError::NoPartnershipKey);
    }
    let epoch = members.get("epoch").and_then(Value::as_integer);
    let epoch = epoch.and_then(|epoch| u16::try_from(epoch).ok()).and_then(NonZeroU16::new);
    let key = members.get("key").and_then(Value::as_str);
    let key = key.and_then(|text| base64url::decode_array(text).ok()).map(Zeroizing::new);
    Ok(PartnershipKey::new(
        epoch.ok_or_else(|| member("epoch", "a whole number from 1 to 65535"))?,
        key.ok_or_else(|| member("key", "base64url of 32 bytes"))?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gt_schemas::Identifier;
    use std::fs;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("partnership.json");
        write_new(&path, text.as_bytes(), 0o600).unwrap();
        (dir, path)
    }

    #[test]
    fn a_key_is_read_back_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one.json"), dir.path().join("two.json"));
        generate_partnership_key(&one, NonZeroU16::new(1).unwrap()).unwrap();
        generate_partnership_key(&two, NonZeroU16::new(65_535).unwrap()).unwrap();
        let before = fs::read(&one).unwrap();
        assert!(matches!(generate_partnership_key(&one, NonZeroU16::MIN), Err(KeyFileError::Exists)));
        assert_eq!(fs::read(&one).unwrap(), before);
        let child = Identifier::parse("nhs:9990000018").unwrap();
        let pseudonym =
            |path: &Path| read_partnership_key(path).unwrap().pseudonym(&child).as_str().to_owned();
        assert_eq!(pseudonym(&one), pseudonym(&one));
        let digest = |path: &Path| pseudonym(path).split_once(':').unwrap().1.to_owned();
        assert_ne!(digest(&one), digest(&two), "every key is another");
        assert!(pseudonym(&two).starts_with("nhs.65535:"));
    }

    #[test]
    fn the_file_is_what_formats_section_9_says() {
        let text = r#"{"epoch":1,"key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;
        let (_dir, path) = file(text);
        let key = read_partnership_key(&path).unwrap();
        let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/pseudonyms.json");
        let vectors: serde_json::Value = serde_json::from_slice(&fs::read(vectors).unwrap()).unwrap();
        let expected = &vectors["cases"][0]["expected"]["pseudonym"];
        assert_eq!(key.pseudonym(&Identifier::parse("nhs:9990000018").unwrap()).as_str(), expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_get_at_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("partnership.json");
        generate_partnership_key(&path, NonZeroU16::MIN).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o604, 0o620, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = read_partnership_key(&path);
            assert!(
                matches!(refused, Err(KeyFileError::Exposed { mode: found, .. }) if found == mode),
                "{mode:o}"
            );
        }
    }

    #[test]
    fn what_is_no_partnership_key_is_refused_by_what_is_wrong() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for (text, wrong) in [
            (format!(r#"{{"epoch":0,"key":"{key}"}}"#), "epoch"),
            (format!(r#"{{"epoch":65536,"key":"{key}"}}"#), "epoch"),
            (format!(r#"{{"epoch":"1","key":"{key}"}}"#), "epoch"),
            (r#"{"epoch":1,"key":"AAEC"}"#.to_owned(), "key"),
            (format!(r#"{{"epoch":1,"key":"{key}="}}"#), "key"),
        ] {
            let (_dir, path) = file(&text);
            let refused = read_partnership_key(&path);
            assert!(
                matches!(refused, Err(KeyFileError::Member { member, .. }) if member == wrong),
                "{wrong}"
            );
        }
        let signing_key = r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}"#.to_owned();
        for text in
            [signing_key, format!(r#"{{"epoch":1,"key":"{key}","name":"x"}}"#), r#"{"epoch":1}"#.into()]
        {
            let (_dir, path) = file(&text);
            assert!(matches!(read_partnership_key(&path), Err(KeyFileError::NoPartnershipKey)));
        }
        let (_dir, path) = file("[]");
        assert!(matches!(read_partnership_key(&path), Err(KeyFileError::NotJson)));
    }
}
