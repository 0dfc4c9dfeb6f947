//! A real upstream: an nginx process, which can be killed and comes back at its address.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::within;

/// A running nginx: what it says, whoever starts it decides. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    /// Its files.
    pub directory: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
    /// Keeps the port, also while nginx is down: bound beside nginx's own, and never listening.
    _port: TcpSocket,
}

impl Process {
    /// Starts one, and waits until it takes connections. `http` is asked what stands in the block of this name, where `listen` and `root` of its one server are; it is told the
    /// directory, and the address.
    pub async fn start(http: impl FnOnce(&Path, SocketAddr) -> String) -> Self {
        let directory = crate::directory();
        let port = TcpSocket::new_v4().expect("a socket");
        port.set_reuseport(true).expect("a port for two sockets");
        port.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let address = port.local_addr().expect("its address");
        let (here, http) = (directory.display(), http(&directory, address));
        let configuration = format!(
            "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;
            events {{ worker_connections 1024; }}
            http {{
                client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;
                uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
                access_log off;
                {http}
            }}"
        );
        std::fs::write(directory.join("nginx.conf"), configuration).expect("nginx's configuration");
        let process = run(&directory);
        let nginx = Self { directory, address, process, _port: port };
        nginx.is_up().await;
        nginx
    }

    async fn is_up(&self) {
        within("a connection to nginx", async {
            while TcpStream::connect(self.address).await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// Its number, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Kills it where it stands: its connections are reset, and new ones are refused.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("nginx is killed");
    }

    /// Brings it back, at the same address.
    pub async fn restart(&mut self) {
        self.process = run(&self.directory);
        self.is_up().await;
    }
}

/// An nginx that serves what the examples' tests ask for.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Nginx {
    /// Starts one that says this name, and waits until it takes connections.
    pub async fn start(name: &str) -> Self {
        let process = Process::start(|directory, at| {
            std::fs::create_dir_all(directory.join("static")).expect("a directory for nginx");
            std::fs::write(directory.join("static/page.txt"), "a page\n").expect("a page");
            std::fs::write(directory.join("large"), "0123456\n".repeat(1024)).expect("a file that takes its time");
            let here = directory.display();
            format!(
                "log_format line '$request_method $uri $status';
                server {{
                    listen {at} reuseport;
                    root {here};
                    add_header x-upstream {at} always;
                    location /static/ {{ }}
                    location /api/ {{ return 200 '{name} $request_method $uri\\n'; }}
                    # 8 KiB at 64 bytes a second: nobody waits for that.
                    location = /api/v1/slow {{ alias {here}/large; limit_rate 64; access_log {here}/slow.log line; }}
                    # 8 KiB at 6 KiB a second: a second or two.
                    location = /api/v1/drip {{ alias {here}/large; limit_rate 6k; }}
                    location = /api/v1/headers {{ return 200 '$http_x_time_left_ms $http_host $http_connection\\n'; }}
                }}"
            )
        })
        .await;
        Self { address: process.address, process }
    }

    /// Kills it where it stands: its connections are reset, and new ones are refused.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Brings it back, at the same address.
    pub async fn restart(&mut self) {
        self.process.restart().await;
    }

    /// The lines of the requests for `/api/v1/slow` that it has written so far.
    pub fn slow_requests(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.process.directory.join("slow.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

fn run(directory: &Path) -> Child {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
    command.arg("-e").arg(directory.join("error.log"));
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("nginx runs; Debian has it in the package `nginx`")
}
