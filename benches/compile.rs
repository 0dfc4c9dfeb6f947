//! The time that rustc takes for a chain: generated crates of 5 to 200 nodes, and the same nodes put together in other
//! ways.
//!
//! `cargo bench -p chain-benches --bench compile` prints seconds of rustc's processor time (`cargo check`, and a
//! release build), its peak memory and the bytes of text in its output. `-- chain 37` measures only the rows with all
//! of these words.
//!
//! Each crate is compiled alone: its dependencies are built before. The program is its own `RUSTC_WRAPPER`, and asks
//! the kernel what rustc used (`wait4`), which leaves out Cargo and other work on the machine. The procedural macros
//! run in rustc, so they are included.

#[path = "compile/crates.rs"]
mod crates;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use chain_benches::table::{Table, publish, target_directory};
use crates::How;
use object::{Object, ObjectSection};
use serde_json::{Value, json};
use wait4::Wait4;

/// The file into which the wrapper writes what rustc used.
const USED: &str = "CHAIN_COMPILE_USED";
/// The crate that is measured.
const CRATE: &str = "measured";
/// Seconds after which a compiler is stopped.
const LIMIT: u32 = 120;
const NODES: [usize; 5] = [5, 20, 37, 100, 200];

/// What rustc used for one crate.
#[derive(Clone, Copy)]
struct Used {
    seconds: f64,
    megabytes: f64,
}

fn main() -> ExitCode {
    if let Ok(path) = std::env::var(USED) {
        return wrapped(Path::new(&path));
    }
    let words: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let rows = [
        ("empty", How::Empty, false),
        ("calls, state", How::Calls, false),
        ("chain!, state", How::Chain, false),
        ("calls, provide", How::Calls, true),
        ("chain!, provide", How::Chain, true),
        ("tower, state", How::Tower, false),
        ("motore, state", How::Motore, false),
        ("axum, state", How::Axum, false),
    ];
    let place = Place::make();
    let mut table = Table::new(
        &format!(
            "rustc's processor seconds, peak megabytes, and kilobytes of text more than an empty program; > {LIMIT} s: stopped"
        ),
        "what is compiled",
        ["check, s", "x calls", "release, s", "x calls", "release, MB", "text, kB"],
    );
    let mut known: HashMap<(How, bool, usize), (Outcome, Outcome)> = HashMap::new();
    let empty_text = place.text_of_empty();
    for nodes in NODES {
        for (name, how, provide) in rows {
            let row = format!("{nodes} nodes, {name}");
            let fits =
                |word: &String| row.split([' ', ',', '!']).any(|part| part == word) || row.contains(word.as_str());
            // Ratios need the row of the calls.
            if !words.iter().all(fits) && how != How::Calls || how == How::Empty && nodes != NODES[0] {
                continue;
            }
            let row = if how == How::Empty { name.into() } else { row };
            eprint!("{row} ..");
            let source = crates::source(how, provide, nodes);
            let check = place.compile(&source, false);
            let release = place.compile(&source, true);
            let text = matches!(release, Outcome::Done(_)).then(|| (place.text() as f64 - empty_text as f64) / 1024.0);
            known.insert((how, provide, nodes), (check, release));
            let calls = known.get(&(How::Calls, provide, nodes));
            let figures = vec![
                check.seconds(),
                check.ratio(calls.map(|(check, _)| *check)),
                release.seconds(),
                release.ratio(calls.map(|(_, release)| *release)),
                release.megabytes(),
                text.map_or(Value::Null, |text| json!(text)),
            ];
            eprintln!(" {} s, {} s", check.seconds(), release.seconds());
            table.row(&row, figures);
        }
    }
    publish("compile", &[table]);
    ExitCode::SUCCESS
}

#[derive(Clone, Copy)]
enum Outcome {
    Done(Used),
    TooLong,
}

impl Outcome {
    fn seconds(self) -> Value {
        match self {
            Self::Done(used) => json!((used.seconds * 100.0).round() / 100.0),
            Self::TooLong => json!(format!("> {LIMIT}")),
        }
    }
    fn megabytes(self) -> Value {
        match self {
            Self::Done(used) => json!(used.megabytes.round()),
            Self::TooLong => Value::Null,
        }
    }
    fn ratio(self, to: Option<Self>) -> Value {
        match (self, to) {
            (Self::Done(used), Some(Self::Done(calls))) => json!(used.seconds / calls.seconds),
            _ => Value::Null,
        }
    }
}

