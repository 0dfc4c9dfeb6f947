//! Reads flags: from the command line, the environment and a file, in this order. An error in them is one line.

use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Parser};

use super::failure::Failure;

/// Reads a program's flags, and returns where they come from. `--help` and `--version` print, and end the program.
///
/// The flag `--config` names a TOML file. Its keys are the flags' long names.
pub(crate) fn read<F: Parser>() -> Result<(F, ArgMatches), Failure> {
    let mut line: Vec<OsString> = std::env::args_os().collect();
    let command = F::command().mut_args(with_hyphens);
    let mut matches = parse(command.clone(), &line).map_err(said)?;
    if let Some(file) = matches.get_one::<std::path::PathBuf>("config") {
        let from_file = arguments(&command, file, &matches)?;
        line.splice(1..1, from_file);
        matches = parse(command, &line).map_err(said)?;
    }
    let flags = F::from_arg_matches(&matches).map_err(said)?;
    Ok((flags, matches))
}

/// Lets a number begin with a `-`, so that the error of a negative one names its flag. Otherwise it would be taken for a
/// flag that there is not.
fn with_hyphens(flag: Arg) -> Arg {
    let is_number =
        flag.get_value_names().is_some_and(|names| names.iter().any(|name| NUMBERS.contains(&name.as_str())));
    if is_number { flag.allow_hyphen_values(true) } else { flag }
}

/// How the values of flags are called that are numbers, with or without a unit.
const NUMBERS: [&str; 4] = ["N", "SHARE", "SIZE", "TIME"];

fn parse(command: Command, line: &[OsString]) -> Result<ArgMatches, clap::Error> {
    command.try_get_matches_from(line)
}

fn said(error: clap::Error) -> Failure {
    if !error.use_stderr() {
        error.exit();
    }
    Failure::usage(format_args!("{} (see --help)", one_line(&error)))
}

/// clap's report has several paragraphs; the first one has the error.
fn one_line(error: &clap::Error) -> String {
    let report = error.render().to_string();
    let wrong = report.split("\n\n").next().unwrap_or_default();
    let line = wrong.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_start_matches("error: ").to_owned()
}

/// The contents of the file, as arguments, without the flags that the command line or the environment has. Each is
/// checked by itself, so that an error can name it.
fn arguments(command: &Command, file: &Path, matches: &ArgMatches) -> Result<Vec<OsString>, Failure> {
    let wrong = |what: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| Failure::of_file("--config", file, error))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        wrong(&format_args!("line {line}: {}", error.message().replace('\n', ", ")))
    })?;
    let mut all = Vec::new();
    for (key, value) in &table {
        let flag = command.get_arguments().find(|flag| flag.get_long() == Some(key) && key != "config");
        let Some(flag) = flag else {
            return Err(wrong(&format_args!("there is no key `{key}`; --help has the flags that are keys here")));
        };
        let values = match value {
            toml::Value::Array(values) => values.iter().map(text_of).collect(),
            value => text_of(value).map(|value| vec![value]),
        };
        let values =
            values.ok_or_else(|| wrong(&format_args!("{key}: a text or a number is wanted, or a list of such")))?;
        let own: Vec<OsString> = values.iter().map(|value| format!("--{key}={value}").into()).collect();
        let alone = [&[OsString::new()], own.as_slice()].concat();
        parse(command.clone(), &alone).map_err(|error| wrong(&format_args!("{key}: {}", one_line(&error))))?;
        let is_said = matches!(
            matches.value_source(flag.get_id().as_str()),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        );
        if !is_said {
            all.extend(own);
        }
    }
    Ok(all)
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}
