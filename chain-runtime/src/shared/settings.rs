//! [`Settings`]: how to ask Redis.

use core::fmt;
use core::time::Duration;
use std::string::{String, ToString as _};

use redis::Client;

/// The longest time that a request waits.
const LONGEST: Duration = Duration::from_millis(40);

/// The most bytes of a prefix.
const PREFIX: usize = 64;

/// The address of Redis, and how to ask it.
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
    /// If it is no address.
    pub fn at(url: &str) -> Result<Self, BadSettings> {
        // The address may contain a password, and is not repeated.
        let client = Client::open(url).map_err(|error| BadSettings(error.to_string()))?;
        Ok(Self { client, prefix: "chain".to_string(), patience: Duration::from_millis(20), queue: 1_024 })
    }

    /// Sets the beginning of all keys, before a colon. The default is `chain`. Machines that share anything need the
    /// same prefix.
    ///
    /// # Errors
    ///
    /// If the prefix is not 1 to 64 letters, digits, `.`, `_` and `-`.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, BadSettings> {
        if !is_word(prefix) {
            return Err(BadSettings::no_name(prefix));
        }
        self.prefix = prefix.to_string();
        Ok(self)
    }

    /// Sets how long a request waits for permits, and how long Redis may take to answer before it counts as away. The
    /// default is 20 ms; it is at least 1 ms and at most 40 ms.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience.clamp(Duration::from_millis(1), LONGEST);
        self
    }

    /// Sets for how many keys questions may be in the queue at once. The default is 1,024. A question that does not fit
    /// is decided without Redis.
    #[must_use]
    pub fn queue(mut self, asks: usize) -> Self {
        self.queue = asks.clamp(1, 1 << 20);
        self
    }
}

/// Whether this can stand in a key, and only in the place meant for it.
pub(crate) fn is_word(word: &str) -> bool {
    (1..=PREFIX).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The error in the settings.
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
