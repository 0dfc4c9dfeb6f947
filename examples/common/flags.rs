//! How flags are read: what is wrong with them is one line.

use clap::Parser;

use super::failure::Failure;

/// Reads the flags and the environment. `--help` and `--version` print, and end the program.
pub(crate) fn read<F: Parser>() -> Result<F, Failure> {
    F::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        Failure::usage(format_args!("{} (see --help)", line(&error)))
    })
}

/// clap's report is several paragraphs long; what is wrong stands in the first.
pub(crate) fn line(error: &clap::Error) -> String {
    let report = error.render().to_string();
    let wrong = report.split("\n\n").next().unwrap_or_default();
    let line = wrong.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_start_matches("error: ").to_owned()
}
