//! The traits that a node implements.
//!
//! `#[node]` writes them; they can be written by hand as well (see `examples/node_by_hand.rs`).
//!
//! - [`Signature`] is what a node is wherever it stands: what it returns, provides and breaks with.
//! - [`Node`] is what it does in a scope `S`: `enter` on the way in, `exit` on the way out.
//! - [`Cancel`] is what becomes of it when its request dies midway.
//!
//! `'r` is the life of one run (the chain's fields and its inputs by reference), `'s` of one call.

use core::future::Future;

use crate::describe::{Facts, Need, Seen};
use crate::flow::{KeyOf, Reads};

/// What a node returns, provides and breaks with, wherever it stands.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a node",
    label = "not a node",
    note = "put `#[node]` on the function, or on the `impl` block that has `enter`, `exit` or `cancelled`"
)]
pub trait Signature<'r> {
    /// What the function behind the node returns, as it is.
    type Out;
    /// How that is read: one of [`flow::kind`](crate::flow::kind), named after the look of the return type.
    type Kind: Reads<Self::Out>;
    /// The type under which its value joins the scope at position `P`: the value's own, or [`Nothing`] for a node
    /// that provides nothing, so that several such nodes do not collide.
    type Key<const P: usize>: KeyOf<Gives<'r, Self>>;
    /// [`pace::Immediate`] or [`pace::Suspending`].
    type Pace: pace::Pace;
    /// What is known of the node by name.
    const FACTS: Facts;
    /// Does not compile where a hook spawns by itself what nobody waits for. A chain that says `#[deny(spawn)]` asks for it.
    #[doc(hidden)]
    const SPAWNS: () = ();
}

/// What a node provides to the nodes after it.
pub type Gives<'r, N> = <<N as Signature<'r>>::Kind as Reads<<N as Signature<'r>>::Out>>::Gives;

/// What a node breaks with; [`Never`](crate::Never) where it cannot.
pub type Breaks<'r, N> = <<N as Signature<'r>>::Kind as Reads<<N as Signature<'r>>::Out>>::Breaks;

/// The type under which the node's value joins the scope of the chain `C`.
///
/// rustc compares the providers of a scope with each other, and what a foreign trait says of a foreign type might
/// change, as far as it knows: a node of another crate would seem to provide any type at all. With the chain's own
/// type among the trait's parameters, what the node provides is settled.
///
/// A value that is a reference is found by what it refers to: a node that returns `&'r T` provides a `T`, as an input `name: &'r T`
/// does, so that there is one `T` in a scope whoever owns it.
pub trait Joins<'r, C: ?Sized> {
    /// The type that finds the value: [`Signature::Key`], or the `T` of a key that is `&T` or `&mut T`.
    type As<const P: usize>: ?Sized;
    /// [`Signature::Key`].
    type Held<const P: usize>;
    /// How the one is lent from the other: one of [`scope::lent`](crate::scope::lent).
    type Lent;
}

/// Marks a type as a node, for the chain `C` (see [`Joins`] for why the chain is a parameter). A chain names the type of a field that it uses as a node as `<Type as IsNode<C>>::Itself`, so that for a
/// type that is none rustc has one error, and no type to make further ones of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a node",
    label = "not a node",
    note = "put `#[node]` on the `impl` block that has `enter`, `exit` or `cancelled`; a function is named in small letters, also where it is imported under another name"
)]
pub trait IsNode<C: ?Sized> {
    /// `Self`.
    type Itself;
    /// `self`.
    fn itself(&self) -> &Self::Itself;
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

/// Or hold it elsewhere.
#[cfg(feature = "std")]
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
    is_node! { std::boxed::Box<N> std::rc::Rc<N> std::sync::Arc<N> }
}

/// What the node does in a scope `S`.
///
/// Exactly one of [`enter`](Self::enter) and [`enter_now`](Self::enter_now) is called, as the node's
/// [`Pace`](Signature::Pace) says. The same holds for `exit`, as [`Facts::exit`](crate::describe::Facts::exit) says, and of a node
/// without one neither is. A hook that never suspends returns
/// [`NeverSuspends`](crate::NeverSuspends) from its async form, by name, and not as `impl Future`: rustc then
/// sees that the await behind it cannot be reached.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a node of this chain",
    label = "not a node",
    note = "put `#[node]` on the function, or on the `impl` block that has `enter`, `exit` or `cancelled`"
)]
pub trait Node<'r: 's, 's, S>: Signature<'r> {
    /// What `enter` asks of the scope.
    const NEEDS: &'static [Need];
    /// What `exit` asks of the scope.
    const EXIT_NEEDS: &'static [Need] = &[];
    /// All of it as data, for the chain's description.
    #[doc(hidden)]
    const SEEN: Seen = Seen { facts: Self::FACTS, needs: Self::NEEDS, exit_needs: Self::EXIT_NEEDS };

