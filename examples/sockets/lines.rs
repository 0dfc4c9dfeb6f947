//! Each line is one run of a chain.

use std::sync::{Arc, atomic::AtomicUsize, atomic::Ordering::Relaxed};
use std::time::Duration;

use chain_runtime::{Reset as _, chain, node};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;

use super::serve::{is_gone, linger};

pub(crate) struct Bad(&'static str);
struct Command<'r>(&'r str, &'r str);

/// How many runs began, were answered, and died because their client was gone.
#[derive(Default)]
pub(crate) struct Tally(pub(crate) [AtomicUsize; 3]);

#[node]
#[rustfmt::skip]
impl Tally {
    fn enter(&self) { self.0[0].fetch_add(1, Relaxed); }
    fn exit(&self) { self.0[1].fetch_add(1, Relaxed); }
    fn cancelled(&self) { self.0[2].fetch_add(1, Relaxed); }
}

#[node]
fn parse<'r>(line: &'r str) -> Result<Command<'r>, Bad> {
    line.split_once(' ').map(|(verb, rest)| Command(verb, rest)).ok_or(Bad("a verb, a space, and what for"))
}

/// Writes into memory that the connection has for all of its lines.
#[node]
async fn act(command: &Command<'_>, answer: &mut String) -> Result<(), Bad> {
    match *command {
        Command("upper", text) => answer.extend(text.chars().flat_map(char::to_uppercase)),
        Command("sleep", ms) => {
            tokio::time::sleep(Duration::from_millis(ms.parse().map_err(|_| Bad("how long?"))?)).await
        }
        _ => return Err(Bad("`upper <text>` or `sleep <milliseconds>`")),
    }
    Ok(())
}

chain! {
    #[derive(Default)]
    pub(crate) struct Lines { pub(crate) tally: Tally }
    async fn<'r>(line: &'r str, answer: &'r mut String) -> Result<(), Bad> { tally => parse => act }
}

/// A client that writes no more, as `printf .. | nc` does, still gets all answers. A connection that fails cancels the
/// run.
pub(crate) async fn converse(mut stream: TcpStream, chain: Arc<Lines>, stop: CancellationToken) {
    let (read, write) = stream.split();
    let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(1024)).peekable();
    let mut answers = FramedWrite::new(write, LinesCodec::new());
    let mut answer = String::new();
    // It stops between two lines.
    while let Some(Some(line)) = stop.run_until_cancelled(lines.next()).await {
        answer.reset();
        let done = match &line {
            Ok(line) => tokio::select! {
                biased;
                done = chain.run(line, &mut answer) => done,
                // Reads ahead by one line, which then waits in its place.
                true = async {
                    matches!(std::pin::Pin::new(&mut lines).peek().await, Some(Err(LinesCodecError::Io(error))) if is_gone(error))
                } => return,
            },
            Err(LinesCodecError::Io(error)) if is_gone(error) => return,
            Err(LinesCodecError::MaxLineLengthExceeded) => Err(Bad("more than 1024 bytes")),
            Err(LinesCodecError::Io(_)) => Err(Bad("not UTF-8")),
        };
        let error = done.err().map(|Bad(why)| format!("error: {why}"));
        let Ok(()) = answers.send(error.as_ref().unwrap_or(&answer)).await else { return };
    }
    linger(stream).await;
}
