//! One line for each request, however it ends, and no request waits for its line.

use std::io::{self, Write};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use chain_nodes_tests::head;
use chain_runtime::nodes::access_log::{AccessLog, Cut, Entry, LINES, Lines, log_user};
use chain_runtime::nodes::auth::{ApiKeys, Auth};
use chain_runtime::nodes::request_id::RequestIds;
use chain_runtime::nodes::{Peer, User};
use chain_runtime::tailed::{Carried, Tailed, Tunnel};
use chain_runtime::{Failure, IntoReply, Render, chain, node};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;

type Reply = Response<Tailed<Script, Option<Entry>>>;

/// A body that gives what stands in it, one after the other, and then pends if it is told to.
#[derive(Default)]
struct Script {
    frames: Vec<Result<Frame<Bytes>, &'static str>>,
    pends: bool,
}

impl Script {
    fn of(frames: impl IntoIterator<Item = Result<Frame<Bytes>, &'static str>>, pends: bool) -> Self {
        let mut frames: Vec<_> = frames.into_iter().collect();
        frames.reverse();
        Self { frames, pends }
    }
}

fn piece(text: &'static str) -> Result<Frame<Bytes>, &'static str> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        match self.frames.pop() {
            None if self.pends => Poll::Pending,
            Some(Err("panic")) => panic!("asked for"),
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && !self.pends
    }
}

#[derive(Debug)]
struct Failed(StatusCode);

impl IntoReply<Reply> for Failed {
    fn into_reply(self) -> Reply {
        Render::render(&Failure::new(self.0, "failed", "asked for"))
    }
}

/// What the request's path asks for.
#[node]
async fn answer(request: Parts, tunnels: &Tunnels) -> Result<Response<Script>, Failed> {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().expect("a value"));
    let (status, body) = match request.uri.path() {
        "/hello" => (200, Script::of([piece("hel"), piece("lo")], false)),
        "/trailers" => (200, Script::of([piece("hello"), Ok(Frame::trailers(trailers))], false)),
        "/empty" => (200, Script::default()),
        "/204" => (204, Script::of([piece("never sent")], false)),
        "/304" => (304, Script::of([piece("never sent")], false)),
        "/404" => (404, Script::of([piece("no")], false)),
        "/stalls" => (200, Script::of([piece("hello")], true)),
        "/breaks" => (200, Script::of([piece("hello"), Err("broken")], false)),
        "/body-panics" => (200, Script::of([piece("hello"), Err("panic")], false)),
        "/panics" => panic!("asked for"),
        "/waits" => std::future::pending().await,
        "/502" => return Err(Failed(StatusCode::BAD_GATEWAY)),
        "/413" => return Err(Failed(StatusCode::PAYLOAD_TOO_LARGE)),
        "/tunnel" => (101, Script::default()),
        other => panic!("no {other}"),
    };
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(status).expect("a status");
    if status == 101 {
        let tunnel = Tunnel::default();
        reply.extensions_mut().insert(tunnel.clone());
        tunnels.0.lock().expect("no panic").push(tunnel);
    }
    Ok(reply)
}

#[derive(Default)]
struct Tunnels(Mutex<Vec<Tunnel>>);

chain! {
    struct Site { ids: RequestIds, log: AccessLog, auth: Auth, tunnels: Tunnels }
    async fn(request: Parts, peer: Peer) -> Reply { ids => log => auth => log_user => answer }
}

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().expect("no panic").clone())
            .expect("a text")
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

struct Logged {
    site: Site,
    kept: Kept,
}

const ALICE: &str = "alice-0123456789";
const LONG: Duration = Duration::from_secs(30);

fn peer() -> Peer {
    std::net::IpAddr::from([192, 0, 2, 1]).into()
}

impl Logged {
    fn new() -> Self {
        let kept = Kept::default();
        let keys = ApiKeys::new([("alice", ALICE)]).expect("good");
        let site = Site {
            ids: RequestIds::with_run(1),
            log: AccessLog::new(Lines::to(kept.clone())),
            auth: Auth::new("r").api_keys(keys),
            tunnels: Tunnels::default(),
        };
        Self { site, kept }
    }

    fn request(method: Method, path: &str) -> Parts {
        let request = Request::builder().method(method).uri(path).header("x-api-key", ALICE);
        request.body(()).expect("a request").into_parts().0
    }

    /// The one line that there is now, from `method` on and without the time.
    fn line(&self) -> String {
        assert!(self.site.log.lines().flush(LONG));
        let lines = self.kept.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let (when, line) = lines[0].split_once("  INFO request ").expect("how a line begins");
        assert_eq!((when.len(), &when[10..11], &when[26..]), (27, "T", "Z"), "{when}");
        let Some((before, time)) = line.split_once(" ms=") else { return line.to_owned() };
        let (time, after) = time.split_once(' ').expect("more fields");
        assert!(time.parse::<f64>().expect("a time") >= 0.0 && time.split_once('.').expect("a point").1.len() == 3);
        format!("{before} {after}")
    }

