//! House rules as tests: what a reviewer would otherwise have to look for in every change.
//!
//! Each rule reads the tree as it lies on disk and names every place that breaks it.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/domain_rows.rs"]
mod domain_rows;
#[path = "tidy/rust_source.rs"]
mod rust_source;
#[path = "tidy/threats.rs"]
mod threats;

use rust_source::code_outside_tests;

/// The crates that know no runtime, clock, file or network, and what they may know of this workspace.
const PURE_CRATES: [&str; 4] = ["ledger/json", "schemas", "ledger/core", "tests/history"];

/// Crates whose presence would let a pure crate do input or output, read a clock or draw random numbers.
const IMPURE_DEPENDENCIES: [&str; 22] = [
    "async-nats",
    "async-std",
    "axum",
    "chrono",
    "fastrand",
    "futures",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "rayon",
    "reqwest",
    "rustls",
    "sled",
    "socket2",
    "tempfile",
    "time",
    "tokio",
    "tower-http",
    "tracing",
    "ureq",
    "uuid",
];

/// The same through the standard library and jiff.
const IMPURE_PATHS: [&str; 14] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "std::io",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "println!",
    "eprintln!",
    "thread_local!",
];

/// Each crate's folder, its package's name, and the packages of this workspace that it may depend on.
const BOUNDARIES: [(&str, &str, &[&str]); 7] = [
    ("ledger/json", "gt-json", &[]),
    ("schemas", "gt-schemas", &["gt-json"]),
    ("ledger/core", "gt-core", &["gt-json"]),
    ("ledger/service", "gt-ledger", &["gt-schemas", "gt-core"]),
    ("projections", "gt-projections", &["gt-schemas", "gt-core", "gt-ledger"]),
    ("gateway", "goldenthread", &["gt-schemas", "gt-core", "gt-ledger", "gt-projections", "gt-history"]),
    // Its truth about a history is its own: it knows the schemas only to test that its events are of them.
    ("tests/history", "gt-history", &["gt-schemas"]),
];

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "shared"];

/// A file that somebody has to hold in mind at once is no longer than this.
const MAX_LINES: usize = 400;

/// Files that are longer, each with its reason.
const LONGER_FILES: [(&str, &str); 0] = [];

/// Numbers with a valid check digit outside the range for fictional people, each with its reason.
const PUBLISHED_NHS_NUMBERS: [(&str, &str); 1] =
    [("9434765919", "the worked example of the check digit that NHS publications use; nobody's number")];

const SKIPPED_FOLDERS: [&str; 6] =
    ["target", ".git", ".venv", "node_modules", "__pycache__", ".pytest_cache"];

/// A file of the tree: its path from the root, with forward slashes, and its text.
struct SourceFile {
    path: String,
    text: String,
}

impl SourceFile {
    fn has_extension(&self, extensions: &[&str]) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
    }

    /// Whether all of this file is test code: it lies in a folder for tests, or is a module `tests`. The histories lie
    /// beside the tests, but the program's own measurements use them.
    fn is_test_code(&self) -> bool {
        let path = self.path.strip_prefix("tests/history/").unwrap_or(&self.path);
        path.split('/').any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie one folder below the root")
        .to_path_buf()
}

