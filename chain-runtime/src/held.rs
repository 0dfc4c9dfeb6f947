//! What holds a node's provided value between its way in and its way out.
//!
//! The body of a chain's `run` keeps one holder for each node but the last, in a block of its own.
//! [`Cancel`](crate::Cancel) chooses the holder: [`Bare`], or [`Guard`] for a node with a `cancelled` hook.

use crate::signature::OnCancel;

/// A holder knows whether its node was left.
///
/// Generated code also lends the value to later nodes, through the field `value` that both holders of this module have.
/// There is no reason to write a third.
pub trait Held {
    /// The node was left: the drop that follows is an ordinary one.
    fn left(&mut self);
    /// Calls the `cancelled` hook, if there is one and the node was not left. The drop that follows is then an ordinary
    /// one. A chain that is observed does this before it drops the holder, to see whether the hook panics.
    #[inline(always)]
    fn cancel(&mut self) {}
    /// Whether dropping the holder would call the hook.
    #[inline(always)]
    fn is_entered(&self) -> bool {
        false
    }
}

/// A holder of the value `T` of a node `N` in a chain `C`.
pub trait Begins<'r, N: ?Sized, T, C>: Held {
    /// Begins to hold the value of a node that was just entered.
    fn begins(node: &'r N, value: T, chain: &'r C) -> Self;
}

/// The same for a node that may be skipped.
pub trait BeginsMaybe<'r, N: ?Sized, T, C>: Held {
    /// Begins to hold the value of a node that was just entered or skipped.
    fn begins(entered: Option<(&'r N, T)>, chain: &'r C) -> Self;
}

/// Holds the value of a node without a `cancelled` hook: the value and nothing else.
#[derive(Debug)]
pub struct Bare<T> {
    /// The value.
    pub value: T,
}

impl<T> Bare<Option<T>> {
    /// Holds the value of a node that was entered, or nothing if it was skipped.
    #[inline(always)]
    pub fn maybe<N>(entered: Option<(N, T)>) -> Self {
        Self { value: entered.map(|(_, value)| value) }
    }
}

impl<T> Held for Bare<T> {
    #[inline(always)]
    fn left(&mut self) {}
}

impl<'r, N: ?Sized, T, C> Begins<'r, N, T, C> for Bare<T> {
    #[inline(always)]
    fn begins(_: &'r N, value: T, _: &'r C) -> Self {
        Self { value }
    }
}

impl<'r, N: ?Sized, T, C> BeginsMaybe<'r, N, T, C> for Bare<Option<T>> {
    #[inline(always)]
    fn begins(entered: Option<(&'r N, T)>, _: &'r C) -> Self {
        Self::maybe(entered)
    }
}

/// Holds the value of a node with a `cancelled` hook. It calls the hook when it is dropped before the node was left,
/// because the future was dropped or something panicked.
///
/// An async body drops its locals in reverse, so the hooks run in reverse too.
#[allow(missing_debug_implementations, reason = "a node's key need not be `Debug`")]
pub struct Guard<'r, N: OnCancel<'r, C>, C, const P: usize> {
    /// The value. It can be lent to later nodes while the guard owns it.
    pub value: N::Key<P>,
    node: &'r N,
    chain: &'r C,
    entered: bool,
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Guard<'r, N, C, P> {
    /// Begins to hold the value of a node that was just entered.
    #[inline]
    pub fn new(node: &'r N, value: N::Key<P>, chain: &'r C) -> Self {
        Self { value, node, chain, entered: true }
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Begins<'r, N, N::Key<P>, C> for Guard<'r, N, C, P> {
    #[inline(always)]
    fn begins(node: &'r N, value: N::Key<P>, chain: &'r C) -> Self {
        Self::new(node, value, chain)
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> BeginsMaybe<'r, N, N::Key<P>, C> for MaybeGuard<'r, N, C, P> {
    #[inline(always)]
    fn begins(entered: Option<(&'r N, N::Key<P>)>, chain: &'r C) -> Self {
        Self::new(entered, chain)
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Held for Guard<'r, N, C, P> {
    #[inline(always)]
    fn left(&mut self) {
        self.entered = false;
    }
    #[inline(always)]
    fn is_entered(&self) -> bool {
        self.entered
    }
    #[inline]
    fn cancel(&mut self) {
        if core::mem::take(&mut self.entered) {
            self.node.on_cancel::<P>(&mut self.value, self.chain);
        }
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Drop for Guard<'r, N, C, P> {
    #[inline]
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Does what [`Guard`] does, for a node that may be skipped, or whose value a later node takes. For a node that was
/// skipped, no hook is called.
#[allow(missing_debug_implementations, reason = "a node's key need not be `Debug`")]
pub struct MaybeGuard<'r, N: OnCancel<'r, C>, C, const P: usize> {
    /// The value. It can be lent to later nodes while the guard owns it.
    pub value: Option<N::Key<P>>,
    /// The node, while it is entered and not left.
    node: Option<&'r N>,
    chain: &'r C,
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> MaybeGuard<'r, N, C, P> {
    /// Begins to hold the value of a node that was just entered or skipped.
    #[inline]
    pub fn new(entered: Option<(&'r N, N::Key<P>)>, chain: &'r C) -> Self {
        let (node, value) = entered.unzip();
        Self { value, node, chain }
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Held for MaybeGuard<'r, N, C, P> {
    #[inline(always)]
    fn left(&mut self) {
        self.node = None;
    }
    #[inline(always)]
    fn is_entered(&self) -> bool {
        self.node.is_some()
    }
    #[inline]
    fn cancel(&mut self) {
        if let Some(node) = self.node.take() {
            node.on_cancel_of::<P>(&mut self.value, self.chain);
        }
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Drop for MaybeGuard<'r, N, C, P> {
    #[inline]
    fn drop(&mut self) {
        self.cancel();
    }
}