    /// What the line of this request says, if all of its reply is read.
    async fn read(method: Method, path: &str) -> String {
        let logged = Self::new();
        let reply = logged.site.run(Self::request(method.clone(), path), peer()).await;
        if method == Method::HEAD || reply.body().is_end_stream() || reply.status() == 204 || reply.status() == 304 {
            // No server asks these for their body.
            drop(reply);
        } else {
            let _ = reply.into_body().collect().await;
        }
        logged.line()
    }
}

fn polled<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn a_reply_that_is_read_to_its_end_is_done() {
    assert_eq!(
        Logged::read(Method::GET, "/hello?token=secret").await,
        "method=\"GET\" path=\"/hello\" status=200 by=\"upstream\" bytes=5 user=\"alice\" id=\"00000001-000001\" peer=192.0.2.1 outcome=\"done\""
    );
}

#[tokio::test]
async fn trailers_and_replies_without_content_are_done() {
    for (method, path, said) in [
        (Method::GET, "/trailers", "status=200 by=\"upstream\" bytes=5 "),
        (Method::GET, "/empty", "status=200 by=\"upstream\" bytes=0 "),
        (Method::HEAD, "/hello", "status=200 by=\"upstream\" bytes=0 "),
        (Method::GET, "/204", "status=204 by=\"upstream\" bytes=0 "),
        (Method::GET, "/304", "status=304 by=\"upstream\" bytes=0 "),
        (Method::GET, "/404", "status=404 by=\"upstream\" bytes=2 "),
        (Method::GET, "/502", "status=502 by=\"gateway\" ended=\"answer\" bytes=0 "),
    ] {
        let line = Logged::read(method, path).await;
        assert!(line.contains(said) && line.ends_with("outcome=\"done\""), "{line}");
    }
}

#[tokio::test]
async fn a_node_that_breaks_with_a_4xx_refuses() {
    let logged = Logged::new();
    drop(logged.site.run(head(&[("x-request-id", "mine")]), peer()).await);
    assert_eq!(
        logged.line(),
        "method=\"GET\" path=\"/\" status=401 by=\"gateway\" ended=\"auth\" bytes=0 id=\"mine\" peer=192.0.2.1 outcome=\"refused\""
    );
    let line = Logged::read(Method::POST, "/413").await;
    assert!(
        line.contains("status=413") && line.contains("user=\"alice\"") && line.ends_with("outcome=\"refused\""),
        "{line}"
    );
}

#[tokio::test]
async fn who_leaves_before_the_reply_is_cancelled_and_has_no_status() {
    let logged = Logged::new();
    {
        let mut run = pin!(logged.site.run(Logged::request(Method::GET, "/waits"), peer()));
        assert!(polled(run.as_mut()).is_pending());
    }
    assert_eq!(
        logged.line(),
        "method=\"GET\" path=\"/waits\" bytes=0 user=\"alice\" id=\"00000001-000001\" peer=192.0.2.1 outcome=\"cancelled\""
    );
}

#[tokio::test]
async fn who_leaves_in_the_middle_of_the_reply_is_cancelled() {
    let logged = Logged::new();
    let mut reply = logged.site.run(Logged::request(Method::GET, "/stalls"), peer()).await;
    assert!(polled(pin!(reply.body_mut().frame())).is_ready());
    assert!(polled(pin!(reply.body_mut().frame())).is_pending());
    drop(reply);
    let line = logged.line();
    assert!(
        line.contains("status=200") && line.contains("bytes=5") && line.ends_with("outcome=\"cancelled\""),
        "{line}"
    );
}

#[tokio::test]
async fn what_a_limit_ended_was_cut() {
    for path in ["/stalls", "/breaks", "/hello"] {
        let logged = Logged::new();
        let cut = Cut::default();
        let mut visit = logged.site.log.visit(&Logged::request(Method::GET, path), peer());
        visit.cut_by(&cut);
        let body = answer(Logged::request(Method::GET, path), &logged.site.tunnels).await.expect("a reply");
        let mut reply: Reply = body.map(Tailed::from);
        let ending = Site::NODES.last().expect("a node");
        logged.site.log.exit(&mut visit, &chain_runtime::Ending::replied(ending), &mut reply);
        while let Poll::Ready(Some(Ok(_))) = polled(pin!(reply.body_mut().frame())) {}
        cut.cut();
        drop(reply);
        let outcome = match path {
            "/stalls" => "cut",
            // They had come to their end before.
            "/breaks" => "broken",
            _ => "done",
        };
        let line = logged.line();
        assert!(line.ends_with(&format!("outcome=\"{outcome}\"")), "{line}");
    }
}

