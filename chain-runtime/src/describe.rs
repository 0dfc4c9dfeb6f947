//! A chain, described: `&'static` data about its nodes, and a drawing made from it.
//!
//! Nothing here is built at run time. A program that never asks a chain about itself carries none of it. The file is
//! long, since it is one tree of data that is read in one place.

use core::fmt;

use crate::shed::ShedInfo;

mod drawing;
mod mermaid;
mod names;
mod needs;
pub(crate) mod rows;
mod text;

pub use drawing::Drawing;
pub use mermaid::Mermaid;
#[doc(hidden)]
pub use names::{Names, Part};
pub use text::{found_needs, told_nodes};

/// What is known of a node in every chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The node's name: the function's, or the type's.
    pub name: &'static str,
    /// The type that it provides, as written; `None` if it provides nothing.
    pub provides: Option<&'static str>,
    /// The type with which it can break, as written; `None` if it cannot break.
    pub breaks: Option<&'static str>,
    /// Its way in.
    pub enter: Hook,
    /// Its way out.
    pub exit: Hook,
    /// Whether it has a `cancelled` hook.
    pub cancelled: bool,
    /// Whether that hook is lent what the node provides.
    pub lends_to_cancelled: bool,
    /// Whether it wraps a block, and whether it may run the block again.
    pub around: Wraps,
    /// Whether it gives the reply, so that no node may come after it.
    pub last: bool,
    /// Whether it turns requests away, so that no node before it may take an input.
    pub rejects: bool,
    /// Whether what it provides is useful only to a later node, so that one has to ask for it.
    pub wanted: bool,
    /// Whether a block that runs again may not contain it.
    pub once: bool,
    /// Whether it returns a reference to a type that it needs itself. It can only be the last of its chain.
    pub gives_what_it_keeps: bool,
    /// Whether it takes a value and returns one of the same type. It can only be the last of its chain.
    pub gives_what_it_takes: bool,
    /// Whether it does so in the middle of its chain: what it returns then stands where the value stood that it took.
    pub gives_back: bool,
    /// Whether its value decides something that the name of its type does not show, or is a future.
    #[doc(hidden)]
    pub hides: Hides,
    /// Whether the value with which it breaks or gives up is `()`.
    #[doc(hidden)]
    pub breaks_with_nothing: bool,
    /// The names of its types that depend on its type parameters.
    #[doc(hidden)]
    pub names: Names,
}

/// Values that a node may not provide unseen.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hides {
    /// None of these.
    Nothing,
    /// A `Result` or a `ControlFlow`, under another name.
    Break,
    /// A `Poll`.
    Poll,
    /// A future: unless a node is lent it for writing, it is never polled.
    Future,
}

impl Hides {
    /// Whether the node would break, if the name of its type showed what it is. Then it can only be the last of its
    /// chain.
    #[must_use]
    pub const fn a_break(self) -> bool {
        matches!(self, Self::Break)
    }
}

