//! The support code of the tests.

pub(crate) mod bench;
pub(crate) mod client;
pub(crate) mod h2;
pub(crate) mod message;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod table;
pub(crate) mod upstream;
pub(crate) mod wire;
