//! [`Settings`]: how Redis is asked.

use core::fmt;
use core::time::Duration;
use std::string::{String, ToString as _};

use redis::Client;

/// Longer than this no request waits.
const LONGEST: Duration = Duration::from_millis(40);

/// Bytes of a prefix, at most.
const PREFIX: usize = 64;

/// Where Redis is, and how it is asked.
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::shared::Settings;
///
/// let settings = Settings::at("redis://127.0.0.1:6379/0")?.prefix("shop")?.patience(Duration::from_millis(10));
/// # Ok::<(), chain_runtime::shared::BadSettings>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) client: Client,
    pub(super) prefix: String,
    pub(super) patience: Duration,
    pub(super) queue: usize,
}

impl Settings {
    /// Redis at this address: `redis://[user:password@]host:port/database`, or `unix:///path`.
    ///
    /// # Errors
    ///
    /// It is no address.
    pub fn at(url: &str) -> Result<Self, BadSettings> {
        // The address may have a password in it, and is not repeated.
        let client = Client::open(url).map_err(|error| BadSettings(error.to_string()))?;
        Ok(Self { client, prefix: "chain".to_string(), patience: Duration::from_millis(20), queue: 1_024 })
    }

    /// Sets what all keys begin with, before a colon: `chain` where nothing is said. Machines that share anything have the same.
    ///
    /// # Errors
    ///
    /// It is no name: 1 to 64 letters, digits, `.`, `_` and `-` are.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, BadSettings> {
        if !is_word(prefix) {
            return Err(BadSettings::no_name(prefix));
        }
        self.prefix = prefix.to_string();
        Ok(self)
    }

    /// Sets how long a request waits for permits, and how long Redis may take to answer before it counts as away: 20 ms where nothing is said, 1 ms at least
    /// and 40 ms at most.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience.clamp(Duration::from_millis(1), LONGEST);
        self
    }

    /// Sets how many keys may be in the queue at once whose permits are to be asked for: 1,024 where nothing is said. What does not fit is decided without Redis.
    #[must_use]
    pub fn queue(mut self, asks: usize) -> Self {
        self.queue = asks.clamp(1, 1 << 20);
        self
    }
}

/// Whether this can stand in a key, and in no other place of it than it should.
pub(crate) fn is_word(word: &str) -> bool {
    (1..=PREFIX).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSettings(String);

impl BadSettings {
    pub(crate) fn no_name(word: &str) -> Self {
        Self(std::format!("{word:?} is no name: 1 to {PREFIX} letters, digits, `.`, `_` and `-` are"))
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for BadSettings {}
