//! Requests: bodies and queries, and what is allowed in them.

use core::fmt;
use core::num::NonZeroU32;
use core::ops::RangeInclusive;
use core::time::Duration;
use std::borrow::ToOwned as _;
use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString as _};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::told::Wrong;
use crate::upstream::member::{Generation, Registration, is_name};

const ENDPOINT: usize = 1_024;
const WEIGHTS: RangeInclusive<u64> = 1..=65_535;
const ENTRIES: usize = 32;
const KEY: usize = 64;
const VALUE: usize = 256;

/// Reading into these types stops at the first mistake, so neither depth nor the number of fields makes it take longer
/// than the length of the body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    // The derived code would also read the fields from an array, in their order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Wrong::object());
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let asked = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        Wrong::json((path != ".").then_some(path), error.inner())
    })?;
    json.end().map_err(|error| Wrong::json(None, &error))?;
    Ok(asked)
}

/// A member that registers. Required fields are `Option`s as well, so that their absence is reported at the field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registering {
    name: Option<String>,
    endpoint: Option<String>,
    zone: Option<String>,
    weight: Option<u64>,
    #[serde(default)]
    metadata: Metadata,
    lease_ms: Option<u64>,
}

/// The name of a registration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    name: Option<String>,
    generation: Option<u64>,
}

impl Named {
    pub(super) fn registration(&self) -> Result<Registration, Wrong> {
        let generation = self.generation.ok_or_else(|| {
            Wrong::field("generation", "it is wanted: the number that the registration was replied with")
        })?;
        Ok(Registration { name: named("name", self.name.as_deref())?, generation: Generation::new(generation) })
    }
}

impl Registering {
    pub(super) fn name(&self) -> Result<Arc<str>, Wrong> {
        named("name", self.name.as_deref())
    }

    /// The endpoint; its default is the name.
    pub(super) fn endpoint<T>(&self, parse: &dyn Fn(&str) -> Result<T, String>) -> Result<T, Wrong> {
        let text = self.endpoint.as_deref().or(self.name.as_deref()).unwrap_or_default();
        if text.len() > ENDPOINT {
            return Err(Wrong::field("endpoint", format!("at most {ENDPOINT} bytes are wanted")));
        }
        parse(text).map_err(|why| Wrong::field("endpoint", why))
    }

    pub(super) fn zone(&self) -> Result<Option<Arc<str>>, Wrong> {
        self.zone.as_deref().map(|zone| named("zone", Some(zone))).transpose()
    }

    pub(super) fn weight(&self) -> Result<NonZeroU32, Wrong> {
        let Some(weight) = self.weight else { return Ok(NonZeroU32::MIN) };
        let within = u32::try_from(weight).ok().filter(|_| WEIGHTS.contains(&weight)).and_then(NonZeroU32::new);
        within.ok_or_else(|| {
            let (least, most) = WEIGHTS.into_inner();
            Wrong::field("weight", format!("a whole number from {least} to {most} is wanted"))
        })
    }

    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        self.metadata.0.clone()
    }

    pub(super) fn lease(&self, least: Duration, usual: Duration, most: Duration) -> Result<Duration, Wrong> {
        let lease = self.lease_ms.map_or(usual, Duration::from_millis);
        if (least..=most).contains(&lease) {
            return Ok(lease);
        }
        let (least, most) = (least.as_millis(), most.as_millis());
        Err(Wrong::field("lease_ms", format!("a whole number from {least} to {most} is wanted")))
    }
}

fn named(field: &'static str, name: Option<&str>) -> Result<Arc<str>, Wrong> {
    match name {
        Some(name) if is_name(name) => Ok(name.into()),
        _ => Err(Wrong::field(field, "1 to 255 bytes without whitespace and control characters are wanted")),
    }
}

/// Other facts about a member.
#[derive(Default)]
struct Metadata(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.len() == ENTRIES {
                return Err(A::Error::custom(format_args!("at most {ENTRIES} entries are wanted")));
            }
            if key.len() > KEY || !is_name(&key) {
                let what = "1 to 64 bytes without whitespace and control characters are wanted as a key";
                return Err(A::Error::custom(what));
            }
            let value: String = map.next_value()?;
            if value.len() > VALUE || value.contains(char::is_control) {
                return Err(A::Error::custom(format_args!(
                    "at most {VALUE} bytes without control characters are wanted"
                )));
            }
            if entries.insert(key, value).is_some() {
                return Err(A::Error::custom("this key is there twice"));
            }
        }
        Ok(Metadata(entries))
    }
}

/// The name after which a list is to begin: `after=NAME`.
pub(super) fn after(query: Option<&str>) -> Result<Option<String>, Wrong> {
    let Some(query) = query.filter(|query| !query.is_empty()) else { return Ok(None) };
    let name = query.strip_prefix("after=").and_then(|name| percent_decode_str(name).decode_utf8().ok());
    match name {
        Some(name) if name.len() <= 255 => Ok(Some((*name).to_owned())),
        _ => Err(Wrong::field("after", "nothing but ?after=NAME may be asked")),
    }
}
