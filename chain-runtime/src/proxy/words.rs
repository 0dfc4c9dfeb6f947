//! Lists in field values (RFC 9110, 5.6.1).

use http::{HeaderMap, HeaderName};

/// The elements of a list without quoted strings: split at commas, without the white space around them, and without
/// empty ones.
pub(super) fn words(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

/// Whether this word is in one of the lists in fields of that name, in any spelling. Text after a `;` in an element is
/// ignored.
pub(super) fn has_word(headers: &HeaderMap, name: &HeaderName, wanted: &[u8]) -> bool {
    let bare = |word: &[u8]| {
        word.split(|&byte| byte == b';').next().is_some_and(|word| word.trim_ascii().eq_ignore_ascii_case(wanted))
    };
    headers.get_all(name).iter().any(|line| words(line.as_bytes()).any(bare))
}
