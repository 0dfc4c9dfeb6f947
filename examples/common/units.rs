//! Durations and sizes as people write them: `500ms`, `30s`, `2m`; `4096`, `64k`, `10m`, `1g`.

use std::time::Duration;

/// Reads a duration. A bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const WANTED: &str = "a duration such as 500ms, 30s or 2m is wanted, and not nought";
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| WANTED.to_owned())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "" | "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        _ => None,
    };
    // A day is longer than any request, and keeps every sum of instants in range.
    match milliseconds {
        Some(1..=86_400_000) => Ok(Duration::from_millis(milliseconds.unwrap_or_default())),
        _ => Err(WANTED.to_owned()),
    }
}

/// Reads a size in bytes. The units are powers of 1024.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const WANTED: &str = "a size such as 4096, 64k, 10m or 1g is wanted";
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| WANTED.to_owned())?;
    let shift = match unit {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return Err(WANTED.to_owned()),
    };
    number.checked_mul(1 << shift).ok_or_else(|| WANTED.to_owned())
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        for (text, milliseconds) in [("500ms", 500), ("30s", 30_000), ("30", 30_000), ("2m", 120_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "0", "-1s", "1.5s", "1h", "99999999999999999999s", "18446744073709551615m", "2d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_a_unit_or_are_bytes() {
        for (text, bytes) in [("0", 0), ("4096", 4096), ("64k", 65_536), ("10m", 10 << 20), ("1G", 1 << 30)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "k", "-1", "1.5k", "1t", "1kb", "99999999999999999999", "18446744073709551615k"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
