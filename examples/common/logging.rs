//! The target of the log's lines.

use std::fmt::{Display, Write as _};
use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use chain_runtime::nodes::access_log::Lines;

use super::failure::Failure;

/// On stdout, in this file, or nowhere: `off`, which the environment can also say, with `RUST_LOG=off`.
pub(crate) fn lines(to: Option<&Path>) -> Result<Lines, Failure> {
    let is_off = std::env::var_os("RUST_LOG").is_some_and(|level| level == "off");
    match to {
        Some(to) if to == Path::new("off") => Ok(Lines::to(io::sink())),
        Some(to) => {
            let file = OpenOptions::new().create(true).append(true).open(to);
            file.map(Lines::to).map_err(|error| Failure::of_file("--log", to, error))
        }
        None if is_off => Ok(Lines::to(io::sink())),
        None => Ok(Lines::stdout()),
    }
}

/// A line that belongs to no request.
pub(crate) fn info(lines: &Lines, what: impl Display) {
    say(lines, " INFO", what);
}

/// A line about something that may need attention.
pub(crate) fn warn(lines: &Lines, what: impl Display) {
    say(lines, " WARN", what);
}

fn say(lines: &Lines, level: &str, what: impl Display) {
    lines.line(|line| {
        let _ = write!(line, "{} {level} {what}", humantime::format_rfc3339_micros(std::time::SystemTime::now()));
    });
}
