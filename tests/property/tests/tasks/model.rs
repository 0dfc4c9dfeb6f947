//! What happens to a run and its children, according to the docs. Nothing here is a future.

use crate::{Does, NODES, Outcome, Reply, Script, Then};

/// How a case ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Foretold {
    pub(crate) outcome: Outcome,
    pub(crate) at: u64,
    /// How many children came to their end without a panic.
    pub(crate) ended: usize,
    /// How much work of `#[cancel(..)]` did, in the end.
    pub(crate) outlived: usize,
}

struct Child {
    begun: u64,
    does: Does,
    /// Its panic was given to who awaited it, then.
    seen: Option<u64>,
}

impl Child {
    /// When it ends by itself.
    const fn ends(&self) -> Option<u64> {
        match self.does {
            Does::Ends(takes) | Does::Panics(takes) => Some(self.begun + takes),
            Does::Listens | Does::Never => None,
        }
    }
}

enum Item {
    Spawns(usize),
    Finishes,
    Detaches,
}

fn items(shape: usize, script: &Script) -> Vec<Item> {
    use Item::{Detaches, Finishes, Spawns};
    match shape {
        0 | 1 => (0..NODES).map(Spawns).collect(),
        2 if script.is_odd => vec![Spawns(0), Spawns(1)],
        2 => vec![Spawns(2)],
        _ => vec![Spawns(0), Finishes, Spawns(1), Detaches, Spawns(2)],
    }
}

/// How the nodes end: with a reply, or a panic.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Reply(u32),
    Panic,
}

/// `None` where two things are due at once.
pub(crate) fn foretell(shape: usize, script: &Script) -> Option<Foretold> {
    let (mut now, mut children, mut outliving) = (0, Vec::<Child>::new(), Vec::new());
    let mut way = Way::Reply(200);
    for item in items(shape, script) {
        match item {
            Item::Finishes => {
                outliving.push(now);
                now += script.outliving[0];
            }
            Item::Detaches => outliving.push(now),
            Item::Spawns(at) => {
                let node = &script.nodes[at];
                let first = children.len();
                children.extend(node.children.iter().map(|child| Child { begun: now, does: child.does, seen: None }));
                now += node.takes;
                for (child, script) in children[first..].iter_mut().zip(&node.children) {
                    if !script.is_awaited {
                        continue;
                    }
                    let ends = child.ends().expect("only what ends is awaited");
                    if ends == now {
                        return None;
                    }
                    now = now.max(ends);
                    if matches!(child.does, Does::Panics(_)) {
                        child.seen = Some(now);
                        way = Way::Reply(500);
                        break;
                    }
                }
                if way == Way::Reply(200) {
                    way = match node.then {
                        Then::GoesOn => way,
                        Then::Breaks => Way::Reply(400),
                        Then::Panics => Way::Panic,
                    };
                }
            }
        }
        if way != Way::Reply(200) {
            break;
        }
    }
    let nodes_end = now;
    // The way out of `tasks`.
    let told = |child: &Child| script.tells && child.does == Does::Listens;
    let last = |child: &Child| child.ends().or(told(child).then_some(nodes_end)).unwrap_or(u64::MAX);
    let over = match way {
        Way::Panic => nodes_end,
        Way::Reply(_) => {
            let joined = children.iter().map(last).max().unwrap_or(0).max(nodes_end);
            let limit = nodes_end + script.join_within;
            if children.iter().any(|child| {
                child.ends().is_some_and(|ends| ends == limit || ends == nodes_end && child.seen.is_none())
            }) {
                return None;
            }
            joined.min(limit)
        }
    };
    // What comes first.
    let cut_off = [
        script.dropped_after.map(|at| (at, Outcome::Dropped)),
        (shape == 1).then_some((script.deadline, Outcome::Replied(Reply(504)))),
    ];
    let cut_off: Vec<_> = cut_off.into_iter().flatten().collect();
    if cut_off.iter().any(|(at, _)| *at == over) || cut_off.len() == 2 && cut_off[0].0 == cut_off[1].0 {
        return None;
    }
    let cut_off = cut_off.into_iter().min_by_key(|(at, _)| *at).filter(|(at, _)| *at < over);
    let is_left = cut_off.is_none() && way != Way::Panic;
    let at = cut_off.map_or(over, |(at, _)| at);
    let due_then = |time: u64| time == at && !is_left;
    if children.iter().any(|child| child.begun == at && cut_off.is_some() || child.ends().is_some_and(due_then))
        || outliving.iter().any(|begun| *begun == at && cut_off.is_some())
    {
        return None;
    }
    let begun_by_then = children.iter().filter(|child| child.begun <= at);
    let ended = begun_by_then.filter(|child| {
        let by_itself = matches!(child.does, Does::Ends(_)) && child.ends().is_some_and(|ends| ends <= at);
        by_itself || told(child) && way != Way::Panic && nodes_end <= at
    });
    let ended = ended.count();
    let is_unseen = |child: &Child| {
        matches!(child.does, Does::Panics(_)) && child.seen.is_none() && child.ends().is_some_and(|ends| ends <= at)
    };
    let outcome = match (cut_off, way) {
        (Some((_, outcome)), _) => outcome,
        (None, Way::Panic) => Outcome::Panicked,
        (None, Way::Reply(_)) if children.iter().any(is_unseen) => Outcome::Replied(Reply(501)),
        (None, Way::Reply(code)) => Outcome::Replied(Reply(code)),
    };
    // What has begun goes on to its end, whatever becomes of the run.
    let outlived = outliving.iter().filter(|begun| **begun < at || cut_off.is_none()).count();
    Some(Foretold { outcome, at, ended, outlived })
}
