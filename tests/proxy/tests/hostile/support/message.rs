//! A strict reading of HTTP/1.1 messages. What a lenient reader would accept is an error here, since another reader may
//! read it as something else.

use std::fmt;

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong(pub(crate) String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn wrong<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong(what.into()))
}

/// Names are in lower case; values are as they came, trimmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(each, _)| each == name).map(|(_, value)| &**value)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(each, _)| each == name).map(|(_, value)| &**value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All lines of one name, as the list that they are together (RFC 9110, 5.3).
    pub(crate) fn joined(&self, name: &str) -> String {
        self.all(name).collect::<Vec<_>>().join(", ")
    }

    /// Whether a list has this word.
    pub(crate) fn lists(&self, name: &str, word: &str) -> bool {
        self.all(name).flat_map(|value| value.split(',')).any(|each| each.trim().eq_ignore_ascii_case(word))
    }
}

/// The first line and the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) line: String,
    pub(crate) fields: Fields,
}

/// How a message's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    /// Where the connection does. Only a reply's can.
    Close,
}

/// Latin 1, so that each byte stays one and can be read in a failure's text.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// The same, with line breaks and other controls shown.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text: String = bytes.escape_ascii().to_string();
    if text.len() > 600 { format!("{}.. ({} bytes)", text.get(..600).unwrap_or(&text), bytes.len()) } else { text }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

impl Head {
    /// Reads a head that ends with an empty line.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let all = text(bytes);
        let Some(lines) = all.strip_suffix("\r\n\r\n") else {
            return wrong("a head without an end");
        };
        let mut lines = lines.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        if line.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return wrong(format!("a control in the first line {line:?}"));
        }
        Ok(Self { line, fields: Fields::read(lines)? })
    }

    /// Method, target and version.
    pub(crate) fn request(&self) -> Result<(&str, &str, &str), Wrong> {
        let words: Vec<&str> = self.line.split(' ').collect();
        match *words {
            [method, target, version] if is_token(method) && !target.is_empty() => Ok((method, target, version)),
            _ => wrong(format!("not a request line: {:?}", self.line)),
        }
    }

    /// The status.
    pub(crate) fn status(&self) -> Result<u16, Wrong> {
        let bytes = self.line.as_bytes();
        let digits = bytes.get(9..12).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        match digits {
            Some(digits) if ["HTTP/1.1 ", "HTTP/1.0 "].contains(&&self.line[..9]) && bytes.get(12) == Some(&b' ') => {
                Ok(text(digits).parse().unwrap_or(0))
            }
            _ => wrong(format!("not a status line: {:?}", self.line)),
        }
    }

    /// How the body of this request ends: as an upstream reads it that believes nothing which could be read in two ways.
    /// `old` is whether it has said that it is of HTTP/1.0 itself, so that it may be spoken to in that version.
    pub(crate) fn request_framing(&self, old: bool) -> Result<Framing, Wrong> {
        let (_, _, version) = self.request()?;
        if version != "HTTP/1.1" && !(old && version == "HTTP/1.0" && !self.fields.has("transfer-encoding")) {
            return wrong(format!("a request of {version}"));
        }
        match self.fields.all("host").count() {
            1 => {}
            hosts => return wrong(format!("{hosts} Host fields")),
        }
        Ok(self.framing()?.unwrap_or(Framing::Length(0)))
    }

    /// How the body of this reply ends, and whether that is how it may end for this method and status.
    pub(crate) fn reply_framing(&self, method: &str) -> Result<Framing, Wrong> {
        let status = self.status()?;
        let framing = self.framing()?;
        if status < 200 || status == 204 {
            return match framing {
                // RFC 9110, 8.6, and RFC 9112, 6.1.
                Some(framing) => wrong(format!("{framing:?} in a {status}")),
                None => Ok(Framing::Length(0)),
            };
        }
        if method == "HEAD" || status == 304 {
            return Ok(Framing::Length(0));
        }
        Ok(framing.unwrap_or(Framing::Close))
    }

    fn framing(&self) -> Result<Option<Framing>, Wrong> {
        let lengths: Vec<&str> = self.fields.all("content-length").collect();
        let codings: Vec<&str> = self.fields.all("transfer-encoding").collect();
        match (&*lengths, &*codings) {
            ([], []) => Ok(None),
            ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Some(Framing::Chunked)),
            ([length], []) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => length
                .parse()
                .map(|length| Some(Framing::Length(length)))
                .or_else(|_| wrong("a length past all bounds")),
            _ => wrong(format!("framed in more than one way: lengths {lengths:?}, codings {codings:?}")),
        }
    }
}

impl Fields {
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, Wrong> {
        let mut fields = Vec::new();
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                return wrong(format!("a line without a colon: {line:?}"));
            };
            if !is_token(name) {
                return wrong(format!("not a field's name: {name:?}"));
            }
            if value.bytes().any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f) {
                return wrong(format!("a control in {line:?}"));
            }
            fields.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
        }
        Ok(Self(fields))
    }

    /// Reads what stands behind the last chunk, without the empty line.
    pub(crate) fn trailers(bytes: &[u8]) -> Result<Self, Wrong> {
        let all = text(bytes);
        let lines = all.strip_suffix("\r\n").unwrap_or(&all);
        if lines.is_empty() { Ok(Self::default()) } else { Self::read(lines.split("\r\n")) }
    }
}
