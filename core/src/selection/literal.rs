//! Parser for the object literal of a module. It accepts JSON, names without quotes, single quotes,
//! comments and trailing commas.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

/// The maximum nesting depth.
const DEPTH: usize = 16;

/// The parsed module.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) value: Value,
    /// Paths that occur more than once.
    pub(super) repeated: Vec<String>,
    /// Comments, each with the line on which it begins.
    pub(super) comments: Vec<(usize, String)>,
}

/// The position of a syntax error, and what was expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) expected: &'static str,
}

/// Parses `export const backendSelection = {…};`.
pub(super) fn parse(text: &str) -> Result<Module, Syntax> {
    let mut reader = Reader {
        text,
        rest: text,
        repeated: Vec::new(),
        comments: Vec::new(),
    };
    for word in ["export", "const", "backendSelection", "="] {
        reader.require(word, "`export const backendSelection = {`")?;
    }
    reader.skip()?;
    if !reader.rest.starts_with('{') {
        return Err(reader.expected("an object in braces"));
    }
    let value = reader.value("", DEPTH)?;
    reader.skip()?;
    reader.take(";");
    reader.skip()?;
    if !reader.rest.is_empty() {
        return Err(reader.expected("nothing after the object"));
    }
    Ok(Module {
        value,
        repeated: reader.repeated,
        comments: reader.comments,
    })
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    repeated: Vec<String>,
    comments: Vec<(usize, String)>,
}

impl<'a> Reader<'a> {
    fn line(&self) -> usize {
        let read = self.text.len().saturating_sub(self.rest.len());
        let read = self.text.get(..read).unwrap_or_default();
        read.matches('\n').count() + 1
    }

