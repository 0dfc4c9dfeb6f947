//! The error that ends the program: one clear line, and an exit code.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// Why the program does not run.
#[derive(Debug)]
pub(crate) struct Failure {
    line: String,
    code: u8,
}

impl Failure {
    /// What a flag asks for is impossible: its value is wrong, its file cannot be read or has wrong contents, its address
    /// is in use. Exit code 2, as for any wrong usage.
    pub(crate) fn usage(line: impl fmt::Display) -> Self {
        Self { line: line.to_string(), code: 2 }
    }

    /// The file that a flag names cannot be read, or is not what it should be.
    pub(crate) fn of_file(flag: &str, file: &Path, why: impl fmt::Display) -> Self {
        Self::usage(format_args!("{flag} {}: {why}", file.display()))
    }

    /// The same, and the flag that asked for it.
    pub(crate) fn of(mut self, flag: &str) -> Self {
        self.line = format!("{flag}: {}", self.line);
        self
    }

    /// All flags were right, but something did not work. Exit code 1.
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
