//! What holds for a node in every chain. [`node`](crate::node) has the rest, and names all of this.

use crate::describe::{Facts, Part};
use crate::flow::{KeyOf, Reads};

/// What a node returns, provides and breaks with, in every chain.
#[diagnostic::on_unimplemented(
    message = "chain[E301]: `{Self}` is not a node",
    label = "not a node",
    note = "put `#[node]` on the function, on the `impl` block that has `enter`, `exit` or `cancelled`, or before the `struct` of a chain"
)]
pub trait Signature<'r> {
    /// The return type of the node's function, unchanged.
    type Out;
    /// How that type is read: one of [`flow::kind`](crate::flow::kind), chosen by how the return type is written.
    type Kind: Reads<Self::Out>;
    /// The type under which the node's value joins the scope at position `P`. It is the value's own type, or
    /// [`Nothing`](crate::Nothing) for a node that provides nothing, so that several such nodes do not collide.
    type Key<const P: usize>: KeyOf<Gives<'r, Self>>;
    /// [`pace::Immediate`] or [`pace::Suspending`].
    type Pace: pace::Pace;
    /// What is known of the node in every chain.
    const FACTS: Facts;
    /// Does not compile where a hook spawns work that nothing waits for. A chain with `#[deny(spawn)]` evaluates it.
    #[doc(hidden)]
    const SPAWNS: () = ();
    /// The names of its types that depend on the node's type parameters. Its [`FACTS`](Self::FACTS) may refer to it.
    #[doc(hidden)]
    #[must_use]
    fn type_name(_: Part) -> Option<&'static str> {
        None
    }
}

/// What a node provides to the nodes after it.
pub type Gives<'r, N> = <<N as Signature<'r>>::Kind as Reads<<N as Signature<'r>>::Out>>::Gives;

/// What a node breaks with; [`Never`](crate::Never) if it cannot break.
pub type Breaks<'r, N> = <<N as Signature<'r>>::Kind as Reads<<N as Signature<'r>>::Out>>::Breaks;

/// The `cancelled` hook itself.
pub trait OnCancel<'r, C: 'r>: Signature<'r> {
    /// Runs if the node was entered and its request died before the node was left.
    fn on_cancel<const P: usize>(&'r self, value: &mut Self::Key<P>, chain: &'r C);
    /// The same, where a later node may have taken the value: a hook that asks for it stays away if it is gone.
    #[inline]
    fn on_cancel_of<const P: usize>(&'r self, value: &mut Option<Self::Key<P>>, chain: &'r C) {
        if let Some(value) = value {
            self.on_cancel::<P>(value, chain);
        }
    }
}

/// Whether a node may suspend.
pub mod pace {
    /// The node is a plain `fn`: it is called, never awaited.
    #[derive(Debug)]
    pub struct Immediate;
    /// The node is an `async fn`.
    #[derive(Debug)]
    pub struct Suspending;

    /// Either of the two.
    pub trait Pace {
        /// Whether the node is awaited.
        const SUSPENDS: bool;
        /// Has a value only if it is.
        #[doc(hidden)]
        type Awaits;
        /// Goes through only if it is. So rustc drops an await behind it that is never reached, with its state.
        #[doc(hidden)]
        fn awaits() -> Self::Awaits;
    }
    impl Pace for Immediate {
        const SUSPENDS: bool = false;
        type Awaits = crate::Never;
        fn awaits() -> crate::Never {
            unreachable!("chain!: a node that never suspends is not awaited")
        }
    }
    impl Pace for Suspending {
        const SUSPENDS: bool = true;
        type Awaits = ();
        #[inline(always)]
        fn awaits() {}
    }

    /// Says that the node `N` fits into a chain that is a plain `fn`.
    #[diagnostic::on_unimplemented(
        message = "chain[E210]: `{N}` is `async`, but this chain is declared `fn`",
        label = "would have to be awaited",
        note = "declare the chain `async fn(..)`, or make `{N}` a plain `fn`"
    )]
    pub trait FitsFn<N: ?Sized> {
        /// It does.
        const FITS: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<N: ?Sized> FitsFn<N> for Immediate {}
}
