//! Rate limits that three machines share, on a real Redis.

mod away;
mod chain;
mod grants;
mod hostile;
mod property;
mod set_back;
mod support;
