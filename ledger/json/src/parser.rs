use zeroize::Zeroizing;

use super::document::Node;
use super::{JsonError, JsonFault, MAX_DEPTH, MAX_INTEGER};

/// Reads one value, which must be all that the text holds from here on, and adds its nodes. Returns what its escapes mean, which is
/// taken to follow the text.
pub(super) fn parse(text: &str, from: usize, nodes: &mut Vec<Node>) -> Result<Zeroizing<String>, JsonError> {
    if text[from..].starts_with('\u{feff}') {
        return Err(JsonError { fault: JsonFault::ByteOrderMark, at: 0 });
    }
    let mut parser = Parser { text, at: from, nodes, unescaped: Zeroizing::default() };
    match parser.whole() {
        Ok(()) => Ok(parser.unescaped),
        Err(JsonError { fault, at }) => Err(JsonError { fault, at: at - from }),
    }
}

/// Why bytes are no text: they are UTF-8 up to here.
pub(super) fn not_utf8(bytes: &[u8], at: usize) -> JsonError {
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return JsonError { fault: JsonFault::ByteOrderMark, at: 0 };
    }
    // A surrogate encoded as three raw bytes is the commonest way of smuggling one in; name it for what it is.
    let surrogate = is_raw_surrogate(&bytes[at..]);
    JsonError { fault: if surrogate { JsonFault::LoneSurrogate } else { JsonFault::NotUtf8 }, at }
}

fn is_raw_surrogate(bytes: &[u8]) -> bool {
    matches!(bytes, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..])
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    nodes: &'t mut Vec<Node>,
    /// It is wiped, and has room for all from the beginning: it may hold a private key.
    unescaped: Zeroizing<String>,
}

/// Where a text stands: `start` and `len`, as in its node.
#[derive(Clone, Copy)]
struct Text(usize, usize);

/// Up to so many names of an object are compared with each other as they come; of more, all are sorted once, so that hostile input costs
/// n log n and not n².
const COMPARED: usize = 32;

/// The names of an object that is being read.
struct Names {
    first: [Text; COMPARED],
    count: usize,
    is_repeated: bool,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<(), JsonError> {
        self.space();
        self.value(1)?;
        self.space();
        if self.at < self.text.len() { Err(self.fault(JsonFault::Syntax)) } else { Ok(()) }
    }

    fn fault(&self, fault: JsonFault) -> JsonError {
        JsonError { fault, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.fault(JsonFault::Syntax))
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        let node = match self.peek() {
            Some(b'{' | b'[') if depth > MAX_DEPTH => return Err(self.fault(JsonFault::TooDeep)),
            Some(b'{') => return self.object(depth),
            Some(b'[') => return self.array(depth),
            Some(b'"') => self.string()?.node(),
            Some(b'-' | b'0'..=b'9') => Node::Integer(self.number()?),
            Some(b't') => self.literal("true", Node::Bool(true))?,
            Some(b'f') => self.literal("false", Node::Bool(false))?,
            Some(b'n') => self.literal("null", Node::Null)?,
            _ => return Err(self.fault(JsonFault::Syntax)),
        };
        self.nodes.push(node);
        Ok(())
    }

