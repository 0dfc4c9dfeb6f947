use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server that answers what it is told to.
pub struct Hostile {
    port: u16,
    accepts: JoinHandle<()>,
    asked: Arc<AtomicUsize>,
}

/// What it does with a script: the bytes that it sends, and whether it then closes the connection.
type Answers = dyn Fn(&[Vec<u8>]) -> Option<(Vec<u8>, bool)> + Send + Sync;

impl Hostile {
    /// It answers commands that set up a connection as a server does, and scripts as `answers` says, which gets the command: with these bytes, and by closing the connection after them
    /// if it says so; or, with `None`, not at all.
    pub async fn start(answers: impl Fn(&[Vec<u8>]) -> Option<(Vec<u8>, bool)> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, counts): (Arc<Answers>, _) = (Arc::new(answers), Arc::clone(&asked));
        let accepts = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&counts)));
            }
        });
        Self { port, accepts, asked }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// How many scripts it was asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

/// Numbers, as the protocol has them.
pub fn array(numbers: &[i64]) -> Vec<u8> {
    let mut text = format!("*{}\r\n", numbers.len());
    for number in numbers {
        text += &format!(":{number}\r\n");
    }
    text.into_bytes()
}

async fn serve(mut stream: TcpStream, answers: Arc<Answers>, asked: Arc<AtomicUsize>) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        while let Some((command, length)) = command(&buffer) {
            buffer.drain(..length);
            let (bytes, closes) = match &*command[0].to_ascii_uppercase() {
                b"EVALSHA" | b"EVAL" => {
                    asked.fetch_add(1, Relaxed);
                    match answers(&command) {
                        Some(answer) => answer,
                        None => continue,
                    }
                }
                b"PING" => (b"+PONG\r\n".to_vec(), false),
                _ => (b"+OK\r\n".to_vec(), false),
            };
            stream.write_all(&bytes).await.ok()?;
            if closes {
                return Some(());
            }
        }
        if stream.read_buf(&mut buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// The first command, and how long it is.
fn command(buffer: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let mut at = 0;
    let number = |buffer: &[u8], at: &mut usize| -> Option<usize> {
        let end = buffer[*at..].windows(2).position(|pair| pair == b"\r\n")? + *at;
        let text = std::str::from_utf8(&buffer[*at + 1..end]).ok()?;
        *at = end + 2;
        text.parse().ok()
    };
    let count = number(buffer, &mut at)?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let length = number(buffer, &mut at)?;
        words.push(buffer.get(at..at + length)?.to_vec());
        at += length + 2;
    }
    (at <= buffer.len()).then_some((words, at))
}