#[tokio::test]
async fn a_body_that_fails_is_broken() {
    let line = Logged::read(Method::GET, "/breaks").await;
    assert!(line.contains("bytes=5") && line.ends_with("outcome=\"broken\""), "{line}");
}

#[test]
fn a_panic_is_said_to_be_one() {
    for (path, said) in [("/panics", "bytes=0"), ("/body-panics", "bytes=5")] {
        let logged = Logged::new();
        let caught = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut run = pin!(async {
                let reply = logged.site.run(Logged::request(Method::GET, path), peer()).await;
                let _ = reply.into_body().collect().await;
            });
            let _ = polled(run.as_mut());
        }));
        caught.expect_err("a panic");
        let line = logged.line();
        assert!(line.contains(said) && line.ends_with("outcome=\"panicked\""), "{line}");
    }
}

#[tokio::test]
async fn a_tunnel_has_its_line_when_it_ends_with_the_bytes_of_both_ways() {
    let logged = Logged::new();
    drop(logged.site.run(Logged::request(Method::GET, "/tunnel"), peer()).await);
    assert!(logged.site.log.lines().flush(LONG));
    assert_eq!(logged.kept.lines(), [""; 0], "it has not ended");
    let tunnel = logged.site.tunnels.0.lock().expect("no panic").pop().expect("a tunnel");
    tunnel.ended(Carried { up: 4, down: 8, was_cut: false });
    let line = logged.line();
    assert!(line.contains("status=101 by=\"upstream\" bytes=8 received=4 user=\"alice\""), "{line}");
    assert!(line.ends_with("outcome=\"tunnel\""), "{line}");
}

#[tokio::test]
async fn a_tunnel_that_a_limit_ended_was_cut() {
    let logged = Logged::new();
    drop(logged.site.run(Logged::request(Method::GET, "/tunnel"), peer()).await);
    let tunnel = logged.site.tunnels.0.lock().expect("no panic").pop().expect("a tunnel");
    tunnel.ended(Carried { up: 0, down: 1, was_cut: true });
    let line = logged.line();
    assert!(line.contains("bytes=1 received=0") && line.ends_with("outcome=\"cut\""), "{line}");
}