/// The package whose one source file is written anew for each measurement.
struct Place {
    directory: PathBuf,
}

impl Place {
    fn make() -> Self {
        let directory = target_directory().join("compile");
        fs::create_dir_all(directory.join("src")).expect("the target directory can be written to");
        let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../chain-runtime");
        let manifest = format!(
            "[package]\nname = \"{CRATE}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             chain-runtime = {{ path = {runtime:?} }}\npin-project-lite = \"0.2\"\n\
             axum = {{ version = \"0.8\", default-features = false }}\nmotore = \"0.4\"\n\
             tower = {{ version = \"0.5\", features = [\"util\"] }}\n\n[workspace]\n"
        );
        fs::write(directory.join("Cargo.toml"), manifest).expect("the target directory can be written to");
        // The versions that this workspace has.
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        fs::copy(lock, directory.join("Cargo.lock")).expect("the workspace has a lock file");
        let place = Self { directory };
        eprintln!("what the crates depend on is being built ..");
        let empty = crates::source(How::Empty, false, 0);
        place.compile(&empty, false);
        place.compile(&empty, true);
        place
    }

    /// The better of two runs; a long one is compiled only once.
    fn compile(&self, source: &str, release: bool) -> Outcome {
        match (self.compile_once(source, release), release) {
            (Outcome::Done(first), _) if first.seconds < 5.0 => match self.compile_once(source, release) {
                Outcome::Done(second) if second.seconds < first.seconds => Outcome::Done(second),
                _ => Outcome::Done(first),
            },
            (outcome, _) => outcome,
        }
    }

    fn compile_once(&self, source: &str, release: bool) -> Outcome {
        let file = self.directory.join("src/main.rs");
        fs::write(&file, source).expect("the target directory can be written to");
        let used = self.directory.join("used");
        let _ = fs::remove_file(&used);
        let output = Command::new(env!("CARGO"))
            .args(if release { &["build", "--release"][..] } else { &["check"] })
            .current_dir(&self.directory)
            .env("RUSTC_WRAPPER", std::env::current_exe().expect("a program knows its path"))
            .env(USED, &used)
            .env("CARGO_TARGET_DIR", self.directory.join("target"))
            .env("CARGO_INCREMENTAL", "0")
            .stdout(Stdio::null())
            .output()
            .expect("cargo runs");
        let said = fs::read_to_string(&used).unwrap_or_default();
        let mut words = said.split(' ').map(|word| word.parse::<f64>());
        match (words.next(), words.next()) {
            (Some(Ok(seconds)), Some(Ok(megabytes))) if output.status.success() => {
                Outcome::Done(Used { seconds, megabytes })
            }
            _ if said.starts_with("stopped") => Outcome::TooLong,
            _ => panic!("it does not compile:\n{}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    fn text_of_empty(&self) -> u64 {
        self.compile_once(&crates::source(How::Empty, false, 0), true);
        self.text()
    }

    /// Bytes of the program's `.text`.
    fn text(&self) -> u64 {
        let program = fs::read(self.directory.join("target/release").join(CRATE)).expect("it was built");
        let program = object::File::parse(&*program).expect("a program");
        program.section_by_name(".text").map_or(0, |section| section.size())
    }
}

/// As a `RUSTC_WRAPPER`: runs rustc, and writes what it used if it compiles the measured crate.
fn wrapped(used: &Path) -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let measured = arguments.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == CRATE);
    let mut command = Command::new("timeout");
    command.arg(LIMIT.to_string()).args(&arguments);
    let rustc = command.spawn().expect("`timeout`, of the coreutils, runs");
    let ended = rustc.wait4().expect("a child can be waited for");
    let code = ended.status.code().unwrap_or(1);
    if measured {
        let spent = ended.rusage.utime + ended.rusage.stime;
        let said = match code {
            124 => "stopped".into(),
            _ => format!("{} {}", spent.as_secs_f64(), ended.rusage.maxrss as f64 / (1024.0 * 1024.0)),
        };
        fs::write(used, said).expect("the target directory can be written to");
    }
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
