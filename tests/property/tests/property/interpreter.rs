//! What a chain does, as one would explain it.

use std::collections::HashMap;

use chain_runtime::observe::{Event, Way};
use chain_runtime::shed::{Level, Override};

use crate::nodes::Shape;
use crate::script::Happened::{
    self, Abandoned, Again, Around, Cancelled, Done, Dropped, Enter, Exit, Exited, Leave, Reached,
};
use crate::script::{CAUGHT, Outcome, Part, Reply, Script, name};

/// One thing of a row, as data. Numbers are positions.
#[derive(Debug)]
pub(crate) enum Item {
    Node(usize, Shape),
    /// A node before which conditions stand.
    Maybe(Vec<Condition>, usize, Shape),
    Block(Vec<Item>),
    /// A block before which conditions stand, and its `else`.
    If(Vec<Condition>, Vec<Item>, Vec<Item>),
    Around(usize, Kind, Vec<Item>),
    /// `if node { .. } else { .. }`
    Choice(usize, Shape, [Vec<Item>; 2]),
    /// A `match`: what is bound, what is not, nothing.
    Match(usize, Shape, [Vec<Item>; 3]),
    /// A block or a branch that provides what the last node of each of its rows gives: a `Value` of that number.
    Giving(usize, Box<Item>),
    /// A node without which the run goes on where it breaks.
    Open(Box<Item>),
}

/// What has to hold for an item to run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition {
    /// The `Decide` at this position says so.
    When(usize, Shape),
    /// The toggle of that name is on.
    Toggle(usize),
    /// What has this position, and is declared to be shed from this level on, is not.
    Kept(usize, Level),
}

/// What wraps a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Wrap,
    Again,
    Anew,
    Catch,
}

impl Item {
    /// The nodes whose values are kept while what comes after them runs.
    pub(crate) fn each_held(row: &[Self], seen: &mut impl FnMut(usize, Shape)) {
        for (index, item) in row.iter().enumerate() {
            match item.shut() {
                Self::Open(_) => unreachable!("it is shut"),
                Self::Giving(_, inner) => Self::each_held(std::slice::from_ref(inner), seen),
                Self::Node(at, shape) | Self::Maybe(_, at, shape) if index + 1 < row.len() => seen(*at, *shape),
                Self::Node(..) | Self::Maybe(..) => {}
                Self::Block(inner) | Self::Around(_, _, inner) => Self::each_held(inner, seen),
                Self::If(_, one, other) => [one, other].into_iter().for_each(|row| Self::each_held(row, seen)),
                Self::Choice(_, _, arms) => arms.iter().for_each(|row| Self::each_held(row, seen)),
                Self::Match(_, _, arms) => arms.iter().for_each(|row| Self::each_held(row, seen)),
            }
        }
    }

    /// Itself, or the node that it goes on without.
    fn shut(&self) -> &Self {
        if let Self::Open(node) = self { node } else { self }
    }

    /// How many nodes there are, predicates included.
    pub(crate) fn count(row: &[Self]) -> usize {
        let asked = |conditions: &[Condition]| {
            conditions.iter().filter(|condition| matches!(condition, Condition::When(..))).count()
        };
        let count = |item: &Self| match item {
            Self::Giving(_, inner) | Self::Open(inner) => Self::count(std::slice::from_ref(inner)),
            Self::Node(..) => 1,
            Self::Maybe(conditions, ..) => asked(conditions) + 1,
            Self::Block(inner) => Self::count(inner),
            Self::If(conditions, one, other) => asked(conditions) + Self::count(one) + Self::count(other),
            Self::Around(_, _, inner) => 1 + Self::count(inner),
            Self::Choice(_, _, arms) => 1 + arms.iter().map(|arm| Self::count(arm)).sum::<usize>(),
            Self::Match(_, _, arms) => 1 + arms.iter().map(|arm| Self::count(arm)).sum::<usize>(),
        };
        row.iter().map(count).sum()
    }