#[test]
fn what_never_came_to_the_chain_has_a_line_as_well() {
    let logged = Logged::new();
    let visit = logged.site.log.visit(&head(&[]), peer());
    let mut reply: Reply = Response::new(Script::of([piece("no")], false)).map(Tailed::from);
    *reply.status_mut() = StatusCode::BAD_REQUEST;
    logged.site.log.refused(visit, &mut reply);
    drop(reply);
    let line = logged.line();
    assert!(line.contains("status=400 by=\"gateway\"") && line.ends_with("outcome=\"refused\""), "{line}");

    let logged = Logged::new();
    logged.site.log.malformed(peer(), "invalid \"header\"\r\nname");
    assert_eq!(logged.line(), r#"peer=192.0.2.1 outcome="malformed" error="invalid \"header\"\r\nname""#);
}

#[tokio::test]
async fn a_field_stays_a_field_and_a_line_a_line_whatever_is_in_it() {
    let logged = Logged::new();
    let mut request =
        Logged::request(Method::from_bytes(b"A-METHOD-THAT-IS-LONGER-THAN-ANY-METHOD").expect("a method"), "/empty");
    request.uri =
        format!("/empty/{}", "é\"\\".repeat(400)).parse().unwrap_or_else(|_| "/empty".parse().expect("a path"));
    let long = "x".repeat(700);
    let visit = logged.site.log.visit(&request, peer());
    visit.user(&User::new("a \"b\" \\c").expect("a name"));
    logged.site.log.cancelled(&visit);
    let line = logged.line();
    assert!(line.starts_with("method=\"A-METHOD-THAT-IS-LONGER-THAN-ANY…\" path=\"/empty/é\\\"\\\\é"), "{line}");
    assert!(line.contains(r#"user="a \"b\" \\c""#) && line.ends_with("outcome=\"cancelled\""), "{line}");
    let path = line.split("path=\"").nth(1).expect("a path").split("\" bytes").next().expect("its end");
    assert!(path.ends_with('…') && path.len() <= 512 + 3 && path.len() > 500, "{}", path.len());

    let logged = Logged::new();
    let mut request = head(&[("x-request-id", &long)]);
    request.uri = format!("/{long}?{long}").parse().expect("a path");
    logged.site.log.cancelled(&logged.site.log.visit(&request, peer()));
    let line = logged.line();
    assert!(line.contains(&format!("path=\"/{}…\"", "x".repeat(511))), "{line}");
    assert!(line.contains(&format!("id=\"{}…\"", "x".repeat(64))), "{line}");
    assert!(line.len() < 1_500);
}

/// Blocks each write until it is let go.
struct Blocked {
    begun: Sender<()>,
    go_on: Receiver<()>,
    kept: Kept,
}

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.begun.send(());
        // Once nobody holds it any more, it goes on at once.
        let _ = self.go_on.recv();
        self.kept.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_logs_never_waits_and_what_is_lost_is_counted_and_said() {
    let kept = Kept::default();
    let ((begun, has_begun), (let_go, go_on)) = (channel(), channel());
    let lines = Lines::with(Blocked { begun, go_on, kept: kept.clone() }, 16);
    lines.line(|line| line.push_str("first"));
    has_begun.recv_timeout(LONG).expect("the thread is stuck in its write");
    for _ in 0..1_000 {
        lines.line(|line| line.push_str("later"));
    }
    assert_eq!(lines.lost(), 1_000 - 16);
    assert!(!lines.flush(Duration::from_millis(10)), "nobody reads");
    drop(let_go);
    assert!(lines.flush(LONG));
    let written = kept.lines();
    assert_eq!(written[0], "first");
    assert_eq!(written.iter().filter(|line| *line == "later").count(), 16);
    let warnings: Vec<_> = written.iter().filter(|line| line.contains("  WARN log lost=")).collect();
    assert_eq!(warnings.len(), 1, "{written:?}");
    assert!(warnings[0].ends_with("lost=984"), "{warnings:?}");
    lines.line(|line| line.push_str("after"));
    assert!(lines.flush(LONG));
    assert_eq!(kept.lines().last().map(String::as_str), Some("after"));
    assert_eq!(lines.lost(), 984);
}

#[test]
fn a_line_is_written_once_or_counted_as_lost_whoever_logs() {
    let kept = Kept::default();
    let lines = Lines::with(kept.clone(), 8);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let lines = lines.clone();
            scope.spawn(move || (0..5_000).for_each(|at| lines.line(|line| *line += &format!("{thread} {at}"))));
        }
    });
    // A loss that is counted just after the thread has looked is said with the next line.
    assert!(lines.flush(LONG));
    lines.line(|line| line.push_str("last"));
    assert!(lines.flush(LONG));
    let mut written: Vec<_> = kept.lines().into_iter().filter(|line| !line.contains(" WARN ")).collect();
    let count = written.len();
    assert_eq!(count as u64 + lines.lost(), 20_001);
    written.sort();
    written.dedup();
    assert_eq!(written.len(), count, "none is there twice");
    let said =
        kept.lines().iter().filter_map(|line| line.split_once("WARN log lost=")?.1.parse::<u64>().ok()).sum::<u64>();
    assert_eq!(said, lines.lost(), "all that was lost was said");
}

/// Fails while it is told to.
struct Failing(Arc<Mutex<bool>>, Kept);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if *self.0.lock().expect("no panic") {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.1.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_loses_lines_and_is_tried_again() {
    let (fails, kept) = (Arc::new(Mutex::new(true)), Kept::default());
    let lines = Lines::to(Failing(Arc::clone(&fails), kept.clone()));
    lines.line(|line| line.push_str("lost"));
    assert!(lines.flush(LONG));
    assert_eq!(lines.lost(), 1);
    *fails.lock().expect("no panic") = false;
    lines.line(|line| line.push_str("kept"));
    assert!(lines.flush(LONG));
    let written = kept.lines();
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(written[0] == "kept" && written[1].ends_with("WARN log lost=1"), "{written:?}");
}

#[test]
fn other_logs_can_write_there_too() {
    let kept = Kept::default();
    let mut lines = Lines::to(kept.clone());
    lines.write_all(b"from elsewhere\n").expect("it never fails");
    lines.write_all(b"bro\xffken").expect("it never fails");
    lines.write_all(&b"x".repeat(10_000)).expect("it never fails");
    assert!(Lines::flush(&lines, LONG));
    let written = kept.lines();
    assert_eq!(written[..2], ["from elsewhere", "broken"]);
    assert_eq!(written[2].len(), 4_096);
}

#[test]
fn all_that_waits_is_written_when_the_last_one_is_gone() {
    let kept = Kept::default();
    let ((begun, has_begun), (let_go, go_on)) = (channel(), channel());
    let lines = Lines::to(Blocked { begun, go_on, kept: kept.clone() });
    for at in 0..LINES {
        lines.line(|line| line.push_str(&at.to_string()));
    }
    has_begun.recv_timeout(LONG).expect("the thread is at its first write");
    drop(lines);
    drop(let_go);
    // The writer is dropped with the thread.
    while has_begun.recv_timeout(LONG).is_ok() {}
    assert_eq!(kept.lines().len(), LINES);
}

#[test]
fn a_run_can_be_sent() {
    fn is_send(_: &impl Send) {}
    let logged = Logged::new();
    is_send(&logged.site.run(head(&[]), peer()));
}
