//! The processes that are compared, and the upstream behind all of them.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The API key that is sent, and its user.
pub(crate) const KEY: &str = "alice-key-0123456789abcdef";

/// The cores of the proxies, and of load and upstream.
const PROXY: &str = "0";
pub(crate) const LOAD: &str = "1";

const GO: &str = "Go, httputil.ReverseProxy";

/// A proxy that runs.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) at: SocketAddr,
    pub(crate) speaks_h2: bool,
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

/// Everything that runs while it is measured.
pub(crate) struct Stage {
    all: Vec<Contender>,
    _upstream: Contender,
}

impl Stage {
    /// Starts all of them. What is not installed or not built is left out, with a line that says so.
    pub(crate) fn set(more: &[(String, PathBuf)], only: &[String]) -> Result<Self, String> {
        let is_wanted = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
        // What the threads of this process do is load.
        let _ = Command::new("taskset")
            .args(["-a", "-cp", LOAD, &std::process::id().to_string()])
            .stdout(Stdio::null())
            .status();
        let upstream = nginx("upstream", LOAD, UPSTREAM, None)?;
        let behind = upstream.at;
        let mut all = vec![nginx("nginx", PROXY, PROXIED, Some(behind))?];
        let alone = [("hyper, multi-threaded", "shared"), ("hyper, one thread", "per-core")];
        for (name, per_core) in alone.into_iter().filter(|(name, _)| is_wanted(name)) {
            let at = free();
            let mut command = on(PROXY, std::env::current_exe().map_err(|error| error.to_string())?);
            command.args([per_core, &at.to_string(), &behind.to_string()]);
            all.push(start(name, at, false, command, None)?);
        }
        let gateway = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        let gateway =
            std::env::var_os("CARGO_TARGET_DIR").map_or(gateway, PathBuf::from).join("deploy/examples/gateway");
        let mut gateways = vec![("gateway".to_owned(), gateway)];
        gateways.extend(more.iter().cloned());
        for (name, program) in gateways {
            for (what, log) in [("", true), (", no log", false)] {
                if !is_wanted(&format!("{name}{what}")) {
                    continue;
                }
                if !program.exists() {
                    println!("left out: {name}, which is not built: {}", program.display());
                    continue;
                }
                all.push(gateway_process(format!("{name}{what}").leak(), &program, behind, log)?);
            }
        }
        if is_wanted(GO) {
            match go(behind) {
                Ok(go) => all.push(go),
                Err(wrong) => println!("left out: Go, {wrong}"),
            }
        }
        Ok(Self { all, _upstream: upstream })
    }

    pub(crate) fn contenders(&self) -> impl Iterator<Item = &Contender> {
        self.all.iter()
    }
}

fn free() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    free.expect("a free port")
}

/// A command that is kept on this core.
fn on(core: &str, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

/// Starts it, and waits until it takes connections. `taskset` becomes the program that it starts.
fn start(
    name: &'static str,
    at: SocketAddr,
    speaks_h2: bool,
    mut command: Command,
    folder: Option<PathBuf>,
) -> Result<Contender, String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("{name} does not start: {error}"))?;
    let contender = Contender { name, at, speaks_h2, child, folder };
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(at).is_err() {
        if Instant::now() > until {
            return Err(format!("{name} takes no connections at {at}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(contender)
}

fn folder(name: &str) -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("proxy-bench-{}-{}", std::process::id(), name.replace(' ', "-")));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

const PROXIED: &str = r#"
    log_format main '$remote_addr $request $status $body_bytes_sent $request_time $upstream_addr $request_id';
    access_log FOLDER/access.log main buffer=64k flush=1s;
    map $http_x_api_key $user { default ""; "KEY" "alice"; }
    limit_req_zone $user zone=u:1m rate=1000000r/s;
    upstream up { server UPSTREAM; keepalive 1024; }
    server {
        listen AT http2;
        listen H1;
        location / {
            if ($user = "") { return 401; }
            limit_req zone=u burst=1000000 nodelay;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-User $user;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Request-Id $request_id;
            proxy_pass http://up;
        }
    }"#;

const UPSTREAM: &str = "
    access_log off;
    server { listen H1; root FOLDER; location / { sendfile on; } }";

/// One worker of nginx, without becoming a daemon. nginx 1.22 speaks HTTP/2 at a port of its own.
fn nginx(name: &'static str, core: &str, http: &str, upstream: Option<SocketAddr>) -> Result<Contender, String> {
    let (folder, at, h2) = (folder(name)?, free(), free());
    fs::write(folder.join("small"), vec![b'x'; 1 << 10]).map_err(|error| error.to_string())?;
    fs::write(folder.join("large"), vec![b'x'; 1 << 20]).map_err(|error| error.to_string())?;
    let upstream = upstream.map(|at| at.to_string()).unwrap_or_default();
    let http = http.replace("AT http2", &format!("{h2} http2")).replace("UPSTREAM", &upstream).replace("KEY", KEY);
    let text = format!(
        "worker_processes 1; daemon off; error_log FOLDER/error.log crit; pid FOLDER/pid; worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
    keepalive_timeout 600; keepalive_requests 100000000; tcp_nodelay on; http2_max_concurrent_streams 128;
    client_body_temp_path FOLDER/b; proxy_temp_path FOLDER/p; fastcgi_temp_path FOLDER/f; uwsgi_temp_path FOLDER/u;
    scgi_temp_path FOLDER/s;{http}
}}
"
    );
    let text = text.replace("H1", &at.to_string()).replace("FOLDER", &folder.display().to_string());
    let file = folder.join("nginx.conf");
    fs::write(&file, text).map_err(|error| error.to_string())?;
    fs::write(folder.join("h2"), h2.to_string()).map_err(|error| error.to_string())?;
    // Workers that do not run as root could not read the folder otherwise.
    let mut command = on(core, "nginx");
    command.arg("-c").arg(file).args(["-g", "user root;"]);
    start(name, at, true, command, Some(folder))
}

impl Contender {
    /// Where it speaks HTTP/2.
    pub(crate) fn h2(&self) -> SocketAddr {
        let said = self.folder.as_ref().and_then(|folder| fs::read_to_string(folder.join("h2")).ok());
        said.and_then(|at| at.parse().ok()).unwrap_or(self.at)
    }
}

fn gateway_process(name: &'static str, program: &Path, upstream: SocketAddr, log: bool) -> Result<Contender, String> {
    let (folder, at) = (folder(name)?, free());
    let keys = folder.join("keys");
    fs::write(&keys, format!("alice {KEY}\n")).map_err(|error| error.to_string())?;
    let mut command = on(PROXY, program);
    command.args(["--upstream", &format!("http://{upstream}"), "--rate", "1000000", "--burst", "1000000"]);
    command
        .args(["--listen", &at.to_string(), "--admin", "off", "--pressure-cgroup", "off", "--api-keys-file"])
        .arg(keys);
    command.arg("--log");
    if log {
        command.arg(folder.join("access.log"))
    } else {
        command.arg("off")
    };
    start(name, at, true, command, Some(folder))
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
    start(GO, at, false, command, Some(folder))
}
