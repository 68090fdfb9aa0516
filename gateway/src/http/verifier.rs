//! The page on which a review panel checks evidence: one file, which asks the network for nothing.
//!
//! It is made of the plain scripts in `verifier/`, in the order of `verifier/files.txt`, and carries its own
//! Content-Security-Policy, so that it is bound by it from a disk too. `tests/browser` makes the same file and tries it.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use gt_core::Hash;
use serde::Deserialize;

use super::Query;

/// The texts of files in `verifier/`, one after another.
macro_rules! joined {
    ($($file:literal),* $(,)?) => { concat!($(include_str!(concat!("../../verifier/", $file))),*) };
}

/// The check itself, which a worker of the page runs too.
const CHECK: &str = joined![
    "bytes.js",
    "sha256.js",
    "json.js",
    "times.js",
    "keys.js",
    "statement.js",
    "entry.js",
    "links.js",
    "tree.js",
    "keccak.js",
    "mldsa.js",
    "note.js",
    "policy.js",
    "registry.js",
    "chain.js",
    "receipt.js",
    "pseudonym.js",
    "bundle_form.js",
    "bundle_records.js",
    "bundle_child.js",
    "bundle_log.js",
    "bundle.js",
    "fork.js",
    "open_log.js",
    "self_test.js",
    "inputs.js",
    "words.js",
    "sentences.js",
    "view.js",
    "worker.js",
];
/// What shows it.
const PAGE: &str = joined!["page_result.js", "page_mistaken.js", "page.js"];
const STYLE: &str = joined!["page.css"];
const TEMPLATE: &str = joined!["page.html"];
/// The page's policy, a directive a line.
const POLICY: &str = joined!["policy.txt"];

const FILE_NAME: &str = "golden-thread-verifier.html";

/// How the page is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// To be saved and not shown; whatever its value.
    download: Option<String>,
}

/// `GET /verify`
pub(super) async fn show(Query(wanted): Query<Wanted>) -> Response {
    let headers: [(HeaderName, String); 5] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        // What a `meta` element cannot say stands here alone.
        (header::CONTENT_SECURITY_POLICY, format!("{}; frame-ancestors 'none'", policy())),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    let page = Bytes::from_static(page().as_bytes());
    if wanted.download.is_none() {
        return (headers, page).into_response();
    }
    let disposition = format!("attachment; filename=\"{FILE_NAME}\"");
    (headers, [(header::CONTENT_DISPOSITION, disposition)], page).into_response()
}

/// The whole page.
pub(crate) fn page() -> &'static str {
    static ASSEMBLED: OnceLock<String> = OnceLock::new();
    ASSEMBLED.get_or_init(|| {
        TEMPLATE
            .replace("{{policy}}", &policy())
            .replace("{{style}}", STYLE)
            .replace("{{verifier}}", CHECK)
            .replace("{{page}}", PAGE)
    })
}

/// The policy, with the hashes of what the page has in it: nothing else runs.
fn policy() -> String {
    let directives: Vec<&str> = POLICY.lines().collect();
    directives
        .join("; ")
        .replace("{{scripts}}", &format!("{} {}", source(CHECK), source(PAGE)))
        .replace("{{style}}", &source(STYLE))
}

/// A text's hash as a policy has it: base64 in the standard alphabet, padded.
fn source(text: &str) -> String {
    let hash = Hash::of(text.as_bytes()).to_string().replace('-', "+").replace('_', "/");
    format!("'sha256-{hash}='")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What stands in the template for its parts.
    const MARKS: [&str; 4] = ["{{policy}}", "{{style}}", "{{verifier}}", "{{page}}"];

    fn on_disk(list: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifier");
        list.lines().map(|name| fs::read_to_string(folder.join(name)).expect("a listed file")).collect()
    }

    #[test]
    fn the_page_has_the_listed_files_in_their_order() {
        let list = on_disk("files.txt");
        let (check, page) = list.trim_end().split_once("\n\n").expect("two lists");
        assert_eq!(on_disk(check), CHECK);
        assert_eq!(on_disk(page), PAGE);
    }

    #[test]
    fn no_part_can_end_its_element_or_be_taken_for_a_mark() {
        for part in [CHECK, PAGE, STYLE] {
            let lower = part.to_lowercase();
            for forbidden in ["</script", "</style", "<!--"].iter().chain(&MARKS) {
                assert!(!lower.contains(forbidden), "{forbidden}");
            }
        }
        for mark in MARKS {
            assert!(TEMPLATE.contains(mark) && !page().contains(mark), "{mark} was not replaced");
        }
    }

    #[test]
    fn the_policy_allows_what_is_in_the_page_and_no_address() {
        // The hash of the empty text, as `openssl dgst -sha256 -binary | openssl base64` prints it.
        assert_eq!(source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
        let policy = policy();
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("http") && !policy.contains("connect-src"),
            "{policy}"
        );
        assert!(page().contains(&format!("content=\"{policy}\"")));
    }
}