    fn expected(&self, expected: &'static str) -> Syntax {
        Syntax {
            line: self.line(),
            expected,
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn require(&mut self, text: &str, expected: &'static str) -> Result<(), Syntax> {
        self.skip()?;
        if self.take(text) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    /// Skips white space and comments. Comments are collected.
    fn skip(&mut self) -> Result<(), Syntax> {
        loop {
            self.rest = self
                .rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            let (end, missing) = if self.rest.starts_with("//") {
                ("\n", None)
            } else if self.rest.starts_with("/*") {
                ("*/", Some("the end of the comment: `*/`"))
            } else {
                return Ok(());
            };
            let line = self.line();
            let (comment, rest) = match (self.rest.split_once(end), missing) {
                (Some(parts), _) => parts,
                (None, None) => (self.rest, ""),
                (None, Some(missing)) => return Err(self.expected(missing)),
            };
            self.comments.push((line, comment.to_string()));
            self.rest = rest;
        }
    }

    fn value(&mut self, path: &str, depth: usize) -> Result<Value, Syntax> {
        self.skip()?;
        if depth == 0 {
            return Err(self.expected("fewer braces inside each other"));
        }
        match self.rest.chars().next() {
            Some('{') => self.object(path, depth),
            Some('[') => self.array(path, depth),
            Some('"' | '\'') => self.string().map(Value::String),
            _ => self.word(),
        }
    }

    fn object(&mut self, path: &str, depth: usize) -> Result<Value, Syntax> {
        let mut members = Map::new();
        self.take("{");
        loop {
            self.skip()?;
            if self.take("}") {
                return Ok(Value::Object(members));
            }
            let name = self.name()?;
            let inner = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            self.require(":", "`:` after the name of a field")?;
            let value = self.value(&inner, depth - 1)?;
            if members.insert(name, value).is_some() {
                self.repeated.push(inner);
            }
            self.separator('}', "`,` or `}` after a field")?;
        }
    }

    fn array(&mut self, path: &str, depth: usize) -> Result<Value, Syntax> {
        let mut items = Vec::new();
        self.take("[");
        loop {
            self.skip()?;
            if self.take("]") {
                return Ok(Value::Array(items));
            }
            items.push(self.value(path, depth - 1)?);
            self.separator(']', "`,` or `]` after an item")?;
        }
    }

    fn separator(&mut self, end: char, expected: &'static str) -> Result<(), Syntax> {
        self.skip()?;
        if self.take(",") || self.rest.starts_with(end) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    fn name(&mut self) -> Result<String, Syntax> {
        if self.rest.starts_with(['"', '\'']) {
            return self.string();
        }
        let name = self.run(|c| c.is_alphanumeric() || c == '_' || c == '$');
        if name.is_empty() {
            return Err(self.expected("the name of a field"));
        }
        Ok(name.to_string())
    }

    fn run(&mut self, accepted: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|character| !accepted(character))
            .unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        run
    }

    /// Reads a number, `true`, `false` or `null`. The check of the field's type later names the
    /// error.
    fn word(&mut self) -> Result<Value, Syntax> {
        let before = self.rest;
        let word = self.run(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        serde_json::from_str(word).map_err(|_| {
            self.rest = before;
            self.expected("a text in single or double quotes")
        })
    }

    fn string(&mut self) -> Result<String, Syntax> {
        let mut characters = self.rest.chars();
        let quote = characters.next();
        let mut text = String::new();
        loop {
            match characters.next() {
                None | Some('\n') => return Err(self.expected("a closing quote on the same line")),
                Some('\\') => {
                    let escaped = escape(&mut characters)
                        .ok_or_else(|| self.expected("a known escape after `\\`"))?;
                    text.push(escaped);
                }
                character if character == quote => break,
                Some(character) => text.push(character),
            }
        }
        self.rest = characters.as_str();
        Ok(text)
    }
}

/// The character of an escape sequence (ECMA-262, SingleEscapeCharacter, `\x` and `\u`).
fn escape(characters: &mut core::str::Chars<'_>) -> Option<char> {
    Some(match characters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        'x' => char::from_u32(digits(characters, 2)?)?,
        'u' => match digits(characters, 4)? {
            high @ 0xd800..=0xdbff => {
                if (characters.next()?, characters.next()?) != ('\\', 'u') {
                    return None;
                }
                let low = digits(characters, 4)?.checked_sub(0xdc00)?;
                char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)?
            }
            code => char::from_u32(code)?,
        },
        plain @ ('\\' | '/' | '"' | '\'') => plain,
        _ => return None,
    })
}

fn digits(characters: &mut core::str::Chars<'_>, count: usize) -> Option<u32> {
    (0..count).try_fold(0, |sum, _| {
        Some(sum * 16 + characters.next()?.to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parser_reads_comments_quotes_and_trailing_commas() {
        let module = parse(
            "// ours\nexport const backendSelection = {\n  provider: 'aws', /* b */\n  \"storage\": { bucket: \"a\\u0062\", },\n}\n",
        )
        .unwrap();
        assert_eq!(
            module.value,
            json!({ "provider": "aws", "storage": { "bucket": "ab" } })
        );
        assert_eq!(
            module.comments,
            [(1, "// ours".into()), (3, "/* b ".into())]
        );
    }

    #[test]
    fn syntax_error_names_the_line() {
        for (text, line) in [
            ("", 1),
            ("export const other = {};", 1),
            ("export const backendSelection = {\n a: `x`\n};", 2),
            ("export const backendSelection = {\n a: 'x\n};", 2),
            ("export const backendSelection = {\n a: 'x' b: 'y'\n};", 2),
            ("export const backendSelection = {};\nfetch('x');", 2),
            ("export const backendSelection = {\n\n/* ", 3),
            ("export const backendSelection = { a: '\\q' };", 1),
        ] {
            assert_eq!(
                parse(text).map(|module| module.value).unwrap_err().line,
                line,
                "{text}"
            );
        }
        let deep = format!(
            "export const backendSelection = {{ a: {}",
            "[".repeat(100_000)
        );
        assert!(parse(&deep).is_err());
    }

    #[test]
    fn repeated_field_is_reported() {
        let module = parse("export const backendSelection = { a: { b: '1', b: '2' } };").unwrap();
        assert_eq!(module.repeated, ["a.b"]);
    }
}
