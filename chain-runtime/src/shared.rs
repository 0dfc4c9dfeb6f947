//! What several machines have in common, in Redis.

mod permits;
mod redis;
mod script;
mod settings;

pub use self::redis::Redis;
pub use settings::{BadSettings, Settings};

pub(crate) use permits::{Answer, Ask, Asks, Question, Want};
pub(crate) use settings::is_word;