/// Every text file of the tree. Files that are not UTF-8 are left out: no rule here is about them.
fn tree() -> Vec<SourceFile> {
    let (root, mut files) = (root(), Vec::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).expect("the tree is readable") {
            let item = item.expect("the tree is readable");
            let (path, name) = (item.path(), item.file_name());
            if item.file_type().expect("the tree is readable").is_dir() {
                if !SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path
                    .strip_prefix(&root)
                    .expect("found below the root")
                    .to_string_lossy()
                    .replace('\\', "/");
                files.push(SourceFile { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 20, "the tree was not found at {}", root.display());
    files
}

fn rust_files() -> impl Iterator<Item = SourceFile> {
    tree().into_iter().filter(|file| file.has_extension(&["rs"]))
}

fn assert_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// The names under a manifest's dependency tables whose header passes `wanted`.
fn dependencies(manifest: &str, wanted: fn(&str) -> bool) -> Vec<String> {
    let (mut names, mut inside) = (Vec::new(), false);
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header.ends_with("dependencies") && wanted(header);
            // `[dependencies.name]` is a table of its own.
            if let Some((table, name)) = header.split_once("dependencies.")
                && wanted(&format!("{table}dependencies"))
            {
                names.push(name.to_owned());
            }
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            names.push(name.trim_matches('"').to_owned());
        }
    }
    names
}

fn manifest(folder: &str) -> String {
    fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("every crate has a manifest")
}

#[test]
fn pure_crates_depend_on_nothing_that_reads_the_world() {
    let mut broken = Vec::new();
    for folder in PURE_CRATES {
        let names = dependencies(&manifest(folder), |table| !table.ends_with("dev-dependencies"));
        assert!(!names.is_empty(), "no dependencies were read from {folder}/Cargo.toml");
        let impure = names.iter().filter(|name| IMPURE_DEPENDENCIES.contains(&name.as_str()));
        broken.extend(impure.map(|name| format!("{folder}/Cargo.toml: {name}")));
    }
    assert_none("a pure crate lists a crate for input, output, clocks or random numbers", &broken);
}

#[test]
fn pure_crates_use_nothing_that_reads_the_world() {
    let mut broken = Vec::new();
    for file in rust_files() {
        let pure = PURE_CRATES.iter().any(|folder| file.path.starts_with(&format!("{folder}/src/")));
        if !pure || file.is_test_code() {
            continue;
        }
        for (number, line) in code_outside_tests(&file.text) {
            let found = IMPURE_PATHS.iter().filter(|path| names_path(&line, path));
            broken.extend(found.map(|path| format!("{}:{number}: {path}", file.path)));
        }
    }
    assert_none("a pure crate reaches for the world outside", &broken);
}

/// Whether a line has this path as words of its own: `Instant` is not in `Instantiate`.
fn names_path(line: &str, path: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(path).any(|(start, found)| {
        let after = line[start + found.len()..].chars().next();
        !line[..start].chars().next_back().is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[test]
fn crates_depend_only_on_those_above_them() {
    let mut broken = Vec::new();
    let packages: Vec<&str> = BOUNDARIES.iter().map(|(_, package, _)| *package).collect();
    for (folder, package, allowed) in BOUNDARIES {
        let text = manifest(folder);
        assert!(text.contains(&format!("name = \"{package}\"")), "{folder} does not hold {package}");
        let shipped = dependencies(&text, |header| !header.contains("dev-"));
        for name in dependencies(&text, |_| true) {
            // Histories to test with are pure, and none of the code under test is in them.
            let only_tests = name == "gt-history" && !shipped.contains(&name) && package == "gt-ledger";
            if packages.contains(&name.as_str()) && !allowed.contains(&name.as_str()) && !only_tests {
                broken.push(format!("{package} depends on {name}"));
            }
        }
    }
    assert_none("a crate knows one that it must not know", &broken);
}

#[test]
fn no_unwrap_outside_tests() {
    let mut broken = Vec::new();
    for file in rust_files().filter(|file| !file.is_test_code()) {
        let lines = code_outside_tests(&file.text).into_iter();
        let found = lines.filter(|(_, line)| line.contains(".unwrap()") || line.contains(".unwrap_err()"));
        broken.extend(found.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())));
    }
    assert_none("unwrap() says nothing about why it cannot fail", &broken);
}

#[test]
fn nothing_is_left_to_do() {
    let mut broken = Vec::new();
    for file in rust_files() {
        for (number, line) in rust_source::code(&file.text) {
            for left in ["todo!", "unimplemented!", "dbg!"] {
                if names_path(&line, left.trim_end_matches('!')) && line.contains(left) {
                    broken.push(format!("{}:{number}: {left}", file.path));
                }
            }
        }
    }
    assert_none("unfinished code", &broken);
}

#[test]
fn file_names_are_the_fields_own() {
    let named_emptily = |part: &str| {
        let stem = part.split('.').next().unwrap_or_default();
        EMPTY_NAMES.iter().any(|empty| stem == *empty || stem.ends_with(&format!("_{empty}")))
    };
    let broken: Vec<String> =
        tree().into_iter().map(|file| file.path).filter(|path| path.split('/').any(named_emptily)).collect();
    assert_none("a name that would fit any file", &broken);
}

#[test]
fn files_stay_readable() {
    let mut broken = Vec::new();
    let files = tree();
    for file in &files {
        let is_source = file.has_extension(&["rs", "py", "js", "sh"]) || file.text.starts_with("#!");
        let lines = file.text.lines().count();
        let excused = LONGER_FILES.iter().any(|(path, _)| *path == file.path);
        match (lines > MAX_LINES, excused) {
            (true, false) if is_source => broken.push(format!("{}: {lines} lines", file.path)),
            (false, true) => broken.push(format!("{}: is short again; take it off the list", file.path)),
            _ => {}
        }
    }
    for (path, reason) in LONGER_FILES {
        assert!(
            !reason.is_empty() && files.iter().any(|file| file.path == path),
            "{path}: no reason, or no such file"
        );
    }
    assert_none("files over 400 lines", &broken);
}

#[test]
fn nhs_numbers_are_fictional() {
    let mut broken = Vec::new();
    for file in tree() {
        if file.path == "Cargo.lock" {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            let real = quoted(line).map(|text| text.replace(' ', "")).filter(|text| {
                is_nhs_number(text)
                    && !text.starts_with("999")
                    && !PUBLISHED_NHS_NUMBERS.iter().any(|(known, _)| known == text)
            });
            broken.extend(real.map(|_| format!("{}:{}", file.path, index + 1)));
        }
    }
    assert_none("a valid NHS number outside the 999 range for fictional people", &broken);
}

/// What stands between two quotation marks of a line: the odd parts, and the even ones too, as a string may span lines.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split(['"', '\'', '`'])
}

/// NHS numbers: ten digits, weights 10 to 2, check digit 11 − (sum mod 11), 11 written as 0 and 10 never issued.
fn is_nhs_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|character| character.to_digit(10)).collect();
    if digits.len() != 10 || text.len() != 10 {
        return false;
    }
    let sum: u32 = digits.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 11 == digits[9]
}

