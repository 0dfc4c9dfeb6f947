//! What requests that share permits do, according to the docs. A request is a stack of what it is inside of; nothing
//! here is a future.

use std::collections::VecDeque;

use crate::{CANCELLED, IN, Limits, OUT, Outcome, Reply, Run, STEPS, Said, Script, TIMEOUT};

enum Item {
    Log(usize),
    Step(usize),
    Within(u64, Vec<Item>),
    Again(Vec<Item>),
    Few(Vec<Item>),
    Room(Vec<Item>),
}

use Item::{Few, Room, Step, Within};

fn items(which: usize, limits: &Limits) -> Vec<Item> {
    use Item::{Again, Log};
    let Limits { a, b, .. } = *limits;
    match which {
        0 => vec![Within(a, vec![Log(0), Room(vec![Log(1), Step(0), Step(2)])])],
        1 => vec![Few(vec![Log(0), Step(0)]), Room(vec![Log(1), Step(1)]), Step(2)],
        2 => vec![Within(a, vec![Again(vec![Log(0), Room(vec![Within(b, vec![Log(1), Step(0), Step(2)])])])])],
        3 => vec![Again(vec![Few(vec![Log(0), Room(vec![Log(1), Step(0)]), Step(1), Step(2)])])],
        _ => vec![Room(vec![
            Log(0),
            Within(TIMEOUT, vec![Step(0)]),
            Few(vec![Within(b, vec![Log(1), Within(TIMEOUT, vec![Step(1)])])]),
            Step(2),
        ])],
    }
}

/// Where a request is: the outermost first.
enum Frame<'a> {
    /// The next item of a row. What was entered of it lies above.
    Row(&'a [Item]),
    Log(usize),
    Within(u64),
    Again(&'a [Item], u32),
    Few,
    Room,
    /// In the queue, and for how long.
    Queued(&'a [Item], u64),
    Sleeps(usize, u64),
}

struct Simulated<'a> {
    script: &'a Script,
    frames: Vec<Frame<'a>>,
    failed: usize,
    outcome: Option<(Outcome, u64)>,
}

struct Model<'a> {
    limits: &'a Limits,
    row: &'a [Item],
    now: u64,
    requests: Vec<Simulated<'a>>,
    free: usize,
    queue: VecDeque<usize>,
    few: usize,
    /// Who has a permit now, and goes on when those before are done.
    ready: VecDeque<usize>,
    said: Vec<Said>,
}

/// What a request does next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    Comes,
    IsDropped,
    Wakes,
    /// What lies at this place of its frames takes too long.
    IsLate(usize),
}

impl<'a> Model<'a> {
    fn note(&mut self, who: usize, what: &'static str) {
        self.said.push((who, what, self.free, self.now));
    }

    fn simulate(mut self) -> Option<Run> {
        loop {
            let mut due: Vec<_> = (0..self.requests.len()).flat_map(|who| self.due(who)).collect();
            due.sort_by_key(|(at, ..)| *at);
            let Some(&(at, who, next)) = due.first() else { break };
            if due.get(1).is_some_and(|(other, ..)| *other == at) {
                return None;
            }
            self.now = at;
            match next {
                Next::Comes => {
                    self.requests[who].frames.push(Frame::Row(self.row));
                    self.go_on(who);
                }
                Next::IsDropped => {
                    self.abandon(who, 0);
                    self.requests[who].outcome = Some((Outcome::Dropped, at));
                }
                Next::Wakes => self.wake(who),
                Next::IsLate(place) => {
                    self.abandon(who, place);
                    // Of a permit that did not come, or of a block that took too long.
                    let is_queued = matches!(self.requests[who].frames.pop(), Some(Frame::Queued(..)));
                    self.ends(who, Some(if is_queued { 503 } else { 504 }));
                }
            }
            while let Some(who) = self.ready.pop_front() {
                self.go_on(who);
            }
        }
        Some((self.requests.iter().map(|request| request.outcome).collect(), self.said))
    }

    fn due(&self, who: usize) -> Vec<(u64, usize, Next)> {
        let Simulated { script, frames, outcome, .. } = &self.requests[who];
        if outcome.is_some() {
            return Vec::new();
        }
        if frames.is_empty() {
            return vec![(script.comes_at, who, Next::Comes)];
        }
        let dropped = script.dropped_after.map(|after| (script.comes_at + after, who, Next::IsDropped));
        let timed = frames.iter().enumerate().filter_map(|(place, frame)| match frame {
            Frame::Within(at) | Frame::Queued(_, at) => Some((*at, who, Next::IsLate(place))),
            Frame::Sleeps(_, at) => Some((*at, who, Next::Wakes)),
            _ => None,
        });
        timed.chain(dropped).collect()
    }

    /// What is above this place is gone. Permits go first, the outermost first of all; then hooks run, the innermost first.
    fn abandon(&mut self, who: usize, place: usize) {
        let frames = &mut self.requests[who].frames;
        let above = if matches!(frames[place], Frame::Row(_)) { place } else { place + 1 };
        let gone = frames.split_off(above);
        for frame in &gone {
            self.give_back(who, frame);
        }
        if let Some(Frame::Queued(..)) = self.requests[who].frames.last() {
            self.queue.retain(|queued| *queued != who);
        }
        for frame in gone.iter().rev() {
            if let Frame::Log(at) = frame {
                self.note(who, CANCELLED[*at]);
            }
        }
    }

