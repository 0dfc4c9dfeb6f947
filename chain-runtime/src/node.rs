//! The traits that a node implements.
//!
//! `#[node]` writes them; they can be written by hand as well (see `examples/node_by_hand.rs`).
//!
//! - [`Signature`] says what holds for a node in every chain: what it returns, provides and breaks with.
//! - [`Node`] says what it does in a scope `S`: `enter` on the way in, `exit` on the way out.
//! - [`Cancel`] says what happens to it when its request dies midway.
//!
//! `'r` is the lifetime of one run (of the chain's fields and its inputs by reference), `'s` that of one call.

use core::future::Future;

use crate::describe::{Need, Part, Seen};
use crate::held::{Begins, BeginsMaybe, Held};
use crate::taken::Way;

pub use crate::flow::key::Nothing;
pub use crate::signature::{Breaks, Gives, OnCancel, Signature, pace};

/// The type under which the node's value joins the scope of the chain `C`.
///
/// rustc compares the providers of a scope with each other. For a node of another crate it cannot rule out that the
/// foreign trait's answer about a foreign type changes, so that node would seem to provide any type. With the chain's
/// own type among the trait's parameters, the provided type is settled.
///
/// A value that is a reference is found by the type to which it refers: a node that returns `&'r T` provides a `T`,
/// like an input `name: &'r T`. So a scope has one `T`, whoever owns it.
pub trait Joins<'r, C: ?Sized> {
    /// The type by which the value is found: [`Signature::Key`], or the `T` of a key that is `&T` or `&mut T`.
    type As<const P: usize>: ?Sized;
    /// [`Signature::Key`].
    type Held<const P: usize>;
    /// How the value is lent from what is held: one of [`scope::lent`](crate::scope::lent).
    type Lent;
}

/// Marks a type as a node, for the chain `C` (see [`Joins`] for why the chain is a parameter). A chain names the type
/// of a field that it uses as a node as `<Type as IsNode<C>>::Itself`. If the type is no node, rustc reports that once,
/// and has no type about which it could report more.
#[diagnostic::on_unimplemented(
    message = "chain[E301]: `{Self}` is not a node",
    label = "not a node",
    note = "put `#[node]` on the `impl` block that has `enter`, `exit` or `cancelled`, or before the `struct` of a chain; a function is named in small letters, also where it is imported under another name",
    note = "a type with parameters is a node where the bounds of that block are met: `Deadline<T>` asks that `T` is a `Timer`",
    note = "a field hides a function of the same name: where that is meant, give the field another name"
)]
pub trait IsNode<C: ?Sized> {
    /// `Self`.
    type Itself;
    /// `self`.
    fn itself(&self) -> &Self::Itself;
}

/// The same for a field whose type may be no node, as the file shows it. That is said by [`IsNode`]. Then the scope of such a
/// node has an impl about which rustc knows nothing, and does not report that a value is missing.
pub trait NodeOf<C: ?Sized> {
    /// `Self`.
    type Itself;
    /// `self`.
    fn itself(&self) -> &Self::Itself;
}

#[diagnostic::do_not_recommend]
impl<C: ?Sized, N: IsNode<C> + ?Sized> NodeOf<C> for N {
    type Itself = N::Itself;
    #[inline(always)]
    fn itself(&self) -> &Self::Itself {
        IsNode::itself(self)
    }
}

/// A field may also refer to its node.
#[diagnostic::do_not_recommend]
impl<C: ?Sized, N: IsNode<C> + ?Sized> IsNode<C> for &N {
    type Itself = N::Itself;
    #[inline(always)]
    fn itself(&self) -> &Self::Itself {
        (**self).itself()
    }
}

/// Or it holds the node in a smart pointer.
#[cfg(feature = "alloc")]
mod behind_pointers {
    use super::IsNode;

    macro_rules! is_node {
        ($($pointer:ty)*) => { $(
            #[diagnostic::do_not_recommend]
            impl<C: ?Sized, N: IsNode<C> + ?Sized> IsNode<C> for $pointer {
                type Itself = N::Itself;
                #[inline(always)]
                fn itself(&self) -> &Self::Itself {
                    (**self).itself()
                }
            }
        )* };
    }
    is_node! { alloc::boxed::Box<N> alloc::rc::Rc<N> alloc::sync::Arc<N> }
}

/// A node or none: an `Option` of a node. A chain skips such a field if it is `None`.
///
/// A chain sees that a field may be `None` by the text of its type: `Option<..>`, or a reference to one. An alias hides
/// that, and so it is refused.
#[diagnostic::on_unimplemented(
    message = "chain[E301]: `{Self}` is not a node",
    label = "not a node",
    note = "put `#[node]` on the `impl` block that has `enter`, `exit` or `cancelled`, or before the `struct` of a chain; a field may hold its node in core's `Option`"
)]
pub trait MayBeNode<C: ?Sized> {
    /// The node.
    type Itself;
    /// Whether there is a node.
    fn is_there(&self) -> bool;
    /// The node.
    ///
    /// # Panics
    ///
    /// If there is none. A chain asks [`is_there`](Self::is_there) first.
    fn it(&self) -> &Self::Itself;
}

