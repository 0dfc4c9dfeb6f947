//! A member as a line of text, in the format of [`read_members`].

use core::fmt;
use core::str::FromStr;
use std::string::{String, ToString as _};
use std::sync::Arc;

use super::NotRegistered;
use crate::upstream::{Member, Refused, read_members};

/// Writes the member.
pub(super) fn write<E: fmt::Display>(member: &Member<E>) -> Result<String, NotRegistered> {
    let Member { name, endpoint, zone, weight, metadata } = member;
    let mut line = name.to_string();
    let mut say = |key: &str, value: &str| {
        let is_bad = |text: &str| text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control());
        match [key, value].into_iter().find(|text| is_bad(text)) {
            Some(bad) => Err(NotRegistered::Unwritable(bad.to_string())),
            None => {
                line += &std::format!(" {key}={value}");
                Ok(())
            }
        }
    };
    say("at", &endpoint.to_string())?;
    if let Some(zone) = zone {
        say("zone", zone)?;
    }
    say("weight", &weight.to_string())?;
    for (key, value) in metadata {
        if key.is_empty() || key.contains('=') {
            return Err(NotRegistered::Unwritable(key.clone()));
        }
        say(&std::format!("meta.{key}"), value)?;
    }
    // The reader decides what the name is. The text may be empty, begin a comment, or be two words.
    match read_members::<String>(&line) {
        Ok(read) if read.len() == 1 && read[0].name == *name => Ok(line),
        _ => Err(NotRegistered::Refused(Refused::Name(Arc::clone(name)))),
    }
}

/// Reads an entry: a generation, and then the line.
pub(super) fn read<T: FromStr<Err: fmt::Display>>(entry: &str) -> Option<Member<T>> {
    let (generation, line) = entry.split_once(' ')?;
    generation.parse::<u64>().ok()?;
    let mut members = read_members(line).ok()?;
    if members.len() == 1 { members.pop() } else { None }
}