    fn literal(&mut self, word: &str, node: Node) -> Result<Node, JsonError> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(node)
        } else {
            Err(self.fault(JsonFault::Syntax))
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonError> {
        let node = self.nodes.len();
        let mut names = Names { first: [Text(0, 0); COMPARED], count: 0, is_repeated: false };
        self.nodes.push(Node::Null);
        self.list(b'{', b'}', |parser| {
            let start = parser.at;
            let name = parser.string()?;
            if parser.resolve(name) == "__proto__" {
                return Err(JsonError { fault: JsonFault::Proto, at: start });
            }
            parser.nodes.push(name.node());
            parser.take_name(&mut names, name);
            parser.space();
            parser.expect(b':')?;
            parser.space();
            parser.value(depth + 1)
        })?;
        self.nodes[node] = Node::Object { members: names.count, nodes: self.nodes.len() - node - 1 };
        if names.is_repeated || (names.count > COMPARED && self.has_repeated_name(node)) {
            return Err(self.fault(JsonFault::DuplicateMember));
        }
        Ok(())
    }

    fn take_name(&self, names: &mut Names, name: Text) {
        if let Some(place) = names.first.get_mut(names.count) {
            *place = name;
            let text = self.resolve(name);
            let is_it = |earlier: &Text| earlier.1 == name.1 && self.resolve(*earlier) == text;
            names.is_repeated |= names.first[..names.count].iter().any(is_it);
        }
        names.count += 1;
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        let (node, mut elements) = (self.nodes.len(), 0);
        self.nodes.push(Node::Null);
        self.list(b'[', b']', |parser| {
            elements += 1;
            parser.value(depth + 1)
        })?;
        self.nodes[node] = Node::Array { elements, nodes: self.nodes.len() - node - 1 };
        Ok(())
    }

    /// Reads what stands between brackets, with commas between.
    fn list(
        &mut self,
        open: u8,
        close: u8,
        mut one: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(open)?;
        self.space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            one(self)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                _ => return Err(self.fault(JsonFault::Syntax)),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Whether a name stands twice in the object whose node this is.
    fn has_repeated_name(&self, object: usize) -> bool {
        let mut names = Vec::new();
        let mut at = object + 1;
        while let Some(Node::Text { start, len }) = self.nodes.get(at).copied() {
            names.push(self.resolve(Text(start, len)));
            let value = at + 1;
            at = value + self.nodes.get(value).map_or(1, |node| node.nodes());
        }
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    fn resolve(&self, Text(start, len): Text) -> &str {
        match start.checked_sub(self.text.len()) {
            Some(start) => &self.unescaped[start..start + len],
            None => &self.text[start..start + len],
        }
    }

    fn number(&mut self) -> Result<i64, JsonError> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
        }
        let digits_start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let digits = &self.text[digits_start..self.at];
        if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
            return Err(JsonError { fault: JsonFault::Syntax, at: start });
        }
        let not_plain = matches!(self.peek(), Some(b'.' | b'e' | b'E')) || (negative && digits == "0");
        let magnitude = digits.parse::<i64>().ok().filter(|number| *number <= MAX_INTEGER);
        match magnitude {
            Some(number) if !not_plain => Ok(if negative { -number } else { number }),
            _ => Err(JsonError { fault: JsonFault::Number, at: start }),
        }
    }

    fn string(&mut self) -> Result<Text, JsonError> {
        self.expect(b'"')?;
        let unescaped = self.unescaped.len();
        loop {
            let rest = &self.text[self.at..];
            let run = plain_run(rest.as_bytes());
            let start = self.at;
            self.at += run;
            // Every byte that ends a run is ASCII, so both ends are character boundaries.
            let has_escapes = self.unescaped.len() > unescaped;
            if !has_escapes && self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(Text(start, run));
            }
            if self.unescaped.capacity() == 0 {
                // What escapes mean is never longer than they are, and these are all from here on.
                self.unescaped.reserve_exact(self.text.len() - start);
            }
            self.unescaped.push_str(&rest[..run]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text(self.text.len() + unescaped, self.unescaped.len() - unescaped));
                }
                Some(b'\\') => {
                    let character = self.escape()?;
                    self.unescaped.push(character);
                }
                Some(0) => return Err(self.fault(JsonFault::Nul)),
                _ => return Err(self.fault(JsonFault::Syntax)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let letter = self.peek().ok_or_else(|| self.fault(JsonFault::Syntax))?;
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.fault(JsonFault::Syntax)),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let start = self.at - 1;
        let first = self.hex4()?;
        let scalar = match first {
            0 => return Err(JsonError { fault: JsonFault::Nul, at: start }),
            0xD800..=0xDBFF => {
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    return Err(JsonError { fault: JsonFault::LoneSurrogate, at: start });
                }
                self.at += 1;
                let second = self.hex4()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(JsonError { fault: JsonFault::LoneSurrogate, at: start });
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        char::from_u32(scalar).ok_or(JsonError { fault: JsonFault::LoneSurrogate, at: start })
    }

    /// Reads `uXXXX` from the `u` on.
    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self
            .text
            .as_bytes()
            .get(self.at + 1..self.at + 5)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .ok_or_else(|| self.fault(JsonFault::Syntax))?;
        let number = digits.iter().fold(0, |sum, digit| {
            sum * 16 + char::from(*digit).to_digit(16).expect("checked to be a hexadecimal digit")
        });
        self.at += 5;
        Ok(number)
    }
}

/// How many bytes stand before the first one that a text cannot have as it is, or that ends it.
fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let ends = ends_in(u64::from_le_bytes(*word));
        if ends != 0 {
            return position * 8 + ends.trailing_zeros() as usize / 8;
        }
    }
    let ends = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    bytes.len() - rest.len() + rest.iter().position(ends).unwrap_or(rest.len())
}

/// Eight bytes at once: the lowest bit that is set is the highest one of the first byte that is a control character, a quotation mark or a
/// backslash. Bits above it mean nothing, since a byte borrows from the next.
const fn ends_in(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHEST: u64 = ONES << 7;
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(ONES * limit as u64) & !word
    }
    let quotation_mark = below(word ^ (ONES * b'"' as u64), 1);
    let backslash = below(word ^ (ONES * b'\\' as u64), 1);
    (below(word, 0x20) | quotation_mark | backslash) & HIGHEST
}

impl Text {
    const fn node(self) -> Node {
        Node::Text { start: self.0, len: self.1 }
    }
}