    /// Whether anything in it may go one way or the other.
    pub(crate) fn decides(row: &[Self]) -> bool {
        row.iter().any(|item| match item {
            Self::Node(..) => false,
            Self::Giving(_, inner) | Self::Open(inner) => Self::decides(std::slice::from_ref(inner)),
            Self::Block(inner) | Self::Around(_, _, inner) => Self::decides(inner),
            Self::Maybe(..) | Self::If(..) | Self::Choice(..) | Self::Match(..) => true,
        })
    }
}

/// What `chain` would do.
pub(crate) struct Foretold {
    pub(crate) happened: Vec<Happened>,
    pub(crate) told: Vec<Event>,
    pub(crate) outcome: Outcome,
    /// Who ended it, where there is a reply, and whether by a break.
    pub(crate) ending: Option<(usize, bool)>,
    /// Whether it was pending when it was dropped.
    pub(crate) is_dropped: bool,
}

/// Loops on the way in, loops on the way out, and a stack of what was entered.
pub(crate) struct Interpreter<'a> {
    script: &'a Script,
    /// How often the future is still polled.
    polls: usize,
    entered: Vec<Entered>,
    /// The around nodes whose blocks are being polled: how often each still is.
    around: Vec<Running>,
    reply: Reply,
    ending: (usize, bool),
    /// The node without which the run goes on where it breaks.
    opens: Option<usize>,
    happened: Vec<Happened>,
    told: Vec<Event>,
    panicked: Option<&'static str>,
    /// How often what a node provided was lent to others that tell of it.
    reached: HashMap<usize, usize>,
}

/// Something to undo.
#[derive(Clone, Copy)]
struct Entered {
    at: usize,
    /// `None` where it is only a value that an arm binds.
    node: Option<Shape>,
    /// It has a value that is dropped at the end.
    drops: bool,
    /// Its value is held, and `cancelled` with it.
    cancels: bool,
}

struct Running {
    at: usize,
    left: Option<usize>,
}

/// With what a row is to end.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Reply,
    /// With what is to be held here, among what was entered.
    Value(usize),
    Nothing,
}

/// How a row ends.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Replied,
    GoesOn,
}

/// The run is over, without a reply, up to where it goes on.
struct Over {
    /// Where it was cut off, and the word for it.
    at: Option<(usize, Event)>,
    /// The around node that abandons its block, by its number among those that run; otherwise the whole run dies.
    up_to: Option<usize>,
}

impl<'a> Interpreter<'a> {
    pub(crate) fn foretell(name: &'static str, items: &[Item], script: &'a Script, polls: usize) -> Foretold {
        let mut this = Self {
            script,
            polls,
            entered: Vec::new(),
            around: Vec::new(),
            reply: Reply::default(),
            ending: (0, false),
            opens: None,
            happened: Vec::new(),
            told: Vec::new(),
            panicked: None,
            reached: HashMap::new(),
        };
        if polls == 0 {
            // A future that was never polled has done nothing at all.
            let outcome = Outcome::Dropped;
            return Foretold { happened: Vec::new(), told: Vec::new(), outcome, ending: None, is_dropped: true };
        }
        this.polls -= 1;
        this.told.push(Event::Begin(name));
        let (outcome, ending, is_dropped) = match this.row(items, End::Reply) {
            Ok(_) => (Outcome::Replied(std::mem::take(&mut this.reply)), Some(this.ending), false),
            Err(over) => {
                let is_dropped = this.panicked.is_none();
                this.die(0, &over);
                this.told.push(Event::End(None));
                (this.panicked.map_or(Outcome::Dropped, Outcome::Panicked), None, is_dropped)
            }
        };
        Foretold { happened: this.happened, told: this.told, outcome, ending, is_dropped }
    }

    fn part(&self, at: usize) -> Part {
        *self.script.of(at)
    }

