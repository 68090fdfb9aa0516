//! Just enough of Rust's lexical rules to look at code without its comments, its strings' contents and its tests.

/// The lines of code, numbered from 1, with comments and the contents of strings blanked out.
pub(crate) fn code(source: &str) -> Vec<(usize, String)> {
    let blanked = blank(source);
    blanked.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect()
}

/// As [`code`], without the items under `#[cfg(test)]`.
pub(crate) fn code_outside_tests(source: &str) -> Vec<(usize, String)> {
    let mut blanked = blank(source);
    while let Some(start) = blanked.find("#[cfg(test)]") {
        let end = end_of_item(&blanked, start + "#[cfg(test)]".len());
        let hidden: String =
            blanked[start..end].chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect();
        blanked.replace_range(start..end, &hidden);
    }
    blanked.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect()
}

/// Where the item that starts at `start` ends: after its `;`, or after the brace that closes its first one.
fn end_of_item(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, character) in code[start..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth <= 1 => return start + offset + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return start + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// Replaces comments and the contents of literals by spaces; line breaks stay.
fn blank(source: &str) -> String {
    let characters: Vec<char> = source.chars().collect();
    let (mut out, mut at) = (String::with_capacity(source.len()), 0);
    while at < characters.len() {
        let end = literal_or_comment_end(&characters, at);
        if end == at {
            out.push(characters[at]);
            at += 1;
        } else {
            out.extend(
                characters[at..end].iter().map(|character| if *character == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where a comment or literal that starts here ends; the same position if none starts here.
fn literal_or_comment_end(text: &[char], at: usize) -> usize {
    let next = text.get(at + 1).copied();
    match text[at] {
        '/' if next == Some('/') => find(text, at, &['\n']),
        '/' if next == Some('*') => block_comment_end(text, at),
        '"' => escaped_end(text, at, '"'),
        '\'' if is_character_literal(text, at) => escaped_end(text, at, '\''),
        'r' if !follows_word(text, at) => raw_string_end(text, at),
        'b' if !follows_word(text, at) && next == Some('r') => {
            let end = raw_string_end(text, at + 1);
            if end == at + 1 { at } else { end }
        }
        _ => at,
    }
}

/// The position of the first of `ends` from here, or the end of the text.
fn find(text: &[char], at: usize, ends: &[char]) -> usize {
    text[at..].iter().position(|character| ends.contains(character)).map_or(text.len(), |offset| at + offset)
}

fn follows_word(text: &[char], at: usize) -> bool {
    at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_') && text[at - 1] != 'b'
}

/// Rust's block comments nest.
fn block_comment_end(text: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) if depth == 1 => return at + 2,
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn escaped_end(text: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < text.len() && text[at] != quote {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// `'a'` and `'\n'` are literals, `'a` in `&'a str` is a lifetime.
fn is_character_literal(text: &[char], at: usize) -> bool {
    text.get(at + 1) == Some(&'\\') || (text.get(at + 2) == Some(&'\'') && text.get(at + 1) != Some(&'\''))
}

/// From the `r` of `r"…"` or `r#"…"#`; the same position if no raw string starts here.
fn raw_string_end(text: &[char], at: usize) -> usize {
    let hashes = text[at + 1..].iter().take_while(|character| **character == '#').count();
    let open = at + 1 + hashes;
    if text.get(open) != Some(&'"') {
        return at;
    }
    let mut close = open + 1;
    while close < text.len() {
        if text[close] == '"'
            && text[close + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
        {
            return close + 1 + hashes;
        }
        close += 1;
    }
    text.len()
}

#[test]
fn comments_and_strings_are_not_code() {
    let source = "let a = \"x.unwrap() \\\" y\"; // .unwrap()\nlet b = r#\"dbg!\"#; /* todo! /* nested */ */ c.unwrap();\n\
                  let d = '\"'; fn e<'a>(f: &'a str) {} let g = b\"h\"; let i = br\"j\";";
    let lines: Vec<String> = code(source).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines.len(), 3);
    assert!(!lines[0].contains("unwrap") && lines[0].starts_with("let a = "));
    assert!(!lines[1].contains("dbg") && !lines[1].contains("todo") && lines[1].contains("c.unwrap();"));
    assert!(
        lines[2].contains("fn e<'a>(f: &'a str) {}") && !lines[2].contains('h') && !lines[2].contains('j')
    );
}

#[test]
fn items_under_cfg_test_are_not_production_code() {
    let source = "fn a() { b.unwrap(); }\n#[cfg(test)]\nuse c::d;\nfn e() {}\n#[cfg(test)]\nmod tests {\n    fn f() { g.unwrap(); }\n}\n\
                  fn h() {}\n";
    let kept: Vec<(usize, String)> =
        code_outside_tests(source).into_iter().filter(|(_, line)| !line.trim().is_empty()).collect();
    let numbers: Vec<usize> = kept.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 4, 9], "{kept:?}");
}