#[diagnostic::do_not_recommend]
impl<C: ?Sized, N: IsNode<C>> MayBeNode<C> for Option<N> {
    type Itself = N::Itself;
    #[inline(always)]
    fn is_there(&self) -> bool {
        self.is_some()
    }
    #[inline(always)]
    fn it(&self) -> &Self::Itself {
        self.as_ref().expect("chain!: a node that is `None` is skipped").itself()
    }
}

#[diagnostic::do_not_recommend]
impl<C: ?Sized, M: MayBeNode<C>> MayBeNode<C> for &M {
    type Itself = M::Itself;
    #[inline(always)]
    fn is_there(&self) -> bool {
        (**self).is_there()
    }
    #[inline(always)]
    fn it(&self) -> &Self::Itself {
        (**self).it()
    }
}

/// Says that the name of a field's type shows that the type is an `Option`. A type for which this is asked does not
/// show it.
#[diagnostic::on_unimplemented(
    message = "chain[E324]: the type of this field is an `Option`, which its name does not show",
    label = "may be `None`",
    note = "a node that is `None` is skipped, and the chain sees that by the name: write the field's type as `Option<..>`"
)]
#[doc(hidden)]
pub trait ShowsThatItMayBeNone {}

/// By its name, it would be a node that is always there.
#[diagnostic::do_not_recommend]
impl<C: ?Sized, N: IsNode<C>> IsNode<C> for Option<N>
where
    Self: ShowsThatItMayBeNone,
{
    type Itself = N::Itself;
    fn itself(&self) -> &Self::Itself {
        self.it()
    }
}

/// What the node does in a scope `S`.
///
/// Exactly one of [`enter`](Self::enter) and [`enter_now`](Self::enter_now) is called, as the node's
/// [`Pace`](Signature::Pace) says. The same holds for `exit`, as [`Facts::exit`](crate::describe::Facts::exit) says.
/// For a node without `exit`, neither form is called. A hook that never suspends leaves the async form out.
#[diagnostic::on_unimplemented(
    message = "chain[E301]: `{Self}` is not a node of this chain",
    label = "not a node",
    note = "put `#[node]` on the function, on the `impl` block that has `enter`, `exit` or `cancelled`, or before the `struct` of a chain"
)]
pub trait Node<'r: 's, 's, S>: Signature<'r> {
    /// What `enter` asks of the scope: all of it, and how. The chain's checks stand on it, and a provided value can be
    /// taken only where it says so; a node written by hand that takes another one panics.
    const NEEDS: &'static [Need];
    /// What `exit` asks of the scope.
    const EXIT_NEEDS: &'static [Need] = &[];
    /// All of this as data, for the chain's description.
    #[doc(hidden)]
    const SEEN: Seen = Seen { facts: Self::FACTS, needs: Self::NEEDS, exit_needs: Self::EXIT_NEEDS };
    /// The names of its types that depend on the node's type parameters, where naming them needs their bounds.
    /// [`SEEN`](Self::SEEN) may refer to it.
    #[doc(hidden)]
    #[must_use]
    fn seen_name(_: Part) -> Option<&'static str> {
        None
    }

    /// The way in of a node that may suspend.
    fn enter(&'r self, scope: S) -> impl Future<Output = Self::Out> {
        let _ = scope;
        crate::private::never_called::<crate::NeverSuspends<Self::Out>>()
    }
    /// The way in of a node that never suspends.
    fn enter_now(&'r self, scope: S) -> Self::Out {
        let _ = scope;
        unreachable!("chain!: a node that may suspend is awaited")
    }
    /// The way out of a node whose `exit` may suspend.
    fn exit(&'r self, scope: S) -> impl Future<Output = ()> {
        let _ = scope;
        core::future::ready(())
    }
    /// The way out of a node whose `exit` never suspends.
    fn exit_now(&'r self, scope: S) {
        let _ = scope;
    }
}

