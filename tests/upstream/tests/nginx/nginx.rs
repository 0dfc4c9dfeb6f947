//! A real upstream: an nginx process, which can be brought into trouble and out of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use processes::nginx::Process;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::sleep;

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
    process: Process,
    pub(crate) address: SocketAddr,
}

/// How long a slow reply takes.
pub(crate) const SLOW: Duration = Duration::from_millis(300);

impl Nginx {
    /// Starts one, and waits until it takes connections.
    pub(crate) async fn start() -> Self {
        let slow = slow_application().await;
        let process = Process::start(|directory, address| {
            let here = directory.display();
            format!(
                "keepalive_requests 1000000;
                server {{
                    listen {address} reuseport;
                    location / {{
                        if (-f {here}/failing) {{ return 500; }}
                        if (-f {here}/slowed) {{ rewrite ^ /slow last; }}
                        return 200 'well\\n';
                    }}
                    location = /slow {{ internal; proxy_pass http://{slow}; }}
                }}"
            )
        })
        .await;
        Self { address: process.address, process }
    }

    pub(crate) async fn suffers(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Killed => self.process.kill().await,
            Trouble::Stopped => self.signal(Signal::STOP),
            Trouble::Failing => std::fs::write(self.process.directory.join("failing"), "").expect("a file"),
            Trouble::Slowed => std::fs::write(self.process.directory.join("slowed"), "").expect("a file"),
        }
    }

    pub(crate) async fn recovers(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Killed => self.process.restart().await,
            Trouble::Stopped => self.signal(Signal::CONT),
            Trouble::Failing => std::fs::remove_file(self.process.directory.join("failing")).expect("the file"),
            Trouble::Slowed => std::fs::remove_file(self.process.directory.join("slowed")).expect("the file"),
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.process.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
        kill_process(pid, signal).expect("it can be signalled");
    }
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