    /// The way in of a node that may suspend.
    fn enter(&'r self, scope: S) -> impl Future<Output = Self::Out>;
    /// The way in of a node that never does.
    fn enter_now(&'r self, scope: S) -> Self::Out {
        let _ = scope;
        unreachable!("chain!: a node that may suspend is awaited")
    }
    /// The way out, where it may suspend.
    fn exit(&'r self, scope: S) -> impl Future<Output = ()> {
        let _ = scope;
        core::future::ready(())
    }
    /// The way out, where it never does.
    fn exit_now(&'r self, scope: S) {
        let _ = scope;
    }
}

/// What becomes of the node when its request dies midway, in the chain `C`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a function, and its name here begins like that of a type",
    label = "a function",
    note = "name it in small letters: for what begins with a capital letter a chain has a way out, and a function has none"
)]
pub trait Cancel<'r, C: 'r>: Signature<'r> + 'r {
    /// Whether there is a way out: [`way_out::Open`], [`way_out::Awaited`] where `exit` is `async`, or the uninhabited [`way_out::Absent`].
    type WayOut: way_out::WayOut;
    /// What holds the provided value: [`Bare`](crate::held::Bare), or [`Guard`](crate::held::Guard) for a node
    /// with a `cancelled` hook.
    type Held<const P: usize>: crate::held::Held;
    /// Begins to hold the value of a node that was just entered.
    fn hold<const P: usize>(&'r self, value: Self::Key<P>, chain: &'r C) -> Self::Held<P>;
    /// The same as [`Held`](Self::Held) for a node that may be skipped.
    type MaybeHeld<const P: usize>: crate::held::Held;
    /// Begins to hold the value of a node that was just entered, or skipped.
    fn hold_maybe<const P: usize>(&'r self, value: Option<Self::Key<P>>, chain: &'r C) -> Self::MaybeHeld<P>;
    /// [`leave`](Self::leave), of a node that may be skipped.
    #[inline(always)]
    fn leave_maybe<const P: usize>(held: &mut Self::MaybeHeld<P>) {
        crate::held::Held::left(held);
    }
    /// The node was left. Asked of the node, not of what it holds, so that a `cancelled` hook which lacks a field is
    /// told so once.
    #[inline(always)]
    fn leave<const P: usize>(held: &mut Self::Held<P>) {
        crate::held::Held::left(held);
    }
}

/// The way in of a node whose future owns what it needs, so that it can outlive the request: a `fn` that returns
/// `impl Future<Output = T> + Send + 'static`.
#[diagnostic::on_unimplemented(
    message = "the work of `{Self}` borrows from the request, so it cannot outlive it",
    label = "borrows from the request",
    note = "write it as `fn {Self}(..) -> impl Future<Output = ..> + Send + 'static`, which clones what it needs before its `async move` block"
)]
pub trait Owned<'r: 's, 's, S>: Node<'r, 's, S> {
    /// [`Node::enter`], owning what it needs.
    fn enter_owned(&'r self, scope: S) -> impl Future<Output = Self::Out> + Send + 'static;
}

/// The `cancelled` hook itself.
pub trait OnCancel<'r, C: 'r>: Signature<'r> {
    /// Called when the node was entered and its request died before it was left.
    fn on_cancel<const P: usize>(&'r self, value: &mut Self::Key<P>, chain: &'r C);
}

/// A node that can be named in a chain without a field: a function, or a struct without state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has state, so a chain cannot name it by its type alone",
    label = "has state",
    note = "make it a field of the chain (`name: {Self}`) and use it under the field's name"
)]
pub trait Stateless {
    /// The node.
    const NODE: Self;
}

/// Stands in the scope for a node, at position `P`, that provides nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing<const P: usize>;

/// Whether a node may suspend.
pub mod pace {
    /// It is a plain `fn`: called, never awaited.
    #[derive(Debug)]
    pub struct Immediate;
    /// It is an `async fn`.
    #[derive(Debug)]
    pub struct Suspending;

    /// Either of the two.
    pub trait Pace {
        /// Whether the node is awaited.
        const SUSPENDS: bool;
    }
    impl Pace for Immediate {
        const SUSPENDS: bool = false;
    }
    impl Pace for Suspending {
        const SUSPENDS: bool = true;
    }

    /// That the node `N` fits into a chain that is a plain `fn`.
    #[diagnostic::on_unimplemented(
        message = "`{N}` is `async`, but this chain is declared `fn`",
        label = "would have to be awaited",
        note = "declare the chain `async fn(..)`, or make `{N}` a plain `fn`"
    )]
    pub trait FitsFn<N: ?Sized> {}
    #[diagnostic::do_not_recommend]
    impl<N: ?Sized> FitsFn<N> for Immediate {}
}

/// Whether a node has a way out.
pub mod way_out {
    /// It has an `exit` hook.
    #[derive(Debug)]
    pub struct Open;
    /// It has one that is awaited.
    #[derive(Debug)]
    pub struct Awaited;
    /// It has none. No value of this exists: what stands behind the making of one is not compiled at all.
    #[derive(Debug)]
    pub enum Absent {}

    /// Any of the three.
    pub trait WayOut: Sized {
        /// What of a reply `R` the chain's future holds while it goes.
        type Holds<R>;
        /// Goes through, where there is a way.
        fn go() -> Self;
    }
    impl WayOut for Awaited {
        type Holds<R> = R;
        #[inline(always)]
        fn go() -> Self {
            Self
        }
    }
    impl WayOut for Open {
        type Holds<R> = ();
        #[inline(always)]
        fn go() -> Self {
            Self
        }
    }
    impl WayOut for Absent {
        type Holds<R> = ();
        fn go() -> Self {
            unreachable!("chain!: a node without `exit` has no way out")
        }
    }
}
