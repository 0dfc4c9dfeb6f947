//! How the chain holds a value that a later node may take: by itself, or in an `Option`.
//!
//! The chain's description says which ([`of`]): it lists what each node takes, and from whom. A value that no node
//! takes is held by itself, and costs no flag. A value that a node takes is held in an `Option`, which is empty
//! afterwards, like an input that the chain owns.

use crate::describe::{Access, NodeInfo, SourceKind};
use crate::held::Held;
use crate::scope::Place;
use crate::scope::place::TAKEN;

/// How a provided value, held as an `H`, is lent to the nodes that ask for a `T`.
pub trait LentFrom<'r: 's, 's, H, T: ?Sized> {
    /// What may be done with it.
    type Place: Place<'s, T>;
    /// Hands it out.
    fn place(held: &'s mut H) -> Self::Place;
    /// Hands it out where a node of the chain takes it: then it is held in an `Option`.
    fn place_of_option(held: &'s mut Option<H>) -> Self::Place;
    /// Either of the two, as `W` says.
    #[inline(always)]
    fn place_by<W: Way>(held: &'s mut W::Value<H>) -> Self::Place
    where
        Self: Sized,
        H: 's,
    {
        W::lend::<T, H, Self>(held)
    }
}

/// The ways in which a value is held: by itself, or by a reference to it.
pub mod lent {
    use super::{LentFrom, TAKEN};
    use crate::scope::place;

    /// A `T`.
    #[derive(Debug)]
    pub struct Itself;
    /// A `&T`, which lives as long as the run.
    #[derive(Debug)]
    pub struct ByRef;
    /// A `&mut T`.
    #[derive(Debug)]
    pub struct ByMut;

    /// For a node that needs the type that it would provide: a chain in which it is not the last is refused.
    #[derive(Debug)]
    pub struct Unfound;

    impl<'r: 's, 's, H, const P: usize> LentFrom<'r, 's, H, crate::Nothing<P>> for Unfound {
        type Place = place::Provided<'s, crate::Nothing<P>>;
        fn place(_: &'s mut H) -> Self::Place {
            unreachable!("chain!: nobody asks for nothing")
        }
        fn place_of_option(_: &'s mut Option<H>) -> Self::Place {
            unreachable!("chain!: nobody asks for nothing")
        }
    }

    impl<'r: 's, 's, T: 's> LentFrom<'r, 's, T, T> for Itself {
        type Place = place::Provided<'s, T>;
        #[inline(always)]
        fn place(held: &'s mut T) -> Self::Place {
            place::Provided::Held(held)
        }
        #[inline(always)]
        fn place_of_option(held: &'s mut Option<T>) -> Self::Place {
            place::Provided::Takable(held)
        }
    }
    impl<'a: 'r, 'r: 's, 's, T: ?Sized> LentFrom<'r, 's, &'a T, T> for ByRef {
        type Place = place::Shared<'r, T>;
        #[inline(always)]
        fn place(held: &'s mut &'a T) -> Self::Place {
            place::Shared(held)
        }
        #[inline(always)]
        fn place_of_option(held: &'s mut Option<&'a T>) -> Self::Place {
            place::Shared(held.expect(TAKEN))
        }
    }
    impl<'a: 'r, 'r: 's, 's, T: ?Sized> LentFrom<'r, 's, &'a mut T, T> for ByMut {
        type Place = place::Borrowed<'s, T>;
        #[inline(always)]
        fn place(held: &'s mut &'a mut T) -> Self::Place {
            place::Borrowed(held)
        }
        #[inline(always)]
        fn place_of_option(held: &'s mut Option<&'a mut T>) -> Self::Place {
            place::Borrowed(held.as_mut().expect(TAKEN))
        }
    }
}

/// `true`: a node of the chain takes the value. `false`: none does.
#[derive(Debug)]
pub struct By<const TAKEN: bool>;

/// What follows from it.
pub trait Way {
    /// What holds a `V`: itself, or an `Option` of it.
    type Value<V>;
    /// What holds the value of a node with hooks: the first of these, or the second, which has an `Option` of it.
    type Of<A: Held, B: Held>: Held;

    /// Begins to hold a value.
    fn hold<V>(value: V) -> Self::Value<V>;
    /// Begins to hold the value of a node with hooks, in one of these ways.
    fn hold_one_way<V, A: Held, B: Held>(
        value: V,
        itself: impl FnOnce(V) -> A,
        option: impl FnOnce(V) -> B,
    ) -> Self::Of<A, B>;
    /// Lends it to those that ask for a `T`, as `L` says.
    fn lend<'r: 's, 's, T: ?Sized, V, L: LentFrom<'r, 's, V, T>>(held: &'s mut Self::Value<V>) -> L::Place;
    /// Lends it by itself.
    fn whole<V>(held: &Self::Value<V>) -> &V;
    /// The same for writing.
    fn whole_mut<V>(held: &mut Self::Value<V>) -> &mut V;
    /// Takes it.
    fn whole_taken<V>(held: &mut Self::Value<V>) -> V;
}

