use super::{JsonError, JsonFault, MAX_DEPTH, MAX_INTEGER, Object, Value};

/// What holds a text: made from the part of the JSON that spells it, or, where that has escapes, from what they mean.
pub(super) trait Text<'t>: From<&'t str> + From<String> + AsRef<str> {}

impl<'t, S: From<&'t str> + From<String> + AsRef<str>> Text<'t> for S {}

/// Reads one value, which must be all that the text holds.
pub(super) fn parse<'t, S: Text<'t>>(bytes: &'t [u8]) -> Result<Value<S>, JsonError> {
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Err(JsonError { fault: JsonFault::ByteOrderMark, at: 0 });
    }
    let text = core::str::from_utf8(bytes).map_err(|error| JsonError {
        // A surrogate encoded as three raw bytes is the commonest way of smuggling one in; name it for what it is.
        fault: if is_raw_surrogate(&bytes[error.valid_up_to()..]) {
            JsonFault::LoneSurrogate
        } else {
            JsonFault::NotUtf8
        },
        at: error.valid_up_to(),
    })?;
    let mut parser = Parser { text, at: 0 };
    parser.space();
    let value = parser.value(1)?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.fault(JsonFault::Syntax));
    }
    Ok(value)
}

fn is_raw_surrogate(bytes: &[u8]) -> bool {
    matches!(bytes, [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..])
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
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

    fn value<S: Text<'t>>(&mut self, depth: usize) -> Result<Value<S>, JsonError> {
        match self.peek() {
            Some(b'{' | b'[') if depth > MAX_DEPTH => Err(self.fault(JsonFault::TooDeep)),
            Some(b'{') => self.object(depth).map(Value::Object),
            Some(b'[') => self.array(depth).map(Value::Array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Integer),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.fault(JsonFault::Syntax)),
        }
    }

    fn literal<S>(&mut self, word: &str, value: Value<S>) -> Result<Value<S>, JsonError> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.fault(JsonFault::Syntax))
        }
    }

    fn object<S: Text<'t>>(&mut self, depth: usize) -> Result<Object<S>, JsonError> {
        self.expect(b'{')?;
        let mut members: Vec<(S, Value<S>)> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            let name: S = self.string()?;
            if name.as_ref() == "__proto__" {
                return Err(JsonError { fault: JsonFault::Proto, at: start });
            }
            self.space();
            self.expect(b':')?;
            self.space();
            let value = self.value(depth + 1)?;
            members.push((name, value));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.fault(JsonFault::Syntax)),
            }
        }
        self.at += 1;
        if has_repeated_name(&members) {
            return Err(self.fault(JsonFault::DuplicateMember));
        }
        Ok(Object(members))
    }

    fn array<S: Text<'t>>(&mut self, depth: usize) -> Result<Vec<Value<S>>, JsonError> {
        self.expect(b'[')?;
        let mut elements = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(elements);
        }
        loop {
            self.space();
            elements.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.fault(JsonFault::Syntax)),
            }
        }
        self.at += 1;
        Ok(elements)
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

    fn string<S: Text<'t>>(&mut self) -> Result<S, JsonError> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let run =
                rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
            self.at += run;
            // Every byte that ends a run is ASCII, so both ends are character boundaries.
            let text = &rest[..run];
            if out.is_empty() && self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(text.into());
            }
            out.push_str(text);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => out.push(self.escape()?),
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

/// Small objects are compared pairwise; large ones are sorted, so that hostile input costs n log n and not n².
fn has_repeated_name<S: AsRef<str>>(members: &[(S, Value<S>)]) -> bool {
    if members.len() <= 16 {
        let before =
            |at: usize, name: &str| members[..at].iter().any(|(earlier, _)| earlier.as_ref() == name);
        return members.iter().enumerate().any(|(at, (name, _))| before(at, name.as_ref()));
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}
