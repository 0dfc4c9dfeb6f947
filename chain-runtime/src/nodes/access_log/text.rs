//! How fields are written: quoted, escaped and cut.

use core::fmt::{self, Write};
use std::string::String;

/// Writes ` name="value"`. The value takes `at_most` bytes as it is written, and three more where it was cut.
///
/// What is no printable character is escaped as in Rust, and so are quotes and backslashes: a line stays a line, and a field a field.
pub(super) fn field(line: &mut String, name: &str, value: impl fmt::Display, at_most: usize) {
    line.push(' ');
    line.push_str(name);
    line.push_str("=\"");
    let end = line.len() + at_most;
    if write!(Escaped { line, end }, "{value}").is_err() {
        line.push('…');
    }
    line.push('"');
}

/// Escapes what is written, and fails where it would go beyond the end.
struct Escaped<'a> {
    line: &'a mut String,
    end: usize,
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        let mut rest = text;
        while !rest.is_empty() {
            // Nearly always, this is all of it.
            let plain = rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
            let room = self.end.saturating_sub(self.line.len());
            self.line.push_str(&rest[..plain.min(room)]);
            if plain > room {
                return Err(fmt::Error);
            }
            let mut others = rest[plain..].chars();
            if let Some(other) = others.next() {
                let before = self.line.len();
                self.line.extend(other.escape_debug());
                if self.line.len() > self.end {
                    self.line.truncate(before);
                    return Err(fmt::Error);
                }
            }
            rest = others.as_str();
        }
        Ok(())
    }
}
