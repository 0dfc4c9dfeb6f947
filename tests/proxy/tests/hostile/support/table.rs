//! Tables of cases: a row says what is sent, what the client must see, and what the upstream must and must not have
//! got.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::bench::Bench;
use super::client::{Client, Reply};
use super::message::shown;
use super::proxy::{Which, chosen};
use super::upstream::{Asked, fine};
use super::wire::Lack;

type Check<T> = Arc<dyn Fn(&T, Which) -> Result<(), String> + Send + Sync>;

/// What must have come of a request.
#[derive(Clone)]
pub(crate) enum Want {
    /// The upstream got these requests, and the client its replies.
    Passed(Vec<Sight>),
    /// It was answered here with one of these, and nothing reached the upstream. The connection may be used on.
    Answered(Vec<u16>),
    /// The same, and the connection was closed, since where the next request begins cannot be known.
    Refused(Vec<u16>),
    /// The same, and the upstream may have got the beginning of it, and nothing that it takes for a whole request.
    Broken(Vec<u16>),
    /// The one or the other, both are right.
    Either(Vec<u16>, Vec<Sight>),
}

/// A request as the upstream must have got it.
#[derive(Clone, Default)]
pub(crate) struct Sight {
    method: &'static str,
    target: String,
    or_target: Option<&'static str>,
    body: Vec<u8>,
    any_body: bool,
    checks: Vec<Check<Asked>>,
}

/// One request, with any body.
pub(crate) fn sight(method: &'static str, target: &str) -> Sight {
    Sight { method, target: target.to_owned(), ..Sight::default() }
}

impl Sight {
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Another target will do as well.
    pub(crate) fn or_target(mut self, target: &'static str) -> Self {
        self.or_target = Some(target);
        self
    }

    /// With a body that a check looks at.
    pub(crate) fn any_body(mut self) -> Self {
        self.any_body = true;
        self
    }

    /// With this field, on one line, and no other of that name.
    pub(crate) fn with(self, name: &'static str, value: &'static str) -> Self {
        self.check(move |asked, which| {
            let wanted = String::from_utf8(which.fill(value.as_bytes())).expect("text");
            let lines: Vec<&str> = asked.fields.all(name).collect();
            // The edge may send no body to where files are, and says so.
            let bodiless = which == Which::Files && asked.body.is_empty() && name == "content-length" && lines == ["0"];
            if lines == [wanted.as_str()] || bodiless {
                Ok(())
            } else {
                Err(format!("{name} is {lines:?}, not {wanted:?}"))
            }
        })
    }

    /// Without a field of this name.
    pub(crate) fn without(self, name: &'static str) -> Self {
        self.check(move |asked, _| {
            if asked.fields.has(name) { Err(format!("{name} is {:?}", asked.fields.joined(name))) } else { Ok(()) }
        })
    }

    pub(crate) fn check(mut self, check: impl Fn(&Asked, Which) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.checks.push(Arc::new(check));
        self
    }

    pub(crate) fn holds(&self, asked: &Asked, which: Which) -> Result<(), String> {
        let target = self.target.replace("{p}", which.prefix());
        let right = asked.target == target || self.or_target == Some(&*asked.target);
        if asked.method != self.method || !right {
            return Err(format!("the upstream got {} {}, not {} {target}", asked.method, asked.target, self.method));
        }
        // The edge may send no body to where files are.
        let without = which == Which::Files && asked.body.is_empty();
        if asked.body != self.body && !without && !self.any_body {
            return Err(format!("the upstream got the body {:?}, not {:?}", shown(&asked.body), shown(&self.body)));
        }
        self.checks.iter().try_for_each(|check| check(asked, which))
    }
}

/// One row.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    sent: Vec<u8>,
    methods: Vec<&'static str>,
    old: bool,
    finish: bool,
    want: Want,
    replies: Vec<Check<Reply>>,
    not_for: Vec<Which>,
}

/// A row with this name, which sends `{p}` as the proxy's prefix and `{k}` as the line of its key.
pub(crate) fn case(name: impl Into<String>, sent: impl AsRef<[u8]>) -> Case {
    let sent = sent.as_ref().to_vec();
    let method = ["HEAD", "CONNECT", "OPTIONS", "TRACE"].into_iter().find(|method| sent.starts_with(method.as_bytes()));
    Case {
        name: name.into(),
        sent,
        methods: vec![method.unwrap_or("GET")],
        old: false,
        finish: false,
        want: Want::Passed(Vec::new()),
        replies: Vec::new(),
        not_for: Vec::new(),
    }
}

