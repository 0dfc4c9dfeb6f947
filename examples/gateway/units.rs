//! Units that the gateway alone has, beside those of all examples.

use super::common::units::size;

/// Reads a size of which something can be a share.
pub(crate) fn some_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err("of 0 bytes there is no share".to_owned()),
        bytes => Ok(bytes),
    }
}

/// Reads the path of a request. One that does not look like one would never be met.
pub(crate) fn path(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    if is_path { Ok(text.to_owned()) } else { Err("a path such as /pay is wanted, without a query".to_owned()) }
}

/// Reads a name that can stand in a field.
pub(crate) fn token(text: &str) -> Result<String, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_plain { Ok(text.to_owned()) } else { Err("a name of letters, digits, `-`, `.` and `_` is wanted".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_no_bytes_there_is_no_share() {
        assert_eq!((some_size("1k"), some_size("0k").is_err()), (Ok(1024), true));
    }

    #[test]
    fn paths_are_those_of_requests() {
        assert_eq!(path("/pay/%20"), Ok("/pay/%20".to_owned()));
        for text in ["", "pay", "http://here/pay", "/pay?now", "/pay#now", "/p ay", "*", "/pä"] {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
