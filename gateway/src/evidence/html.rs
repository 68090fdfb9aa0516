//! Making markup. Tags and attributes are the program's own; everything else goes through [`Html::text`], which escapes it.

/// A page that is being written.
pub(super) struct Html(String);

/// Attributes of an element: names of the program's own, values that are escaped.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Html {
    /// A page with its head, and its body open.
    pub(super) fn page(title: &str, style: &str) -> Self {
        let mut page = Self(String::with_capacity(64 * 1024));
        page.0.push_str("<!DOCTYPE html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.0.push_str(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
        );
        page.0.push_str("<meta name=\"viewport\" content=\"width=device-width\">\n");
        page.text_element("title", &[], title);
        page.0.push_str("<style>\n");
        page.0.push_str(style);
        page.0.push_str("</style>\n</head>\n<body>\n");
        page
    }

    /// The whole page.
    pub(super) fn finish(mut self) -> String {
        self.0.push_str("</body>\n</html>\n");
        self.0
    }

    /// An element with other elements in it.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        content: impl FnOnce(&mut Self),
    ) {
        self.open(tag, attributes);
        content(self);
        self.close(tag);
    }

    /// An element with a text in it.
    pub(super) fn text_element(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(tag, attributes, |page| page.text(text));
    }

    /// A text whose direction of writing does not spill over.
    pub(super) fn isolated(&mut self, text: &str) {
        self.text_element("bdi", &[], text);
    }

    /// A text, escaped.
    pub(super) fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(character),
                // Nothing that is invisible may reorder or hide what is read.
                _ if character.is_control() || is_direction(character) => self.0.push('\u{fffd}'),
                _ => self.0.push(character),
            }
        }
    }

    fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }

    fn close(&mut self, tag: &'static str) {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        if !matches!(tag, "a" | "bdi" | "code" | "strong" | "time" | "span") {
            self.0.push('\n');
        }
    }
}

/// Characters that change the direction of what follows (UAX 9), or have no width.
const fn is_direction(character: char) -> bool {
    matches!(character, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_written_stays_text() {
        let mut page = Html(String::new());
        page.text_element("p", &[("id", "a\" onclick='x'")], "<script>&\u{202e}\u{0}'\"\n");
        assert_eq!(
            page.0,
            "<p id=\"a&quot; onclick=&#39;x&#39;\">&lt;script&gt;&amp;\u{fffd}\u{fffd}&#39;&quot;\n</p>\n"
        );
    }
}