impl Facts {
    /// Facts of a plain `fn` that provides nothing, breaks with nothing, and has no hooks. The methods below say more.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            provides: None,
            breaks: None,
            enter: Hook::Now,
            exit: Hook::Absent,
            cancelled: false,
            lends_to_cancelled: false,
            around: Wraps::Nothing,
            last: false,
            rejects: false,
            wanted: false,
            once: false,
            gives_what_it_keeps: false,
            gives_what_it_takes: false,
            gives_back: false,
            hides: Hides::Nothing,
            breaks_with_nothing: false,
            names: Names::AS_WRITTEN,
        }
    }
    /// The names of its types that depend on its type parameters.
    #[doc(hidden)]
    #[must_use]
    pub const fn names(mut self, names: fn(Part) -> Option<&'static str>) -> Self {
        self.names = Names::of(names);
        self
    }
    /// What its value is, under whatever name.
    #[doc(hidden)]
    #[must_use]
    pub const fn shows(mut self, is_result: bool, is_control_flow: bool, is_poll: bool, is_future: bool) -> Self {
        self.hides = match (is_result || is_control_flow, is_poll, is_future) {
            (true, ..) => Hides::Break,
            (_, true, _) => Hides::Poll,
            (.., true) => Hides::Future,
            _ => Hides::Nothing,
        };
        self
    }
    /// What it breaks with, under whatever name.
    #[doc(hidden)]
    #[must_use]
    pub const fn breaks_show(mut self, with_nothing: bool) -> Self {
        self.breaks_with_nothing |= with_nothing;
        self
    }
    /// It provides a value of this type.
    #[must_use]
    pub const fn provides(mut self, ty: &'static str) -> Self {
        self.provides = Some(ty);
        self
    }
    /// It provides a value of the first of these types, or the value of the second type if it may break, as
    /// [`flow::kind::By`](crate::flow::kind::By) does.
    #[doc(hidden)]
    #[must_use]
    pub const fn by_type(
        mut self,
        flow: usize,
        nothing: bool,
        ty: &'static str,
        value: &'static str,
        broken: &'static str,
    ) -> Self {
        if !nothing {
            self.provides = Some(if flow == 0 { ty } else { value });
        }
        if flow != 0 {
            self.breaks = Some(broken);
        }
        self
    }
    /// The type that it provides, as written.
    #[doc(hidden)]
    #[must_use]
    pub const fn gives(&self) -> &'static str {
        match self.provides {
            Some(ty) => ty,
            None => "()",
        }
    }
    /// It can break with a value of this type.
    #[must_use]
    pub const fn breaks(mut self, ty: &'static str) -> Self {
        self.breaks = Some(ty);
        self
    }
    /// Its way in.
    #[must_use]
    pub const fn enter(mut self, hook: Hook) -> Self {
        self.enter = hook;
        self
    }
    /// Its way out.
    #[must_use]
    pub const fn exit(mut self, hook: Hook) -> Self {
        self.exit = hook;
        self
    }
    /// It has a `cancelled` hook.
    #[must_use]
    pub const fn cancelled(mut self) -> Self {
        self.cancelled = true;
        self
    }
    /// That hook asks for what the node provides.
    #[must_use]
    pub const fn lends_to_cancelled(mut self) -> Self {
        self.lends_to_cancelled = true;
        self
    }
    /// It returns a reference to a type that it needs itself.
    #[must_use]
    pub const fn gives_what_it_keeps(mut self) -> Self {
        self.gives_what_it_keeps = true;
        self
    }
    /// It takes a value and returns one of the same type.
    #[must_use]
    pub const fn gives_what_it_takes(mut self) -> Self {
        self.gives_what_it_takes = true;
        self
    }
    /// What it returns stands where the value stood that it took.
    #[must_use]
    pub const fn gives_back(mut self) -> Self {
        self.gives_back = true;
        self
    }
    /// It gives the reply, and no node may come after it.
    #[must_use]
    pub const fn last(mut self) -> Self {
        self.last = true;
        self
    }
    /// It turns requests away: no node before it may take an input.
    #[must_use]
    pub const fn rejects(mut self) -> Self {
        self.rejects = true;
        self
    }
    /// What it provides is useful only to a later node.
    #[must_use]
    pub const fn wanted(mut self) -> Self {
        self.wanted = true;
        self
    }
    /// A block that runs again may not contain it.
    #[must_use]
    pub const fn once(mut self) -> Self {
        self.once = true;
        self
    }
    /// It wraps a block.
    #[must_use]
    pub const fn around(mut self, wraps: Wraps) -> Self {
        self.around = wraps;
        self
    }
}

/// Whether a node wraps a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wraps {
    /// It is a step among others in a row.
    Nothing,
    /// It wraps a block, which runs at most once.
    Once,
    /// It wraps a block, which may run several times.
    Again,
}

