//! The text in which `chain!` describes functions: rustc would take as long to check a static of structs as to check
//! the chain itself. While compiling, it is read only where something asks for it.
//!
//! A function is six pieces, and three more for each need. The six are its name in the chain, its own name, what it
//! provides, what it breaks with, whether it is awaited (in capitals: it gives back what it takes) together with its
//! line in the chain, and the number of its needs. The three are the access, kind and position of the need, its type,
//! and the name of its source.
//!
//! The length of each piece stands before it: `4:User`, as in D. J. Bernstein's netstrings. rustc's interpreter would
//! take longer to look for the end of a piece byte by byte, and to check it for UTF-8.

use super::{Access, Described, Facts, Hook, Need, NodeInfo, Role, Seen, Source, SourceKind};

/// `NODES` of a chain of `N` functions with `M` needs between them.
#[doc(hidden)]
#[must_use]
pub const fn told_nodes<C: Described + ?Sized, const N: usize, const M: usize>() -> &'static [NodeInfo] {
    &Read::<C, N, M>::NODES
}

struct Read<C: ?Sized, const N: usize, const M: usize>(core::marker::PhantomData<C>);

impl<C: Described + ?Sized, const N: usize, const M: usize> Read<C, N, M> {
    const READ: All<N, M> = read(C::TEXT, C::FILE);
    const NEEDS: &'static [Need] = &Self::READ.0;
    const NODES: [NodeInfo; N] = {
        let (_, mut nodes, needs) = Self::READ;
        let mut at = 0;
        while at < N {
            let (first, exit, end) = needs[at];
            nodes[at].needs = Self::NEEDS.split_at(exit).0.split_at(first).1;
            nodes[at].exit_needs = Self::NEEDS.split_at(end).0.split_at(exit).1;
            at += 1;
        }
        nodes
    };
}

/// All needs, the nodes, and for each node where its needs begin, where those of its `exit` begin, and where they end.
type All<const N: usize, const M: usize> = ([Need; M], [NodeInfo; N], [(usize, usize, usize); N]);

const NO_NEED: Need =
    Need { ty: "", access: Access::Lent, from: Source { kind: SourceKind::Input, position: 0, name: "" } };

const fn read<const N: usize, const M: usize>(text: &'static str, file: &'static str) -> All<N, M> {
    let none = NodeInfo {
        name: "",
        position: 0,
        role: Role::Step,
        block: None,
        after: None,
        file,
        line: 0,
        attributes: "",
        may_be_skipped: false,
        opens: false,
        finishes: false,
        no_alloc: false,
        facts: Facts::new(""),
        needs: &[],
        exit_needs: &[],
    };
    let (mut needs, mut nodes, mut of) = ([NO_NEED; M], [none; N], [(0, 0, 0); N]);
    let (mut at, mut need, mut rest) = (0, 0, text);
    while at < N {
        let (name, behind) = piece(rest);
        let (facts, pace, behind) = read_facts(behind);
        let (count, behind) = piece(behind);
        rest = behind;
        let (enter, exit) = numbers(count, 0);
        let end = need + enter + exit;
        of[at] = (need, need + enter, end);
        nodes[at] =
            NodeInfo { name, position: at, after: at.checked_sub(1), line: numbers(pace, 1).0 as u32, facts, ..none };
        while need < end {
            (needs[need], rest) = read_need(rest);
            need += 1;
        }
        at += 1;
    }
    (needs, nodes, of)
}

