//! The error that ends the program: one clear line, and an exit code.

use std::fmt;
use std::process::ExitCode;

/// Why the program does not run.
#[derive(Debug)]
pub(crate) struct Failure {
    line: String,
    code: u8,
}

impl Failure {
    /// The request is impossible: a wrong flag, or wrong contents of a file. Exit code 2, as for any wrong usage.
    pub(crate) fn usage(line: impl fmt::Display) -> Self {
        Self { line: line.to_string(), code: 2 }
    }

    /// The request was right but did not work: a file cannot be read, an address is in use. Exit code 1.
    pub(crate) fn failed(line: impl fmt::Display) -> Self {
        Self { line: line.to_string(), code: 1 }
    }

    /// The code that the process exits with.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}
