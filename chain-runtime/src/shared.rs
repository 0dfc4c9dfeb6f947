//! What several machines have in common, in Redis.

mod exclusive;
#[cfg(feature = "upstream")]
mod members;
mod permits;
mod redis;
mod script;
mod settings;

pub use self::redis::{Away, Redis};
pub use exclusive::{Exclusive, Holding, Lost, NotRenewed};
#[cfg(feature = "upstream")]
pub use members::{Kept, NotRegistered, SharedMembers, SharedSource, Unchanged};
pub use settings::{BadSettings, Settings};

pub(crate) use permits::{Answer, Ask, Asks, Question, Want};
pub(crate) use settings::is_word;