impl Case {
    /// What is sent. `{n}` is the length of all that stands behind the first head.
    fn bytes(&self, which: Which) -> Vec<u8> {
        let filled = which.fill(&self.sent);
        let end = filled.windows(4).position(|part| part == b"\r\n\r\n").map_or(filled.len(), |at| at + 4);
        super::proxy::replace(&filled, b"{n}", (filled.len() - end).to_string().as_bytes())
    }

    /// Expects a reply to each of these, and not to one request.
    pub(crate) fn methods(mut self, methods: &[&'static str]) -> Self {
        self.methods = methods.to_vec();
        self
    }

    /// The client speaks HTTP/1.0.
    pub(crate) fn old(mut self) -> Self {
        self.old = true;
        self
    }

    /// The client closes its half once all is sent.
    pub(crate) fn finish(mut self) -> Self {
        self.finish = true;
        self
    }

    /// These do otherwise, for a reason that stands beside the row.
    pub(crate) fn not_for(mut self, which: &[Which]) -> Self {
        self.not_for = which.to_vec();
        self
    }

    pub(crate) fn passed(mut self, sights: impl Into<Vec<Sight>>) -> Self {
        self.want = Want::Passed(sights.into());
        self
    }

    pub(crate) fn answered(mut self, statuses: &[u16]) -> Self {
        self.want = Want::Answered(statuses.to_vec());
        self
    }

    pub(crate) fn refused(mut self, statuses: &[u16]) -> Self {
        self.want = Want::Refused(statuses.to_vec());
        self
    }

    pub(crate) fn broken(mut self, statuses: &[u16]) -> Self {
        self.want = Want::Broken(statuses.to_vec());
        self
    }

    pub(crate) fn either(mut self, statuses: &[u16], sights: impl Into<Vec<Sight>>) -> Self {
        self.want = Want::Either(statuses.to_vec(), sights.into());
        self
    }

    /// Each reply that the client gets.
    pub(crate) fn reply(mut self, check: impl Fn(&Reply, Which) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.replies.push(Arc::new(check));
        self
    }
}

impl Bench {
    fn run(&self, case: &Case) -> Result<(), String> {
        let which = self.proxy.which;
        self.begin(|asked, _| fine(asked));
        let mut client = Client::connect(self.proxy.at);
        client.old = case.old;
        client.send(case.bytes(which));
        if case.finish {
            client.wire.finish();
        }
        let mut replies = Vec::new();
        let mut lack = None;
        for method in &case.methods {
            match client.reply(method) {
                Ok(reply) => replies.push(reply),
                Err(why) => {
                    lack = Some(why);
                    break;
                }
            }
        }
        if let Some(Lack::Wrong(wrong)) = &lack {
            return Err(format!("the client got what is no reply: {wrong}"));
        }
        let goes_on = match lack {
            None => self.tail(&mut client)?,
            Some(_) => false,
        };
        self.sentinel()?;
        let asked = self.asked()?;
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        let here = || {
            format!(
                "the client got {statuses:?}{}",
                lack.as_ref().map_or(String::new(), |why| format!(", then {why:?}"))
            )
        };
        let passed = |sights: &[Sight]| {
            if asked.len() != sights.len() {
                let got: Vec<String> = asked.iter().map(|asked| format!("{} {}", asked.method, asked.target)).collect();
                return Err(format!(
                    "the upstream got {} requests {got:?}, not {}; {}",
                    asked.len(),
                    sights.len(),
                    here()
                ));
            }
            if statuses.len() != case.methods.len() || statuses.iter().any(|status| *status != 200) {
                return Err(here());
            }
            sights.iter().zip(&asked).try_for_each(|(sight, asked)| sight.holds(asked, which))
        };
        let answered = |allowed: &[u16], closed: bool, begun: bool| {
            let whole = |asked: &&Asked| !(begun && asked.method.starts_with("UNFINISHED "));
            if let Some(asked) = asked.iter().find(whole) {
                return Err(format!("it reached the upstream: {} {}; {}", asked.method, asked.target, here()));
            }
            match statuses[..] {
                [status, ..] if !allowed.contains(&status) => Err(here()),
                // A peer that speaks no HTTP at all need not be answered in it.
                [] if !closed => Err(here()),
                [] if matches!(lack, Some(Lack::Silent)) => Err(here()),
                _ if closed && goes_on => Err(format!("{}, and the connection goes on", here())),
                _ => Ok(()),
            }
        };
        match &case.want {
            Want::Passed(sights) => passed(sights)?,
            Want::Answered(statuses) => answered(statuses, false, false)?,
            Want::Refused(statuses) => answered(statuses, true, false)?,
            Want::Broken(statuses) => answered(statuses, true, true)?,
            Want::Either(statuses, _) if asked.is_empty() => answered(statuses, false, false)?,
            Want::Either(_, sights) => passed(sights)?,
        }
        for reply in &replies {
            for check in &case.replies {
                check(reply, which)?;
            }
        }
        Ok(())
    }
}

/// Runs the cases against these proxies.
pub(crate) fn run(table: &str, proxies: &[Which], flags: &[&str], cases: Vec<Case>) {
    let rows = cases.into_iter().map(|case| (case.name.clone(), case)).collect();
    run_by(table, proxies, flags, rows, |bench, case: &Case| {
        if case.not_for.contains(&bench.proxy.which) { Ok(()) } else { bench.run(case) }
    });
}

/// Runs any rows, each on a bench that other rows have used before it, but no failed one.
pub(crate) fn run_by<R: Send + Sync>(
    table: &str,
    proxies: &[Which],
    flags: &[&str],
    rows: Vec<(String, R)>,
    run: impl Fn(&Bench, &R) -> Result<(), String> + Sync,
) {
    run_with(4, table, proxies, flags, rows, run);
}

/// The same for rows that mostly wait: all at once, each on a bench of its own.
pub(crate) fn run_at_once<R: Send + Sync>(
    table: &str,
    proxies: &[Which],
    flags: &[&str],
    rows: Vec<(String, R)>,
    run: impl Fn(&Bench, &R) -> Result<(), String> + Sync,
) {
    run_with(proxies.len() * rows.len(), table, proxies, flags, rows, run);
}

fn run_with<R: Send + Sync>(
    workers: usize,
    table: &str,
    proxies: &[Which],
    flags: &[&str],
    rows: Vec<(String, R)>,
    run: impl Fn(&Bench, &R) -> Result<(), String> + Sync,
) {
    let only = std::env::var("CHAIN_PROXY_CASE").ok();
    let rows: Vec<_> =
        rows.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| name.contains(only))).collect();
    let mut work = VecDeque::new();
    for which in chosen(proxies) {
        work.extend(rows.iter().map(|row| (which, row)));
    }
    let all = work.len();
    println!("{table}: {} rows, {all} with each proxy", rows.len());
    let work = Mutex::new(work);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers.min(all) {
            scope.spawn(|| {
                let mut bench: Option<Bench> = None;
                loop {
                    let Some((which, (name, row))) = work.lock().expect("no panic").pop_front() else { return };
                    let current = match bench.take() {
                        // A row may have ended its proxy, and a worker that was quick takes another row.
                        Some(bench)
                            if bench.proxy.which == which && bench.proxy.ended_within(Duration::ZERO).is_none() =>
                        {
                            bench
                        }
                        _ => Bench::new(which, &flags_of(which, flags)),
                    };
                    let ran = catch_unwind(AssertUnwindSafe(|| run(&current, row)));
                    match ran.unwrap_or_else(|_| Err("it panicked, see above".to_owned())) {
                        Ok(()) => bench = Some(current),
                        Err(why) => {
                            let why = format!("FAILED {which:?} {table}/{name}: {why}");
                            failures.lock().expect("no panic").push(why);
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    let mut report = String::new();
    for failure in &failures {
        let _ = writeln!(report, "{failure}");
    }
    assert!(failures.is_empty(), "{} of {all} rows failed:\n{report}", failures.len());
}

/// `gateway` has the most flags, `edge` some, and `forward` none.
fn flags_of<'a>(which: Which, flags: &[&'a str]) -> Vec<&'a str> {
    let known = |flag: &str| match which {
        Which::Gateway => flag != "--deadline" && flag != "--attempt",
        Which::Api | Which::Files => ["--grace", "--deadline", "--attempt"].contains(&flag),
        Which::Forward => false,
    };
    flags.chunks(2).filter(|pair| known(pair[0])).flatten().copied().collect()
}