#[test]
fn no_paths_of_somebodys_machine() {
    let mut broken = Vec::new();
    // Spelt in parts, so that this file does not break its own rule.
    let folders = ["work", "root", "home", "Users"].map(|name| format!("/{name}/"));
    for file in tree() {
        for (index, line) in file.text.lines().enumerate() {
            let starts_path = |start: usize| {
                !line[..start]
                    .chars()
                    .next_back()
                    .is_some_and(|before| before.is_alphanumeric() || before == '}')
            };
            let found =
                folders.iter().any(|folder| line.match_indices(folder).any(|(start, _)| starts_path(start)));
            if found {
                broken.push(format!("{}:{}", file.path, index + 1));
            }
        }
    }
    assert_none("a path that exists on one machine only", &broken);
}

#[test]
fn the_rules_see_what_they_look_for() {
    assert!(is_nhs_number("9990000018") && is_nhs_number("9434765919") && !is_nhs_number("9990000019"));
    assert_eq!(quoted("let n = \"9990000018\";").filter(|text| is_nhs_number(text)).count(), 1);
    assert!(
        names_path("let t = Instant::now();", "Instant") && !names_path("struct Instantiate;", "Instant")
    );
    let text = "[dependencies]\nserde = \"1\"\ntokio.workspace = true\n[dev-dependencies]\nrand = \"0.9\"\n\
                [target.'cfg(unix)'.dependencies]\nmio = \"1\"\n[dependencies.sled]\nversion = \"0.34\"\n";
    assert_eq!(
        dependencies(text, |table| !table.ends_with("dev-dependencies")),
        ["serde", "tokio", "mio", "sled"]
    );
    assert_eq!(dependencies(text, |_| true).len(), 5);
}