    /// A row, from its first item until all that was entered in it is left.
    fn row(&mut self, items: &[Item], end: End) -> Result<Flow, Over> {
        let before = self.entered.len();
        let mut flow = Flow::GoesOn;
        for (index, item) in items.iter().enumerate() {
            let is_last = index + 1 == items.len();
            flow = self.item(item, is_last, if is_last { end } else { End::Nothing })?;
            if flow == Flow::Replied {
                break;
            }
        }
        while self.entered.len() > before {
            self.leave_last()?;
        }
        Ok(flow)
    }

    fn item(&mut self, item: &Item, is_last: bool, end: End) -> Result<Flow, Over> {
        self.giving(item, is_last, end, None)
    }

    /// A place for what a block will give: it is dropped after all that is entered in the block.
    fn place(&mut self, gives: Option<usize>, end: End) -> End {
        let Some(at) = gives else { return end };
        self.entered.push(Entered { at, node: None, drops: false, cancels: false });
        End::Value(self.entered.len() - 1)
    }

    fn gave(&mut self, place: usize) {
        let entered = &mut self.entered[place];
        entered.drops = true;
        self.reached.insert(entered.at, 0);
    }

    /// An item that gives a value of this number, if it does.
    fn giving(&mut self, item: &Item, is_last: bool, end: End, gives: Option<usize>) -> Result<Flow, Over> {
        // The node that a branch asks is entered before there is a place for what an arm gives.
        let is_branch = matches!(item, Item::Choice(..) | Item::Match(..));
        let end = if is_branch { end } else { self.place(gives, end) };
        match item {
            Item::Open(node) => {
                let (Item::Node(at, _) | Item::Maybe(_, at, _)) = **node else { unreachable!("it is a node") };
                self.opens = Some(at);
                self.item(node, is_last, end)
            }
            Item::Giving(at, inner) => self.giving(inner, is_last, end, Some(*at)),
            Item::Node(at, shape) => self.node(*at, *shape, is_last, end),
            Item::Maybe(conditions, at, shape) => match self.hold(conditions)? {
                Some(true) => self.node(*at, *shape, is_last, end),
                Some(false) => Ok(Flow::GoesOn),
                None => Ok(Flow::Replied),
            },
            Item::Block(inner) => self.row(inner, end),
            Item::If(conditions, one, other) => match self.hold(conditions)? {
                Some(true) => self.row(one, end),
                Some(false) => self.row(other, end),
                None => Ok(Flow::Replied),
            },
            Item::Choice(at, shape, arms) => {
                if self.go_in(*at, *shape)? {
                    return Ok(Flow::Replied);
                }
                self.enter(Entered { at: *at, node: Some(*shape), drops: false, cancels: false });
                let end = self.place(gives, end);
                self.row(&arms[usize::from(self.part(*at).decision != 0)], end)
            }
            Item::Match(at, shape, arms) => {
                if self.go_in(*at, *shape)? {
                    return Ok(Flow::Replied);
                }
                let decision = self.part(*at).decision.min(2);
                self.enter(Entered { at: *at, node: Some(*shape), drops: decision == 1, cancels: false });
                let end = self.place(gives, end);
                if decision == 0 {
                    self.entered.push(Entered { at: *at, node: None, drops: true, cancels: false });
                }
                // What the arm gives waits in the arm until its nodes were left.
                let (place, end) = match end {
                    End::Value(place) if decision == 0 => (Some(place), self.place(gives, end)),
                    end => (None, end),
                };
                let flow = self.row(&arms[decision], end)?;
                if let Some(place) = place {
                    self.entered.pop();
                    if flow == Flow::GoesOn {
                        self.gave(place);
                    }
                }
                if decision == 0 {
                    // With the arm.
                    self.leave_last()?;
                }
                Ok(flow)
            }
            Item::Around(at, kind, inner) => self.wrapped(*at, *kind, inner, end),
        }
    }