impl Wraps {
    /// Whether the node wraps a block.
    #[must_use]
    pub const fn a_block(self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

/// Whether a node has a hook, and whether that hook may suspend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// The node has no such hook.
    Absent,
    /// A plain `fn`.
    Now,
    /// An `async fn`.
    Suspends,
}

impl Hook {
    /// Whether the node has the hook.
    #[must_use]
    pub const fn is_present(self) -> bool {
        !matches!(self, Self::Absent)
    }
    /// Whether the hook is awaited.
    #[must_use]
    pub const fn suspends(self) -> bool {
        matches!(self, Self::Suspends)
    }
}

/// One thing that a node asks of its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The type, as written.
    pub ty: &'static str,
    /// How the node asks for it.
    pub access: Access,
    /// Where it comes from, in this chain.
    pub from: Source,
}

/// How a node asks for what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `&T`
    Lent,
    /// `&mut T`
    LentMut,
    /// `T`
    Taken,
}

/// Where something in a scope comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// What kind of thing it is.
    pub kind: SourceKind,
    /// Its index among its kind: the node's position, or that of the input, the field or the block.
    pub position: usize,
    /// Its name.
    pub name: &'static str,
}

/// The kinds of thing there are in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// An input of the chain.
    Input,
    /// A part of the short form's context, named as an input.
    Part,
    /// A field of the chain.
    Field,
    /// A value that a pattern binds, in an arm.
    Binding,
    /// A value that an earlier block provided. The position is the block's index: of a branch, that of its first arm.
    Block,
    /// A value that an earlier node provided.
    Node,
    /// A value that an earlier node provided unless it was skipped.
    Skippable,
    /// How the chain ended.
    Ending,
}

/// A node in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// Its name in the chain: the last segment of its path, or the name of its field.
    pub name: &'static str,
    /// Its position, from 0.
    pub position: usize,
    /// Its part in the chain.
    pub role: Role,
    /// The block in which it stands: an index in [`ChainInfo::blocks`]. `None` if it stands in the chain's own row.
    pub block: Option<usize>,
    /// The position of the last node that is entered and not left when this one begins.
    pub after: Option<usize>,
    /// The file that declares the chain.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
    /// The attributes before it in the chain, as written: when it runs, and for how long.
    pub attributes: &'static str,
    /// Whether it provides an `Option`, which is `None` if it was skipped, or if the run goes on without it.
    pub may_be_skipped: bool,
    /// Whether the run goes on without it if it breaks: `#[open]`.
    pub opens: bool,
    /// Whether its work is finished when its request dies: `#[cancel(finish)]`.
    pub finishes: bool,
    /// Whether it may not allocate: `#[no_alloc]`.
    pub no_alloc: bool,
    /// What is known of it in every chain.
    pub facts: Facts,
    /// What `enter` needs.
    pub needs: &'static [Need],
    /// What `exit` needs.
    pub exit_needs: &'static [Need],
}