/// What holds for a function of this name, which provides and breaks with this. One literal: rustc's interpreter takes
/// longer for a value that is changed piece by piece.
const fn facts([name, provides, breaks]: [&'static str; 3], suspends: bool) -> Facts {
    Facts {
        provides: if provides.is_empty() { None } else { Some(provides) },
        breaks: if breaks.is_empty() { None } else { Some(breaks) },
        enter: if suspends { Hook::Suspends } else { Hook::Now },
        breaks_with_nothing: matches!(breaks.as_bytes(), b"()"),
        ..Facts::new(name)
    }
}

const fn read_facts(text: &'static str) -> (Facts, &'static str, &'static str) {
    let (name, rest) = piece(text);
    let (provides, rest) = piece(rest);
    let (breaks, rest) = piece(rest);
    let (pace, rest) = piece(rest);
    let suspends = pace.as_bytes()[0].eq_ignore_ascii_case(&b's');
    let mut facts = facts([name, provides, breaks], suspends);
    if pace.as_bytes()[0].eq_ignore_ascii_case(&b'a') {
        facts = facts.enter(Hook::Absent);
    }
    facts = match pace.as_bytes()[pace.len() - 1] {
        b's' => facts.exit(Hook::Suspends),
        b'n' => facts.exit(Hook::Now),
        _ => facts,
    };
    (if pace.as_bytes()[0].is_ascii_uppercase() { facts.gives_back() } else { facts }, pace, rest)
}

const fn read_need(text: &'static str) -> (Need, &'static str) {
    let (head, rest) = piece(text);
    let (ty, rest) = piece(rest);
    let (name, rest) = piece(rest);
    let (access, kind) = (head.as_bytes()[0], head.as_bytes()[1]);
    let access = match access {
        b'm' => Access::LentMut,
        b't' => Access::Taken,
        _ => Access::Lent,
    };
    let kind = match kind {
        b'f' => SourceKind::Field,
        b'n' => SourceKind::Node,
        b'k' => SourceKind::Block,
        b'b' => SourceKind::Binding,
        _ => SourceKind::Input,
    };
    (Need { ty, access, from: Source { kind, position: number(head, 2), name } }, rest)
}

/// The needs of one function whose sources the scope knows. The text has the access and the type of each.
#[doc(hidden)]
#[must_use]
pub const fn found_needs<const N: usize>(text: &'static str, sources: [Source; N]) -> [Need; N] {
    let mut needs = [NO_NEED; N];
    let (mut at, mut rest) = (0, text);
    while at < N {
        let (need, behind) = read_need(rest);
        needs[at] = Need { from: sources[at], ..need };
        rest = behind;
        at += 1;
    }
    needs
}

impl Seen {
    /// The description of one function: its name, what it provides and what it breaks with, whether it is awaited, and
    /// its needs. A chain with other nodes describes its functions so: its checks need the description, and rustc's
    /// interpreter would take several times as long to read it from text.
    #[doc(hidden)]
    #[must_use]
    pub const fn told(text: [&'static str; 3], suspends: bool, needs: &'static [Need]) -> Self {
        Self { facts: facts(text, suspends), needs, exit_needs: &[] }
    }
    /// The same, for a node with hooks: whether it has an `enter`, its `exit`, and what that needs.
    #[doc(hidden)]
    #[must_use]
    pub const fn hooks(mut self, enters: bool, exit: Hook, needs: &'static [Need]) -> Self {
        if !enters {
            self.facts.enter = Hook::Absent;
        }
        self.facts.exit = exit;
        self.exit_needs = needs;
        self
    }
    /// The same, for a function that gives back what it takes.
    #[doc(hidden)]
    #[must_use]
    pub const fn gives_back(mut self) -> Self {
        self.facts = self.facts.gives_back();
        self
    }
    /// The same, with what the function's value is under whatever name.
    #[doc(hidden)]
    #[must_use]
    pub const fn shows(mut self, is_result: bool, is_control_flow: bool, is_poll: bool, is_future: bool) -> Self {
        self.facts = self.facts.shows(is_result, is_control_flow, is_poll, is_future);
        self
    }
}

/// A number, and another one after a space, or 0.
const fn numbers(text: &str, at: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let (mut space, mut first) = (at, 0);
    while space < bytes.len() && bytes[space] != b' ' {
        first = first * 10 + (bytes[space] - b'0') as usize;
        space += 1;
    }
    // A letter is none.
    let is_one = space + 1 < bytes.len() && bytes[space + 1].is_ascii_digit();
    (first, if is_one { number(text, space + 1) } else { 0 })
}

const fn number(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut number = 0;
    while at < bytes.len() {
        number = number * 10 + (bytes[at] - b'0') as usize;
        at += 1;
    }
    number
}

/// The first piece, and what comes after it.
const fn piece(text: &'static str) -> (&'static str, &'static str) {
    let bytes = text.as_bytes();
    let (mut at, mut length) = (0, 0);
    while bytes[at] != b':' {
        length = length * 10 + (bytes[at] - b'0') as usize;
        at += 1;
    }
    text.split_at(at + 1).1.split_at(length)
}