impl Way for By<false> {
    type Value<V> = V;
    type Of<A: Held, B: Held> = A;

    #[inline(always)]
    fn hold<V>(value: V) -> V {
        value
    }
    #[inline(always)]
    fn hold_one_way<V, A: Held, B: Held>(value: V, itself: impl FnOnce(V) -> A, _: impl FnOnce(V) -> B) -> A {
        itself(value)
    }
    #[inline(always)]
    fn lend<'r: 's, 's, T: ?Sized, V, L: LentFrom<'r, 's, V, T>>(held: &'s mut V) -> L::Place {
        L::place(held)
    }
    #[inline(always)]
    fn whole<V>(held: &V) -> &V {
        held
    }
    #[inline(always)]
    fn whole_mut<V>(held: &mut V) -> &mut V {
        held
    }
    fn whole_taken<V>(_: &mut V) -> V {
        unreachable!("chain!: what a node takes is held in an `Option`")
    }
}

impl Way for By<true> {
    type Value<V> = Option<V>;
    type Of<A: Held, B: Held> = B;

    #[inline(always)]
    fn hold<V>(value: V) -> Option<V> {
        Some(value)
    }
    #[inline(always)]
    fn hold_one_way<V, A: Held, B: Held>(value: V, _: impl FnOnce(V) -> A, option: impl FnOnce(V) -> B) -> B {
        option(value)
    }
    #[inline(always)]
    fn lend<'r: 's, 's, T: ?Sized, V, L: LentFrom<'r, 's, V, T>>(held: &'s mut Option<V>) -> L::Place {
        L::place_of_option(held)
    }
    #[inline(always)]
    fn whole<V>(held: &Option<V>) -> &V {
        held.as_ref().expect(TAKEN)
    }
    #[inline(always)]
    fn whole_mut<V>(held: &mut Option<V>) -> &mut V {
        held.as_mut().expect(TAKEN)
    }
    #[inline(always)]
    fn whole_taken<V>(held: &mut Option<V>) -> V {
        held.take().expect(TAKEN)
    }
}

/// Which of the values that the nodes provide a node takes, by position. Where the nodes are not known yet, as of a
/// chain whose parameters have bounds that no type of this crate meets, each may be.
#[must_use]
pub const fn of<const N: usize>(nodes: Option<&[NodeInfo]>) -> [bool; N] {
    which(nodes, SourceKind::Node)
}

/// The same of what patterns bind.
#[must_use]
pub const fn of_bindings<const N: usize>(nodes: Option<&[NodeInfo]>) -> [bool; N] {
    which(nodes, SourceKind::Binding)
}

/// The same of what blocks provide, by block.
#[must_use]
pub const fn of_blocks<const N: usize>(nodes: Option<&[NodeInfo]>) -> [bool; N] {
    which(nodes, SourceKind::Block)
}

const fn which<const N: usize>(nodes: Option<&[NodeInfo]>, of: SourceKind) -> [bool; N] {
    let Some(nodes) = nodes else { return [true; N] };
    let mut taken = [false; N];
    let mut position = 0;
    while position < nodes.len() {
        let needs = nodes[position].needs;
        let mut at = 0;
        while at < needs.len() {
            let (access, from) = (needs[at].access, &needs[at].from);
            if from.kind as u8 == of as u8 && matches!(access, Access::Taken) {
                taken[from.position] = true;
            }
            at += 1;
        }
        position += 1;
    }
    taken
}