    fn node(&mut self, at: usize, shape: Shape, is_last: bool, end: End) -> Result<Flow, Over> {
        if self.go_in(at, shape)? {
            return Ok(if self.opens == Some(at) { Flow::GoesOn } else { Flow::Replied });
        }
        let held = !is_last;
        self.enter(Entered { at, node: Some(shape), drops: held && shape.provides, cancels: held && shape.cancels });
        if let End::Value(place) = end {
            self.gave(place);
        }
        let replies = end == End::Reply;
        if replies {
            let given = shape.provides.then_some(at);
            self.reply = Reply { given, ..Reply::default() };
            self.ending = (at, false);
            if shape.provides {
                // It becomes the reply.
                self.drops(at)?;
            }
        }
        Ok(if replies { Flow::Replied } else { Flow::GoesOn })
    }

    fn enter(&mut self, entered: Entered) {
        self.told.push(Event::Entered(name(entered.at)));
        self.entered.push(entered);
    }

    /// Whether all conditions hold, in their order; `None` where one broke.
    fn hold(&mut self, conditions: &[Condition]) -> Result<Option<bool>, Over> {
        for condition in conditions {
            let holds = match *condition {
                Condition::Toggle(at) => self.part(at).is_on,
                Condition::Kept(at, declared) => {
                    let is_shed = match self.part(at).moved {
                        Override::AsDeclared => self.script.level() >= declared,
                        Override::Never => false,
                        Override::From(level) => self.script.level() >= level,
                    };
                    if is_shed {
                        self.told.push(Event::Shed(name(at)));
                    }
                    !is_shed
                }
                Condition::When(at, shape) => {
                    if self.go_in(at, shape)? {
                        return Ok(None);
                    }
                    let name = name(at);
                    self.told.extend([Event::Entered(name), Event::Leave(name), Event::Left(name)]);
                    self.part(at).decision == 0
                }
            };
            if !holds {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }

    /// Whether the node broke.
    fn go_in(&mut self, at: usize, shape: Shape) -> Result<bool, Over> {
        let part = self.part(at);
        self.told.push(Event::Enter(name(at)));
        if shape.enters {
            self.happened.push(Enter(at));
            self.reach(at, shape);
            if shape.suspends_in {
                self.suspend(at, part.suspends_in, Way::In)?;
            }
            if part.panics_in {
                return Err(self.panic(at, "in", Way::In));
            }
            if shape.breaks && part.breaks {
                match self.opens == Some(at) {
                    true => self.told.push(Event::Broke(name(at))),
                    false => self.broke(at, at)?,
                }
                return Ok(true);
            }
            self.reached.insert(at, 0);
        }
        Ok(false)
    }

    fn reach(&mut self, at: usize, shape: Shape) {
        if let Some(from) = shape.reaches {
            let count = self.reached.get_mut(&from).expect("it was provided");
            *count += 1;
            self.happened.push(Reached(at, *count));
        }
    }

    fn broke(&mut self, at: usize, cut_short_by: usize) -> Result<(), Over> {
        self.told.push(Event::Broke(name(at)));
        if cut_short_by == at && self.part(at).panics_replying {
            return Err(self.panic_of_nobody("reply"));
        }
        self.reply = Reply { cut_short_by: Some(cut_short_by), ..Reply::default() };
        self.ending = (at, true);
        Ok(())
    }

    /// In no node's code: nobody is told so.
    fn panic_of_nobody(&mut self, what: &'static str) -> Over {
        self.panicked = Some(what);
        Over { at: None, up_to: None }
    }

    /// A value is dropped while nothing unwinds.
    fn drops(&mut self, at: usize) -> Result<(), Over> {
        self.happened.push(Dropped(at));
        match self.part(at).panics_dropped {
            true => Err(self.panic_of_nobody("drop")),
            false => Ok(()),
        }
    }

    /// Leaves what was entered last.
    fn leave_last(&mut self) -> Result<(), Over> {
        let entered = *self.entered.last().expect("something was entered");
        let Entered { at, drops, .. } = entered;
        if let Some(shape) = entered.node {
            self.told.push(Event::Leave(name(at)));
            self.go_out(at, shape)?;
            self.told.push(Event::Left(name(at)));
        }
        self.entered.pop();
        if drops { self.drops(at) } else { Ok(()) }
    }

    fn go_out(&mut self, at: usize, shape: Shape) -> Result<(), Over> {
        let part = self.part(at);
        if !shape.exits {
            return Ok(());
        }
        let (by, is_cut_short) = self.ending;
        self.happened.push(if shape.unseen { Leave(at) } else { Exit(at, by, is_cut_short) });
        self.reach(at, shape);
        if shape.suspends_out {
            self.suspend(at, part.suspends_out, Way::Out)?;
        }
        if part.panics_out {
            return Err(self.panic(at, "out", Way::Out));
        }
        if !shape.unseen {
            self.reply.seen_by.push(at);
        }
        self.happened.push(Exited(at));
        Ok(())
    }

    /// A node around a block, as often as it runs that.
    fn wrapped(&mut self, at: usize, kind: Kind, inner: &[Item], end: End) -> Result<Flow, Over> {
        let part = self.part(at);
        self.told.push(Event::Enter(name(at)));
        if kind == Kind::Wrap {
            self.happened.push(Enter(at));
            self.suspend(at, part.suspends_in, Way::In)?;
            if part.panics_in {
                return Err(self.panic(at, "in", Way::In));
            }
            if part.breaks {
                self.broke(at, at)?;
                return Ok(Flow::Replied);
            }
        }
        let node = Some(Shape::default());
        self.entered.push(Entered { at, node, drops: kind == Kind::Wrap, cancels: false });
        let mut attempt = 1;
        let flow = loop {
            let flow = match self.run_block(at, kind, inner, end)? {
                Ok(flow) => flow,
                // It gives up.
                Err(cut_short_by) => {
                    // Its `enter` is answered now; what that gave is dropped once there is a reply.
                    self.entered.last_mut().expect("it was entered").node = None;
                    self.broke(at, cut_short_by)?;
                    self.leave_last()?;
                    return Ok(Flow::Replied);
                }
            };
            if !matches!(kind, Kind::Again | Kind::Anew) || flow != Flow::Replied {
                break flow;
            }
            if part.panics_out {
                return Err(self.panic(at, "again", Way::Out));
            }
            let again = attempt < part.runs;
            self.happened.push(Again(at, again));
            if !again {
                break flow;
            }
            if kind == Kind::Again {
                self.suspend(at, part.suspends_in, Way::Out)?;
                if part.panics_around {
                    return Err(self.panic(at, "pause", Way::Out));
                }
            }
            attempt += 1;
        };
        if let (End::Value(place), Flow::GoesOn) = (end, flow) {
            self.gave(place);
        }
        self.told.push(Event::Left(name(at)));
        self.entered.last_mut().expect("it was entered").node = None;
        self.leave_last()?;
        Ok(flow)
    }

    /// One run of the block; an `Err` inside where the node gives up, with who cuts the chain short.
    fn run_block(&mut self, at: usize, kind: Kind, inner: &[Item], end: End) -> Result<Result<Flow, usize>, Over> {
        let part = self.part(at);
        let abandons_after = part.abandons_after.filter(|_| kind == Kind::Wrap);
        if kind != Kind::Catch {
            self.happened.push(Around(at));
        }
        if kind == Kind::Wrap {
            self.suspend(at, part.suspends_out, Way::In)?;
            if part.panics_around {
                return Err(self.panic(at, "around", Way::In));
            }
            if abandons_after == Some(0) {
                self.happened.push(Abandoned(at));
                return Ok(Err(at));
            }
        }
        let before = self.entered.len();
        let number = self.around.len();
        self.around.push(Running { at, left: abandons_after.map(|polls| polls - 1) });
        self.told.push(Event::Entered(name(at)));
        // What the block gives goes through the node: until it is done, that has it.
        let through = match end {
            End::Value(place) => Some(self.entered[place].at),
            End::Reply | End::Nothing => None,
        };
        let end = self.place(through, end);
        let run = self.row(inner, end);
        self.around.pop();
        let flow = match run {
            Ok(flow) => flow,
            Err(over) if over.up_to == Some(number) => {
                self.die(before, &over);
                return match self.panicked {
                    None => {
                        self.told.push(Event::Leave(name(at)));
                        Ok(Err(at))
                    }
                    // A hook did, or a value: that is a panic of the run.
                    Some(_) => Err(Over { at: None, up_to: None }),
                };
            }
            Err(over) if kind == Kind::Catch && self.panicked.is_some() => {
                self.die(before, &over);
                self.panicked = None;
                self.told.push(Event::Leave(name(at)));
                return Ok(Err(CAUGHT));
            }
            Err(over) => return Err(over),
        };
        self.told.push(Event::Leave(name(at)));
        if kind == Kind::Wrap {
            self.suspend(at, part.suspends_out, Way::Out)?;
            if part.panics_out {
                return Err(self.panic(at, "out", Way::Out));
            }
        }
        if kind != Kind::Catch {
            self.happened.push(Done(at));
        }
        if through.is_some() {
            self.entered.pop();
        }
        Ok(Ok(flow))
    }

    fn suspend(&mut self, at: usize, times: usize, way: Way) -> Result<(), Over> {
        for _ in 0..times {
            self.told.push(Event::Suspend(name(at), way));
            let cut_off = (at, Event::Cancelled(name(at)));
            self.pend().map_err(|up_to| Over { at: Some(cut_off), up_to })?;
            self.told.push(Event::Resume(name(at), way));
        }
        Ok(())
    }

    /// Pending, and polled again; or who no longer waits: an around node by its number, or nobody but who polls the whole.
    fn pend(&mut self) -> Result<(), Option<usize>> {
        if let Some(number) = self.around.iter().rposition(|running| running.left == Some(0)) {
            self.happened.push(Abandoned(self.around[number].at));
            return Err(Some(number));
        }
        self.polls = self.polls.checked_sub(1).ok_or(None)?;
        self.around.iter_mut().for_each(|running| running.left = running.left.map(|left| left - 1));
        Ok(())
    }

    fn panic(&mut self, at: usize, what: &'static str, way: Way) -> Over {
        self.panicked = Some(what);
        Over { at: Some((at, Event::Panicked(name(at), way))), up_to: None }
    }

    /// What was entered and not left is cleaned up, the last first, until so many are left. Of the hooks and values that would panic,
    /// the first does.
    fn die(&mut self, down_to: usize, over: &Over) {
        let dying = self.entered.split_off(down_to);
        let mut in_hook = None;
        for &Entered { at, drops, cancels, .. } in dying.iter().rev() {
            if cancels {
                self.happened.push(Cancelled(at));
                if self.part(at).panics_cancelled && self.panicked.is_none() {
                    self.panicked = Some("cancelled");
                    in_hook = Some(at);
                }
            }
            if drops {
                self.happened.push(Dropped(at));
                if self.part(at).panics_dropped && self.panicked.is_none() {
                    self.panicked = Some("drop");
                }
            }
        }
        let panicked =
            |at: usize, begins: fn(&'static str) -> Event| [begins(name(at)), Event::Panicked(name(at), Way::Out)];
        match over.at {
            Some((at, _)) if in_hook == Some(at) => {
                self.told.extend(panicked(at, |name| Event::Resume(name, Way::Out)))
            }
            cut_off => self.told.extend(cut_off.map(|(_, word)| word)),
        }
        for Entered { at, node, .. } in dying.into_iter().rev() {
            if node.is_none() || over.at.is_some_and(|(cut_off, _)| cut_off == at) {
                continue;
            }
            match in_hook == Some(at) {
                true => self.told.extend(panicked(at, Event::Leave)),
                false => self.told.push(Event::Cancelled(name(at))),
            }
        }
    }
}