/// What happens to the node when its request dies midway, in the chain `C`.
#[diagnostic::on_unimplemented(
    message = "chain[E322]: `{Self}` is a function, and its name here begins like that of a type",
    label = "a function",
    note = "name it in small letters: for what begins with a capital letter a chain has a way out, and a function has none"
)]
pub trait Cancel<'r, C: 'r>: Signature<'r> + 'r {
    /// Whether the node has a way out: [`way_out::Open`], [`way_out::Awaited`] if `exit` is `async`, or the uninhabited
    /// [`way_out::Absent`].
    type WayOut: way_out::WayOut;
    /// The holder of the provided value: [`Bare`](crate::held::Bare), or [`Guard`](crate::held::Guard) for a node with
    /// a `cancelled` hook.
    type Held<const P: usize>: Begins<'r, Self, Self::Key<P>, C>;
    /// Begins to hold the value of a node that was just entered.
    #[inline(always)]
    fn hold<const P: usize>(&'r self, value: Self::Key<P>, chain: &'r C) -> Self::Held<P> {
        Begins::begins(self, value, chain)
    }
    /// The same as [`Held`](Self::Held) for a node that may be skipped.
    type MaybeHeld<const P: usize>: BeginsMaybe<'r, Self, Self::Key<P>, C>;
    /// Begins to hold the value of a node that was just entered. If the node was skipped, there is no value, and there
    /// may be no node.
    #[inline(always)]
    fn hold_maybe<const P: usize>(entered: Option<(&'r Self, Self::Key<P>)>, chain: &'r C) -> Self::MaybeHeld<P> {
        BeginsMaybe::begins(entered, chain)
    }
    /// Begins to hold the value of a node that was just entered, where a later node may take it, as `W` says.
    #[inline(always)]
    fn hold_by<W: Way, const P: usize>(
        &'r self,
        value: Self::Key<P>,
        chain: &'r C,
    ) -> W::Of<Self::Held<P>, Self::MaybeHeld<P>> {
        W::hold_one_way(
            value,
            |value| self.hold::<P>(value, chain),
            |value| Self::hold_maybe::<P>(Some((self, value)), chain),
        )
    }
    /// Does what [`leave`](Self::leave) does, for a node whose value a later node may take.
    #[inline(always)]
    fn leave_by<W: Way, const P: usize>(held: &mut W::Of<Self::Held<P>, Self::MaybeHeld<P>>) {
        Held::left(held);
    }
    /// Does what [`leave`](Self::leave) does, for a node that may be skipped.
    #[inline(always)]
    fn leave_maybe<const P: usize>(held: &mut Self::MaybeHeld<P>) {
        Held::left(held);
    }
    /// The node was left. This is a method of the node and not of the holder, so that a `cancelled` hook which asks for
    /// a missing field gets one error.
    #[inline(always)]
    fn leave<const P: usize>(held: &mut Self::Held<P>) {
        Held::left(held);
    }
}

/// The way in of a node whose future owns what it needs, so that it can outlive the request: a `fn` that returns
/// `impl Future<Output = T> + Send + 'static`.
#[diagnostic::on_unimplemented(
    message = "chain[E514]: the work of `{Self}` borrows from the request, so it cannot outlive it",
    label = "borrows from the request",
    note = "write it as `fn {Self}(..) -> impl Future<Output = ..> + Send + 'static`, which clones what it needs before its `async move` block"
)]
pub trait Owned<'r: 's, 's, S>: Node<'r, 's, S> {
    /// [`Node::enter`], owning what it needs.
    fn enter_owned(&'r self, scope: S) -> impl Future<Output = Self::Out> + Send + 'static;
}

/// A node that can be named in a chain without a field: a function, or a struct without state.
#[diagnostic::on_unimplemented(
    message = "chain[E321]: `{Self}` has state, so a chain cannot name it by its type alone",
    label = "has state",
    note = "make it a field of the chain (`name: {Self}`) and use it under the field's name"
)]
pub trait Stateless {
    /// The node.
    const NODE: Self;
}

/// A function whose results need the bounds of its type parameters, where these are met. A chain names such a function as
/// `<function as Meets<C>>::Itself` (see [`Joins`] for why the chain is a parameter).
#[doc(hidden)]
pub trait Meets<C: ?Sized> {
    /// `Self`.
    type Itself;
}

/// Whether a node has a way out.
pub mod way_out {
    /// The node has an `exit` hook.
    #[derive(Debug)]
    pub struct Open;
    /// The node has an `exit` hook that is awaited.
    #[derive(Debug)]
    pub struct Awaited;
    /// The node has no `exit` hook. No value of this type exists, so code that needs one is not compiled at all.
    #[derive(Debug)]
    pub enum Absent {}

    /// Any of the three.
    pub trait WayOut: Sized {
        /// The part of a reply `R` that the chain's future holds while `exit` runs.
        type Holds<R>;
        /// Goes through, if there is a way out.
        fn go() -> Self;
        /// Has a value only if `exit` is awaited.
        #[doc(hidden)]
        type Awaits;
        /// Goes through only if it is.
        #[doc(hidden)]
        fn awaits() -> Self::Awaits;
    }
    impl WayOut for Awaited {
        type Awaits = ();
        #[inline(always)]
        fn awaits() {}
        type Holds<R> = R;
        #[inline(always)]
        fn go() -> Self {
            Self
        }
    }
    impl WayOut for Open {
        type Awaits = crate::Never;
        fn awaits() -> crate::Never {
            unreachable!("chain!: an `exit` that never suspends is not awaited")
        }
        type Holds<R> = ();
        #[inline(always)]
        fn go() -> Self {
            Self
        }
    }
    impl WayOut for Absent {
        type Awaits = crate::Never;
        fn awaits() -> crate::Never {
            unreachable!("chain!: an `exit` that never suspends is not awaited")
        }
        type Holds<R> = ();
        fn go() -> Self {
            unreachable!("chain!: a node without `exit` has no way out")
        }
    }
}
