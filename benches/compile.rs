//! The time that rustc takes for a chain: generated crates of 5 to 400 nodes, and the same nodes put together in other
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
const NODES: [usize; 7] = [5, 10, 20, 37, 100, 200, 400];
/// How many nodes each of the hundred chains of a crate has.
const OF_MANY: usize = 8;

/// What is compiled, and at which sizes.
struct Row {
    name: &'static str,
    how: How,
    provide: bool,
    /// With what it is compared.
    calls: How,
    at: &'static [usize],
}

const fn row(name: &'static str, how: How, provide: bool) -> Row {
    Row { name, how, provide, calls: How::Calls, at: &NODES }
}

const ROWS: [Row; 16] = [
    Row { at: &[5], ..row("empty", How::Empty, false) },
    row("calls, state", How::Calls, false),
    row("chain!, state", How::Chain, false),
    row("calls, provide", How::Calls, true),
    row("chain!, provide", How::Chain, true),
    Row { at: &[37], calls: How::HookCalls, ..row("calls with 4 hooks, state", How::HookCalls, false) },
    Row { at: &[37], calls: How::HookCalls, ..row("chain! with 4 hooks, state", How::Hooks, false) },
    Row { at: &[37], calls: How::HookCalls, ..row("calls with 4 hooks, provide", How::HookCalls, true) },
    Row { at: &[37], calls: How::HookCalls, ..row("chain! with 4 hooks, provide", How::Hooks, true) },
    // Of more nodes they are stopped.
    Row { at: &[5, 10, 20, 37, 100, 200], ..row("tower, state", How::Tower, false) },
    Row { at: &[5, 10, 20, 37, 100, 200], ..row("motore, state", How::Motore, false) },
    Row { at: &[5, 10, 20, 37], ..row("axum, state", How::Axum, false) },
    Row { at: &[OF_MANY], calls: How::ManyCalls, ..row("calls, 100 times, state", How::ManyCalls, false) },
    Row { at: &[OF_MANY], calls: How::ManyCalls, ..row("chain!, 100 times, state", How::Many, false) },
    Row { at: &[OF_MANY], calls: How::ManyCalls, ..row("calls, 100 times, provide", How::ManyCalls, true) },
    Row { at: &[OF_MANY], calls: How::ManyCalls, ..row("chain!, 100 times, provide", How::Many, true) },
];

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
    let mut sizes = NODES.to_vec();
    sizes.push(OF_MANY);
    sizes.sort_unstable();
    for nodes in sizes {
        for Row { name, how, provide, calls, .. } in ROWS.iter().filter(|row| row.at.contains(&nodes)) {
            let row = if *how == How::Empty { (*name).into() } else { format!("{nodes} nodes, {name}") };
            let fits =
                |word: &String| row.split([' ', ',', '!']).any(|part| part == word) || row.contains(word.as_str());
            // Ratios need the row of the calls.
            if !words.iter().all(fits) && how != calls {
                continue;
            }
            eprint!("{row} ..");
            let source = crates::source(*how, *provide, nodes);
            let check = place.compile(&source, false);
            let release = place.compile(&source, true);
            let text = matches!(release, Outcome::Done(_)).then(|| (place.text() as f64 - empty_text as f64) / 1024.0);
            known.insert((*how, *provide, nodes), (check, release));
            let calls = known.get(&(*calls, *provide, nodes));
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
    let mut changed = Table::new(
        "rustc's processor seconds for `check` after the body of one node was changed, with what it kept",
        "what is compiled",
        ["check, s", "x calls"],
    );
    for provide in [false, true].into_iter().filter(|_| words.is_empty() || words.iter().any(|word| word == "changed"))
    {
        let kind = if provide { "provide" } else { "state" };
        let calls = place.changed(&crates::source(How::Calls, provide, 37));
        let chain = place.changed(&crates::source(How::Chain, provide, 37));
        changed.row(&format!("37 nodes, calls, {kind}"), vec![calls.seconds(), json!(1.0)]);
        changed.row(&format!("37 nodes, chain!, {kind}"), vec![chain.seconds(), chain.ratio(Some(calls))]);
    }
    publish("compile", &[table, changed]);
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
    fn time(self) -> f64 {
        match self {
            Self::Done(used) => used.seconds,
            Self::TooLong => f64::INFINITY,
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

    /// The best of five runs, of two if one takes a second, and of one if it takes five.
    fn compile(&self, source: &str, release: bool) -> Outcome {
        let mut best = self.compile_once(source, release);
        let more = match best.time() {
            ..1.0 => 4,
            ..5.0 => 1,
            _ => 0,
        };
        for _ in 0..more {
            let next = self.compile_once(source, release);
            if next.time() < best.time() {
                best = next;
            }
        }
        best
    }

    /// `check` of what differs from this source in the body of one node, where rustc has kept what it found. The best
    /// of five runs.
    fn changed(&self, source: &str) -> Outcome {
        self.run(source, false, true);
        (1..=5)
            .map(|added| {
                self.run(&source.replace("request.0 == 5 ", &format!("request.0 == 5 + {added} ")), false, true)
            })
            .min_by(|one, other| one.time().total_cmp(&other.time()))
            .expect("five runs")
    }

    fn compile_once(&self, source: &str, release: bool) -> Outcome {
        self.run(source, release, false)
    }

    fn run(&self, source: &str, release: bool, incremental: bool) -> Outcome {
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
            .env("CARGO_INCREMENTAL", if incremental { "1" } else { "0" })
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
