//! The processes that are compared, and the upstreams behind all of them.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::{grpc, library, nginx};

/// The API key that is sent, and its user.
pub(crate) const KEY: &str = "alice-key-0123456789abcdef";

/// Requests a second that the user may send: more than any proxy can pass on.
pub(crate) const RATE: isize = 1_000_000;

/// The cores of the proxies, and of load and upstream.
const PROXY: &str = "0";
pub(crate) const LOAD: &str = "1";

/// What a gateway can be without.
const NO_LOG: &str = ", no log";
const NO_METER: &str = ", no meter";

/// What it can have in addition: spans of 1 % of the requests, which go to a collector that drops them.
const SPANS: &str = ", spans of 1 %";

const GO: &str = "Go, httputil.ReverseProxy";

/// A proxy that runs.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) at: SocketAddr,
    /// Where it speaks HTTP/2, and passes gRPC on.
    pub(crate) h2: Option<SocketAddr>,
    child: Child,
    folder: Option<PathBuf>,
}

impl Contender {
    /// The process that serves: for nginx its worker.
    pub(crate) fn process(&self) -> u32 {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let first = fs::read_to_string(children).ok().and_then(|all| all.split_whitespace().next()?.parse().ok());
        first.unwrap_or(self.child.id())
    }

    /// It also speaks HTTP/2 where it speaks HTTP/1.1.
    fn speaks_h2(mut self) -> Self {
        self.h2 = Some(self.at);
        self
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // nginx's master ends its workers when it is asked to.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Where the upstreams are.
#[derive(Clone, Copy)]
pub(crate) struct Behind {
    pub(crate) files: SocketAddr,
    pub(crate) grpc: SocketAddr,
    /// Who takes spans.
    pub(crate) spans: SocketAddr,
}

/// How a contender is started.
type Start = Box<dyn Fn() -> Result<Contender, String>>;

/// Everything that runs while it is measured.
pub(crate) struct Stage {
    all: Vec<Contender>,
    starts: Vec<Start>,
    behind: Behind,
    _upstreams: [Contender; 3],
}

impl Stage {
    /// Starts all of them. What is not installed or not built is left out, with a line that says so.
    pub(crate) fn set(more: &[(String, PathBuf)], only: &[String]) -> Result<Self, String> {
        // What the threads of this process do is load.
        let _ = Command::new("taskset")
            .args(["-a", "-cp", LOAD, &std::process::id().to_string()])
            .stdout(Stdio::null())
            .status();
        let beside = |name, role: &str| {
            let at = free();
            start(name, at, of_this(LOAD, &[role, &at.to_string()])?, None)
        };
        let upstreams = [nginx::upstream(LOAD)?, beside("gRPC", "echo")?, beside("spans", "collector")?];
        let behind = Behind { files: upstreams[0].at, grpc: upstreams[1].at, spans: upstreams[2].at };
        let starts = starts(behind, more, |name| only.is_empty() || only.iter().any(|wanted| wanted == name))?;
        let all: Result<Vec<_>, _> = starts.iter().map(|start| start()).collect();
        Ok(Self { all: all?, starts, behind, _upstreams: upstreams })
    }

    pub(crate) fn contenders(&self) -> &[Contender] {
        &self.all
    }

    /// Each once more, started anew, so that nothing is left in it of what was asked before.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = Result<Contender, String>> {
        self.starts.iter().map(|start| start())
    }
}

impl Stage {
    /// A chain of the library's nodes, with and without what sees them.
    pub(crate) fn library(&self) -> Result<Vec<Contender>, String> {
        library::ALL.into_iter().map(|(name, role)| own(name, role, self.behind)).collect()
    }
}

/// All that are there and wanted; nginx always is.
fn starts(behind: Behind, more: &[(String, PathBuf)], is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Start>, String> {
    let mut all: Vec<Start> = vec![Box::new(move || nginx::proxy(PROXY, behind))];
    for (name, role) in [("hyper, multi-threaded", "shared"), ("hyper, one thread", "per-core")] {
        if is_wanted(name) {
            all.push(Box::new(move || own(name, role, behind)));
        }
    }
    for (name, role) in [("pingora", "pingora"), ("pingora, everything on", "pingora-on")] {
        match cfg!(chain_pingora) {
            _ if !is_wanted(name) => {}
            true => all.push(Box::new(move || own(name, role, behind).map(Contender::speaks_h2))),
            false => println!("left out: {name}, which is built with RUSTFLAGS=\"--cfg chain_pingora\""),
        }
    }
    let gateway = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let gateway = std::env::var_os("CARGO_TARGET_DIR").map_or(gateway, PathBuf::from).join("deploy/examples/gateway");
    let mut gateways = vec![("gateway".to_owned(), gateway)];
    gateways.extend(more.iter().cloned());
    for (name, program) in gateways {
        for what in ["", SPANS, NO_LOG, NO_METER] {
            let name: &'static str = format!("{name}{what}").leak();
            if !is_wanted(name) {
                continue;
            }
            if !program.exists() {
                println!("left out: {name}, which is not built: {}", program.display());
                continue;
            }
            let program = program.clone();
            all.push(Box::new(move || gateway_process(name, &program, behind, what)));
        }
    }
    if is_wanted(GO) {
        match go(behind.files) {
            Ok(_) => all.push(Box::new(move || go(behind.files))),
            Err(wrong) => println!("left out: Go, {wrong}"),
        }
    }
    Ok(all)
}

pub(crate) fn free() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.expect("a free port")
}

/// A command that is kept on this core, and asked to end if this program ends before it could do so.
pub(crate) fn on(core: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "-c", core]).arg(program);
    command
}

