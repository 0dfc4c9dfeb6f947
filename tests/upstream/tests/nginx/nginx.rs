//! A real upstream: an nginx of its own, which can be brought into trouble and out of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// What may be the matter with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Killed: its connections are reset, and new ones are refused.
    Killed,
    /// Stopped, by SIGSTOP: the kernel takes its connections, and nobody reads them.
    Stopped,
    /// Each of its replies is a 500, and comes at once.
    Failing,
    /// Its replies take 300 ms more.
    Slowed,
}

/// A running nginx. Dropped, it is killed.
pub(crate) struct Nginx {
    directory: PathBuf,
    pub(crate) address: SocketAddr,
    process: Child,
    /// Keeps the port, also while nginx is down: bound beside nginx's own, and never listening.
    _port: TcpSocket,
}

/// How long a slow reply takes.
pub(crate) const SLOW: Duration = Duration::from_millis(300);

impl Nginx {
    /// Starts one, and waits until it takes connections.
    pub(crate) async fn start() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let own = format!("nginx-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        std::fs::create_dir_all(&directory).expect("a directory for nginx");
        let port = TcpSocket::new_v4().expect("a socket");
        port.set_reuseport(true).expect("a port for two sockets");
        port.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let address = port.local_addr().expect("its address");
        let (here, slow) = (directory.display(), slow_application().await);
        let configuration = format!(
            "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;
            events {{ worker_connections 1024; }}
            http {{
                client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;
                uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
                access_log off;
                keepalive_requests 1000000;
                server {{
                    listen {address} reuseport;
                    location / {{
                        if (-f {here}/failing) {{ return 500; }}
                        if (-f {here}/slowed) {{ rewrite ^ /slow last; }}
                        return 200 'well\\n';
                    }}
                    location = /slow {{ internal; proxy_pass http://{slow}; }}
                }}
            }}"
        );
        std::fs::write(directory.join("nginx.conf"), configuration).expect("nginx's configuration");
        let process = run(&directory);
        let nginx = Self { directory, address, process, _port: port };
        nginx.is_up().await;
        nginx
    }

    async fn is_up(&self) {
        let connected = async {
            while TcpStream::connect(self.address).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), connected).await.expect("a connection to nginx");
    }

    pub(crate) async fn suffers(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Killed => self.process.kill().await.expect("nginx is killed"),
            Trouble::Stopped => self.signal(Signal::STOP),
            Trouble::Failing => std::fs::write(self.directory.join("failing"), "").expect("a file"),
            Trouble::Slowed => std::fs::write(self.directory.join("slowed"), "").expect("a file"),
        }
    }

    pub(crate) async fn recovers(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Killed => {
                self.process = run(&self.directory);
                self.is_up().await;
            }
            Trouble::Stopped => self.signal(Signal::CONT),
            Trouble::Failing => std::fs::remove_file(self.directory.join("failing")).expect("the file"),
            Trouble::Slowed => std::fs::remove_file(self.directory.join("slowed")).expect("the file"),
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.process.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
        kill_process(pid, signal).expect("it can be signalled");
    }
}

fn run(directory: &Path) -> Child {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
    command.arg("-e").arg(directory.join("error.log"));
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("nginx runs; Debian has it in the package `nginx`")
}

/// What a slow nginx stands before: an application that takes its time. It ends with the runtime.
async fn slow_application() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                // nginx sends its head in one piece, and asks for one reply on a connection.
                let _ = stream.read(&mut head).await;
                sleep(SLOW).await;
                let _ = stream.write_all(b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nslow\n").await;
            });
        }
    });
    address
}