    fn give_back(&mut self, who: usize, frame: &Frame<'a>) {
        match frame {
            Frame::Few => self.few += 1,
            Frame::Queued(..) => self.queue.retain(|queued| *queued != who),
            Frame::Room => match self.queue.pop_front() {
                None => self.free += 1,
                Some(first) => {
                    let Some(Frame::Queued(items, _)) = self.requests[first].frames.pop() else { panic!("it waits") };
                    self.requests[first].frames.extend([Frame::Room, Frame::Row(items)]);
                    self.ready.push_back(first);
                }
            },
            _ => {}
        }
    }

    fn wake(&mut self, who: usize) {
        let request = &mut self.requests[who];
        let Some(Frame::Sleeps(at, _)) = request.frames.pop() else { panic!("it sleeps") };
        if request.script.panics == at {
            // It unwinds as calls do.
            while let Some(frame) = self.requests[who].frames.pop() {
                self.give_back(who, &frame);
                if let Frame::Log(at) = frame {
                    self.note(who, CANCELLED[at]);
                }
            }
            self.requests[who].outcome = Some((Outcome::Panicked, self.now));
            return;
        }
        if request.script.breaks == at {
            return self.ends_row(who, Some(400));
        }
        if at < 2 {
            return self.go_on(who);
        }
        request.failed += 1;
        let reply = if request.failed > request.script.fails { 200 } else { 503 };
        self.ends_row(who, Some(reply));
    }

    /// Runs the row that the request is in until it waits for something.
    fn go_on(&mut self, who: usize) {
        loop {
            let request = &mut self.requests[who];
            let row = request.frames.iter_mut().rev().find_map(|frame| match frame {
                Frame::Row(row) => Some(row),
                _ => None,
            });
            let row = row.expect("it runs");
            let Some((item, rest)) = row.split_first() else { return self.ends_row(who, None) };
            *row = rest;
            let now = self.now;
            match item {
                Item::Log(at) => {
                    request.frames.push(Frame::Log(*at));
                    self.note(who, IN[*at]);
                }
                Step(at) => {
                    request.frames.push(Frame::Sleeps(*at, now + request.script.takes[*at]));
                    return self.note(who, STEPS[*at]);
                }
                Within(limit, inner) => request.frames.extend([Frame::Within(now + limit), Frame::Row(inner)]),
                Item::Again(inner) => request.frames.extend([Frame::Again(inner, 1), Frame::Row(inner)]),
                Few(_) if self.few == 0 => return self.ends(who, Some(503)),
                Few(inner) => {
                    self.few -= 1;
                    request.frames.extend([Frame::Few, Frame::Row(inner)]);
                }
                Room(inner) if self.free > 0 => {
                    self.free -= 1;
                    request.frames.extend([Frame::Room, Frame::Row(inner)]);
                }
                // Who has been given a permit has its place until it goes on.
                Room(_) if self.queue.len() + self.ready.len() >= self.limits.queue => {
                    return self.ends(who, Some(503));
                }
                Room(inner) => {
                    request.frames.push(Frame::Queued(inner, now + self.limits.patience));
                    return self.queue.push_back(who);
                }
            }
        }
    }

    /// An item of the row is over: with a reply, or the row goes on.
    fn ends(&mut self, who: usize, reply: Option<u32>) {
        match reply {
            None => self.go_on(who),
            Some(_) => self.ends_row(who, reply),
        }
    }

    /// The row is over. What was entered of it is left, and then it is for what is around it to say.
    fn ends_row(&mut self, who: usize, reply: Option<u32>) {
        while let Some(frame) = self.requests[who].frames.pop() {
            match frame {
                Frame::Log(at) => self.note(who, OUT[at]),
                Frame::Row(_) => break,
                _ => panic!("it is in the row"),
            }
        }
        match self.requests[who].frames.pop() {
            None => {
                let reply = reply.expect("a chain replies");
                self.requests[who].outcome = Some((Outcome::Replied(Reply(reply)), self.now));
            }
            Some(Frame::Again(items, tries)) if reply == Some(503) && tries < 3 => {
                self.requests[who].frames.extend([Frame::Again(items, tries + 1), Frame::Row(items)]);
                self.go_on(who);
            }
            Some(frame) => {
                self.give_back(who, &frame);
                self.ends(who, reply);
            }
        }
    }
}

/// `None` where two things are due at once.
pub(crate) fn foretell(which: usize, limits: &Limits, scripts: &[Script]) -> Option<Run> {
    let row = items(which, limits);
    let requests = scripts.iter().map(|script| Simulated { script, frames: Vec::new(), failed: 0, outcome: None });
    let model = Model {
        limits,
        row: &row,
        now: 0,
        requests: requests.collect(),
        free: limits.permits,
        queue: VecDeque::new(),
        few: limits.few,
        ready: VecDeque::new(),
        said: Vec::new(),
    };
    model.simulate()
}