/// This program, in another role.
fn of_this(core: &str, arguments: &[&str]) -> Result<Command, String> {
    let mut command = on(core, std::env::current_exe().map_err(|error| error.to_string())?);
    command.args(arguments);
    Ok(command)
}

/// Starts it, and waits until it takes connections. `setpriv` and `taskset` become the program that they start.
pub(crate) fn start(
    name: &'static str,
    at: SocketAddr,
    mut command: Command,
    folder: Option<PathBuf>,
) -> Result<Contender, String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("{name} does not start: {error}"))?;
    let contender = Contender { name, at, h2: None, child, folder };
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(at).is_err() {
        if Instant::now() > until {
            return Err(format!("{name} takes no connections at {at}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(contender)
}

/// A folder that goes when the contender does.
pub(crate) fn folder(name: &str) -> Result<PathBuf, String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Relaxed));
    let name = name.replace([' ', ','], "-");
    let folder = std::env::temp_dir().join(format!("proxy-bench-{process}-{number}-{name}"));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// A proxy that is part of this program.
fn own(name: &'static str, role: &str, behind: Behind) -> Result<Contender, String> {
    let (folder, at) = (folder(name)?, free());
    let mut command = of_this(PROXY, &[role, &at.to_string(), &behind.files.to_string(), &behind.grpc.to_string()])?;
    command.arg(folder.join("access.log"));
    start(name, at, command, Some(folder))
}

fn gateway_process(name: &'static str, program: &Path, behind: Behind, what: &str) -> Result<Contender, String> {
    let (folder, at) = (folder(name)?, free());
    let keys = folder.join("keys");
    fs::write(&keys, format!("alice {KEY}\n")).map_err(|error| error.to_string())?;
    let mut command = on(PROXY, program);
    command.args(["--upstream", &format!("http://{}", behind.files)]);
    command.args(["--upstream", &format!("{}=h2c://{}", grpc::PREFIX, behind.grpc)]);
    command.args(["--rate", &RATE.to_string(), "--burst", &RATE.to_string()]);
    command.args(["--listen", &at.to_string(), "--pressure-cgroup", "off", "--api-keys-file"]).arg(keys);
    // It measures itself where it has an address at which that can be seen.
    command.args(["--admin", if what == NO_METER { "off" } else { "127.0.0.1:0" }]);
    if what == SPANS {
        command.args(["--otlp", &format!("http://{}", behind.spans), "--spans", "1%"]);
    }
    command.arg("--log").arg(if what == NO_LOG { "off".into() } else { folder.join("access.log") });
    start(name, at, command, Some(folder)).map(Contender::speaks_h2)
}

fn go(upstream: SocketAddr) -> Result<Contender, String> {
    let (folder, at) = (folder("go")?, free());
    let (source, program) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("go/main.go"), folder.join("proxy"));
    let log = File::create(folder.join("log")).map_err(|error| error.to_string())?;
    let built = Command::new("go").arg("build").arg("-o").arg(&program).arg(source).stderr(log).status();
    if !built.is_ok_and(|built| built.success()) {
        return Err("which is not installed or does not build".to_owned());
    }
    let mut command = on(PROXY, program);
    command.args([at.to_string(), upstream.to_string()]).env("GOMAXPROCS", "1");
    start(GO, at, command, Some(folder))
}
