//! The writing of fields: quoted, escaped and cut.

use core::fmt::{self, Write};
use std::string::String;

/// Writes a value and a quotation mark behind this beginning, ` name="`, which is one piece: to push a piece takes more
/// than to copy its bytes. The value takes at most `at_most` bytes in the line, and three more if it was cut.
///
/// Unprintable characters are escaped as in Rust, and so are quotes and backslashes: a value cannot break the line or
/// its field.
pub(super) fn field(line: &mut String, begins: &str, value: &str, at_most: usize) {
    if value.len() <= at_most && value.bytes().all(is_plain) {
        line.push_str(begins);
        line.push_str(value);
        line.push('"');
        return;
    }
    quoted(line, begins, at_most, |text| text.write_str(value));
}

/// The same, for a value that is not text yet.
pub(super) fn shown(line: &mut String, begins: &str, value: impl fmt::Display, at_most: usize) {
    quoted(line, begins, at_most, |text| write!(text, "{value}"));
}

fn quoted(line: &mut String, begins: &str, at_most: usize, write: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) {
    line.push_str(begins);
    let end = line.len() + at_most;
    if write(&mut Escaped { line, end }).is_err() {
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
        let mut rest = text;
        while !rest.is_empty() {
            // Nearly always, this is the whole rest.
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

/// Whether this byte stands in a value as it is.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_value_is_written_as_by_what_escapes() {
        for (value, at_most) in [("abc", 3), ("abcd", 3), ("a\"b", 9), ("\u{e9}", 9), ("", 3), ("a\\", 2), ("a\n", 9)] {
            let (mut plain, mut escaped) = (String::new(), String::new());
            field(&mut plain, " name=\"", value, at_most);
            shown(&mut escaped, " name=\"", value, at_most);
            assert_eq!(plain, escaped);
            assert!(plain.starts_with(" name=\"") && plain.ends_with('"'), "{plain}");
        }
    }
}
