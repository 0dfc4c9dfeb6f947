//! Rate limits that three machines share, on a real Redis.

mod away;
mod grants;
mod hostile;
mod property;
mod support;
