use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// A `redis-server`. It ends where this is dropped.
pub struct Server {
    child: Child,
    port: u16,
    dir: PathBuf,
    arguments: Vec<String>,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// Starts one that keeps nothing on disk.
    pub async fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"]).await
    }

    /// Starts one that keeps all on disk.
    pub async fn durable() -> Self {
        Self::with(&["--save", "", "--appendonly", "yes", "--appendfsync", "always"]).await
    }

    /// Starts one with these arguments.
    pub async fn with(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        // Between the look for a free port and the start, another may take it: then there is one more attempt.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
            let name = format!("chain-shared-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
            let dir = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&dir).expect("a directory");
            let child = spawn(port, &dir, &arguments);
            let mut server = Self { child, port, dir, arguments: arguments.clone() };
            if server.answers().await {
                return server;
            }
        }
        panic!("no redis-server starts");
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// A connection of the test's own.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("an address");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    /// Runs one command, `KEYS *` for example. Words of it that have a space in them have an underscore there.
    pub async fn run<T: redis::FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut cmd = redis::cmd(words.next().unwrap_or_default());
        for word in words {
            cmd.arg(word.replace('_', " ").replace("by key", "by_key"));
        }
        cmd.query_async(&mut self.connection().await).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// It answers nothing from now on, and keeps its connections (SIGSTOP).
    pub fn stop(&self) {
        self.signal("STOP");
    }

    /// It goes on.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("its end");
    }

    /// Starts it anew after [`kill`](Self::kill), at the same port, with what it had on disk.
    pub async fn restart(&mut self) {
        for _ in 0..20 {
            self.child = spawn(self.port, &self.dir, &self.arguments);
            if self.answers().await {
                return;
            }
        }
        panic!("the server does not start again");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill");
        assert!(sent.success(), "kill -{name} {id}");
    }

    /// Whether it answers, or has ended.
    async fn answers(&mut self) -> bool {
        for _ in 0..1_000 {
            if self.child.try_wait().expect("its state").is_some() {
                return false;
            }
            let client = redis::Client::open(self.url()).expect("an address");
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server does not answer");
    }
}

fn spawn(port: u16, dir: &Path, arguments: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
        .arg(dir)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server: `apt-get install redis-server`")
}

impl Drop for Server {
    fn drop(&mut self) {
        // A stopped process is ended by SIGKILL as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
