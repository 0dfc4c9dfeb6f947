//! Chains on plain sockets: `examples/sockets`, with real clients.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use example::frames::Frames;
use example::lines::{Lines, Tally};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio_util::codec::{Framed, LengthDelimitedCodec};
use tokio_util::sync::CancellationToken;

#[allow(dead_code, reason = "its main")]
#[path = "../examples/sockets.rs"]
mod example;

/// A guard against hanging: no test waits for it.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} takes more than half a minute"),
    }
}

struct Server<C> {
    address: SocketAddr,
    chain: Arc<C>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve<C, F>(converse: fn(TcpStream, Arc<C>, CancellationToken) -> F) -> Server<C>
where
    C: Default + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let (chain, stop) = (Arc::<C>::default(), CancellationToken::new());
    let task = tokio::spawn(example::serve::serve(listener, stop.clone(), Arc::clone(&chain), converse));
    Server { address, chain, stop, task }
}

impl<C> Server<C> {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the server listens")
    }

    /// Stops, and waits until every connection has ended.
    async fn stopped(self) -> Arc<C> {
        self.stop.cancel();
        within("the end of the connections", self.task).await.expect("no connection panics");
        self.chain
    }
}

/// How many runs began, were answered, and were cancelled.
fn tally(tally: &Tally) -> [usize; 3] {
    tally.0.each_ref().map(|count| count.load(Relaxed))
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    within(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Sends all of it, says that no more comes, and reads to the end.
async fn say(server: &Server<Lines>, what: &[u8]) -> String {
    let mut client = server.connect().await;
    client.write_all(what).await.expect("the server reads");
    client.shutdown().await.expect("the connection lives");
    let mut answers = String::new();
    within("the answers", client.read_to_string(&mut answers)).await.expect("the answers are not cut off");
    answers
}

#[tokio::test]
async fn each_line_is_answered_in_turn_over_one_memory() {
    let server = serve(example::lines::converse).await;
    let (read, mut write) = server.connect().await.into_split();
    let mut answers = BufReader::new(read).lines();
    for (line, answer) in [
        ("upper a long text that needs some room\n", "A LONG TEXT THAT NEEDS SOME ROOM"),
        ("upper b\n", "B"),
        ("sleep 0\r\n", ""),
        ("sing\n", "error: a verb, a space, and what for"),
        ("sing it\n", "error: `upper <text>` or `sleep <milliseconds>`"),
        ("sleep long\n", "error: how long?"),
        ("upper \u{fc}\n", "\u{dc}"),
    ] {
        write.write_all(line.as_bytes()).await.expect("the server reads");
        let got = within("an answer", answers.next_line()).await.expect("the connection lives");
        assert_eq!(got.as_deref(), Some(answer), "to {line:?}");
    }
    drop((write, answers));
    assert_eq!(tally(&server.stopped().await.tally), [7, 7, 0]);
}

#[tokio::test]
async fn lines_that_arrive_in_pieces_or_all_at_once_are_the_same_lines() {
    let server = serve(example::lines::converse).await;
    let mut client = server.connect().await;
    for piece in ["up", "per on", "e\nupper t", "wo\n"] {
        client.write_all(piece.as_bytes()).await.expect("the server reads");
        client.flush().await.expect("the server reads");
        tokio::task::yield_now().await;
    }
    client.shutdown().await.expect("the connection lives");
    let mut answers = String::new();
    within("the answers", client.read_to_string(&mut answers)).await.expect("text");
    assert_eq!(answers, "ONE\nTWO\n");
    assert_eq!(say(&server, b"upper one\nsleep 1\nupper two\n").await, "ONE\n\nTWO\n");
}

#[tokio::test]
async fn what_was_asked_before_the_client_stopped_writing_is_answered() {
    let server = serve(example::lines::converse).await;
    let asked = (0..200).map(|index| format!("upper line {index}\n")).collect::<String>();
    assert_eq!(say(&server, asked.as_bytes()).await, asked.replace("upper ", "").to_uppercase());
    // The last line has no end, and the client stopped while the line before it was worked on.
    assert_eq!(say(&server, b"sleep 20\nupper half").await, "\nHALF\n");
    assert_eq!(tally(&server.stopped().await.tally), [202, 202, 0]);
}

#[tokio::test]
async fn a_line_that_is_too_long_is_said_to_be_and_ends_the_connection() {
    let server = serve(example::lines::converse).await;
    let fits = format!("upper {}\n", "x".repeat(1024 - 6));
    assert_eq!(say(&server, fits.as_bytes()).await, "X".repeat(1024 - 6) + "\n");
    // Much more is on its way than the server reads before it knows.
    let long = [b"upper a\n".as_slice(), &[b'x'; 200_000], b"\nupper b\n"].concat();
    assert_eq!(say(&server, &long).await, "A\nerror: more than 1024 bytes\n");
}

#[tokio::test]
async fn what_is_not_utf8_is_said_to_be_and_cancels_nothing_before_it() {
    let server = serve(example::lines::converse).await;
    assert_eq!(say(&server, b"upper a\nsleep 20\nupper \xff\nupper b\n").await, "A\n\nerror: not UTF-8\n");
    assert_eq!(tally(&server.stopped().await.tally), [2, 2, 0]);
}

#[tokio::test]
async fn a_reset_connection_cancels_the_line() {
    let server = serve(example::lines::converse).await;
    let mut client = server.connect().await;
    client.write_all(b"sleep 600000\n").await.expect("the server reads");
    until("the line to be worked on", || tally(&server.chain.tally)[0] == 1).await;
    // Closed with a reset, as by a machine that was switched off.
    client.set_zero_linger().expect("an option of TCP");
    drop(client);
    until("its end", || tally(&server.chain.tally) == [1, 0, 1]).await;
}

#[tokio::test]
async fn a_stop_lets_the_line_in_flight_end_and_takes_no_new_connection() {
    let server = serve(example::lines::converse).await;
    let mut idle = server.connect().await;
    let mut client = server.connect().await;
    client.write_all(b"sleep 50\nupper never begun\n").await.expect("the server reads");
    until("the line to be worked on", || tally(&server.chain.tally)[0] == 1).await;
    server.stop.cancel();
    let mut answers = String::new();
    within("the answer", client.read_to_string(&mut answers)).await.expect("it is not cut off");
    assert_eq!(answers, "\n");
    assert_eq!(within("the end", idle.read(&mut [0])).await.expect("closed in order"), 0);
    drop((client, idle));
    let address = server.address;
    assert_eq!(tally(&server.stopped().await.tally), [1, 1, 0]);
    assert!(TcpStream::connect(address).await.is_err());
}

fn framed(stream: TcpStream) -> Framed<TcpStream, LengthDelimitedCodec> {
    LengthDelimitedCodec::builder().length_field_type::<u16>().new_framed(stream)
}

#[tokio::test]
async fn each_frame_is_answered_in_turn() {
    let server = serve(example::frames::converse).await;
    let mut client = framed(server.connect().await);
    for (frame, answer) in [(&[2, 1, 2, 3][..], &[2, 2, 4, 6][..]), (&[], &[0xFF]), (&[0], &[0]), (&[1], &[1])] {
        client.send(frame).await.expect("the server reads");
        let got = within("an answer", client.next()).await.expect("an answer").expect("a whole frame");
        assert_eq!(got, answer, "to {frame:?}");
    }
    // All at once, so that frames wait behind the one that is worked on.
    for factor in 1..=100 {
        client.feed(&[factor, 1][..]).await.expect("the server reads");
    }
    SinkExt::<&[u8]>::flush(&mut client).await.expect("the server reads");
    for factor in 1..=100 {
        let got = within("an answer", client.next()).await.expect("an answer").expect("a whole frame");
        assert_eq!(got[..], [factor, factor]);
    }
    drop(client);
    assert_eq!(tally(&server.stopped().await.tally), [104, 104, 0]);
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_the_connection_after_the_answers_before_it() {
    let server = serve(example::frames::converse).await;
    let mut client = server.connect().await;
    // The second is asleep when what is too long arrives.
    let long = [&[0, 2, 3, 7, 0, 2, 0, 1, 0xFF, 0xFF][..], &[1; 60_000]].concat();
    client.write_all(&long).await.expect("the server reads");
    client.shutdown().await.expect("the connection lives");
    let mut answers = Vec::new();
    within("the answers", client.read_to_end(&mut answers)).await.expect("they are not cut off");
    assert_eq!(answers, [0, 2, 3, 21, 0, 1, 0]);
}

#[tokio::test]
async fn half_a_frame_before_the_end_is_no_frame() {
    let server = serve(example::frames::converse).await;
    let mut client = server.connect().await;
    client.write_all(&[0, 2, 3, 7]).await.expect("the server reads");
    let mut answer = [0; 4];
    within("the answer", client.read_exact(&mut answer)).await.expect("an answer");
    client.write_all(&[0, 9, 1, 1]).await.expect("the server reads");
    client.shutdown().await.expect("the connection lives");
    let mut more = Vec::new();
    within("the end", client.read_to_end(&mut more)).await.expect("closed in order");
    assert_eq!((answer, more), ([0, 2, 3, 21], vec![]));
    assert_eq!(tally(&server.stopped().await.tally), [1, 1, 0]);
}

#[tokio::test]
async fn who_closes_the_connection_takes_the_frame_in_flight_back() {
    let server = serve(example::frames::converse).await;
    let mut client = framed(server.connect().await);
    client.send(&[0, 255, 255][..]).await.expect("the server reads");
    until("the frame to be worked on", || tally(&server.chain.tally)[0] == 1).await;
    drop(client);
    until("its end", || tally(&server.chain.tally) == [1, 0, 1]).await;
    assert_eq!(tally(&server.stopped().await.tally), [1, 0, 1]);
}

#[tokio::test]
async fn datagrams_are_answered_beside_each_other_to_who_sent_them() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = socket.local_addr().expect("its address");
    let (chain, stop) = (Arc::<Frames>::default(), CancellationToken::new());
    let server = tokio::spawn(example::frames::datagrams(socket, Arc::clone(&chain), stop.clone()));
    let mut clients = Vec::new();
    for _ in 0..2 {
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        client.connect(address).await.expect("a route");
        clients.push(client);
    }
    // The first is asleep while the second is answered, and is answered although the server is told to stop meanwhile.
    clients[0].send(&[0, 1]).await.expect("it is sent");
    until("the first to be worked on", || tally(&chain.tally)[0] == 1).await;
    clients[1].send(&[5, 3]).await.expect("it is sent");
    let mut answer = [0; 8];
    let received = within("an answer", clients[1].recv(&mut answer)).await.expect("an answer");
    assert_eq!(answer[..received], [5, 15]);
    assert_eq!(tally(&chain.tally), [2, 1, 0]);
    stop.cancel();
    let received = within("an answer", clients[0].recv(&mut answer)).await.expect("an answer");
    assert_eq!(answer[..received], [0]);
    within("the end", server).await.expect("no datagram panics it");
    assert_eq!(tally(&chain.tally), [2, 2, 0]);
}
