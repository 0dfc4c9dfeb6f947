//! Checks whether a `tracestate` is as the recommendation says. Its content is for other services.

use http::HeaderValue;
use http::header::GetAll;

/// The most members of a list.
const MEMBERS: usize = 32;

/// All fields of that name, which together are one list.
pub(super) fn is_well_formed(fields: GetAll<'_, HeaderValue>) -> bool {
    let mut keys = [&b""[..]; MEMBERS];
    let mut members = 0;
    let all = fields.iter().flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    for member in all {
        let member = trimmed(member);
        // Empty members are allowed.
        if member.is_empty() {
            continue;
        }
        let Some(equals) = member.iter().position(|byte| *byte == b'=') else { return false };
        let (key, value) = (&member[..equals], &member[equals + 1..]);
        if members == MEMBERS || !is_key(key) || !is_value(value) || keys[..members].contains(&key) {
            return false;
        }
        keys[members] = key;
        members += 1;
    }
    true
}

fn trimmed(mut member: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = member {
        member = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = member {
        member = rest;
    }
    member
}

/// `vendor`, or `tenant@vendor`: 256 characters, or 241 and 14.
fn is_key(key: &[u8]) -> bool {
    let is_plain =
        |key: &[u8]| key.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'));
    let begins = |key: &[u8]| key.first().is_some_and(u8::is_ascii_lowercase);
    match key.iter().position(|byte| *byte == b'@') {
        None => key.len() <= 256 && begins(key) && is_plain(key),
        Some(at) => {
            let (tenant, vendor) = (&key[..at], &key[at + 1..]);
            let begins_tenant = tenant.first().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            let are_short = tenant.len() <= 241 && vendor.len() <= 14;
            are_short && begins_tenant && is_plain(tenant) && begins(vendor) && is_plain(vendor)
        }
    }
}

fn is_value(value: &[u8]) -> bool {
    let is_printed = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    (1..=256).contains(&value.len()) && value.iter().all(is_printed)
}
