//! [`Script`]: work that the server does as one step.

use std::string::String;
use std::string::ToString as _;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, ToRedisArgs};
use sha1_smol::Sha1;

/// A script in Lua, and the name by which the server knows it after it has run once.
///
/// The redis crate's own script asserts that a server that loads it answers with this name: a server that answers
/// otherwise would end the task that asks.
pub(super) struct Script {
    code: &'static str,
    digest: String,
}

impl Script {
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, digest: Sha1::from(code).digest().to_string() }
    }

    /// Runs the script, by its name, or as a whole if the server does not know it, because it was restarted or was told
    /// to forget its scripts.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        keys: &[impl ToRedisArgs],
        arguments: &[impl ToRedisArgs],
    ) -> RedisResult<T> {
        let command = |name: &str, script: &str| -> Cmd {
            let mut command = redis::cmd(name);
            command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
            command
        };
        match command("EVALSHA", &self.digest).query_async(connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                command("EVAL", self.code).query_async(connection).await
            }
            said => said,
        }
    }
}