impl NodeInfo {
    /// A node of the chain's own row, after the node at the previous position. It is declared where this is called.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn of(name: &'static str, position: usize, seen: Seen) -> Self {
        let place = core::panic::Location::caller();
        Self {
            name,
            position,
            role: Role::Step,
            block: None,
            after: position.checked_sub(1),
            file: place.file(),
            line: place.line(),
            attributes: "",
            may_be_skipped: false,
            opens: false,
            finishes: false,
            no_alloc: false,
            facts: seen.facts,
            needs: seen.needs,
            exit_needs: seen.exit_needs,
        }
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn block(mut self, block: usize) -> Self {
        self.block = Some(block);
        self
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn after(mut self, after: Option<usize>) -> Self {
        self.after = after;
        self
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn may_be_skipped(mut self) -> Self {
        self.may_be_skipped = true;
        self
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn opens(mut self) -> Self {
        self.opens = true;
        self
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn finishes(mut self) -> Self {
        self.finishes = true;
        self
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn no_alloc(mut self) -> Self {
        self.no_alloc = true;
        self
    }
    #[doc(hidden)]
    #[must_use]
    pub const fn attributes(mut self, attributes: &'static str) -> Self {
        self.attributes = attributes;
        self
    }
}

/// What a node's traits say of it in one scope.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// What is known of it in every chain.
    pub facts: Facts,
    /// What `enter` needs.
    pub needs: &'static [Need],
    /// What `exit` needs.
    pub exit_needs: &'static [Need],
}

/// A node's part in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It provides a value, or replies.
    Step,
    /// It wraps a block.
    Around,
    /// Its value decides which arm runs.
    Branch,
    /// It decides whether the node or block after it runs: `#[when(..)]`, `#[split(..)]`.
    Condition,
}

/// A chain as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainInfo {
    /// The name of its type.
    pub name: &'static str,
    /// Its inputs, as written: name and type.
    pub inputs: &'static [(&'static str, &'static str)],
    /// Its fields, as written: name and type.
    pub fields: &'static [(&'static str, &'static str)],
    /// Its reply, as written.
    pub reply: &'static str,
    /// Its nodes, in the order in which they are written, including those in blocks.
    pub nodes: &'static [NodeInfo],
    /// Its blocks, each after the block that contains it.
    pub blocks: &'static [BlockInfo],
    /// The nodes and blocks that are shed under pressure, in the order in which they are written.
    pub sheds: &'static [ShedInfo],
    /// The names of the types of its inputs and its reply that depend on its type parameters.
    #[doc(hidden)]
    pub names: Names,
}

/// A chain with a description. It is evaluated only where something asks for it, and not in each build.
#[doc(hidden)]
pub trait Described {
    /// The chain.
    const CHAIN: ChainInfo;
    /// Its nodes as text, if it is a row of functions.
    const TEXT: &'static str = "";
    /// The file that declares such a chain.
    const FILE: &'static str = "";
}

/// The description of a chain.
#[doc(hidden)]
#[must_use]
pub const fn chain_of<C: Described + ?Sized>() -> &'static ChainInfo {
    &C::CHAIN
}

/// A chain inside of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Why it is a block.
    pub kind: BlockKind,
    /// For an arm, its pattern and guard, or the attributes that say when it runs, as written.
    pub label: &'static str,
    /// The block that contains it: an index in [`ChainInfo::blocks`].
    pub parent: Option<usize>,
    /// The position of the node that wraps it, or of the node for whose value it is an arm.
    pub head: Option<usize>,
    /// For an arm, the first arm of its branch: an index in [`ChainInfo::blocks`].
    pub beside: Option<usize>,
    /// The position of its first node.
    pub first: usize,
    /// The position after its last node; [`first`](Self::first) if it has none.
    pub end: usize,
    /// Whether it ends with the chain's reply. If not, the nodes after it go on.
    pub replies: bool,
    /// What it provides to the nodes after it, as written: each of its arms says the same.
    pub provides: Option<&'static str>,
}

/// Why a part of a chain is a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Braces alone.
    Braces,
    /// A node wraps it.
    Around,
    /// It is an arm for the value of a node.
    Arm,
}

/// How a run ended. An `exit` hook that asks for `&Ending` is lent this.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    by: &'static NodeInfo,
    cut_short: bool,
}

impl Ending {
    /// The last node replied.
    #[must_use]
    pub const fn replied(by: &'static NodeInfo) -> Self {
        Self { by, cut_short: false }
    }
    /// This node broke.
    #[must_use]
    pub const fn cut_short(by: &'static NodeInfo) -> Self {
        Self { by, cut_short: true }
    }
    /// Two endings for each node: it replied, and it broke. Together they are all endings of a chain of half as many
    /// nodes.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_all<const TWICE: usize>(nodes: &'static [NodeInfo]) -> [Self; TWICE] {
        let mut all = [Self::replied(&nodes[0]); TWICE];
        let mut at = 0;
        while at < TWICE {
            all[at] = Self { by: &nodes[at / 2], cut_short: at % 2 == 1 };
            at += 1;
        }
        all
    }
    /// The node that gave the reply: it ended the chain, or broke.
    #[must_use]
    pub const fn by(&self) -> &'static NodeInfo {
        self.by
    }
    /// Whether that node broke.
    #[must_use]
    pub const fn is_cut_short(&self) -> bool {
        self.cut_short
    }
}

/// All that is known of the node would be two dozen fields.
impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").field("by", &self.by.name).field("cut_short", &self.cut_short).finish()
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.cut_short { "cut short" } else { "replied" };
        write!(f, "{how} by `{}`", self.by.name)
    }
}
