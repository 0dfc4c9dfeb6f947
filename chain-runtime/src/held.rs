//! What holds a node's provided value between its way in and its way out.
//!
//! The body of a chain's `run` keeps one holder for each node but the last, in a block of its own. [`Cancel`](crate::Cancel)
//! says which: [`Bare`], or [`Guard`] for a node with a `cancelled` hook.

use crate::node::OnCancel;

/// A holder: knows when its node was left.
///
/// Generated code also lends the value to later nodes, through a field called `value`, as both holders of this module have
/// it. There is no reason to write a third.
pub trait Held {
    /// The node was left: what comes now is an ordinary drop.
    fn left(&mut self);
    /// Calls the `cancelled` hook, if there is one and the node was not left. Afterwards, what comes is an ordinary drop. A chain that is observed
    /// does this before it drops the holder, to see whether the hook panics.
    #[inline(always)]
    fn cancel(&mut self) {}
    /// Whether it would call the hook.
    #[inline(always)]
    fn is_entered(&self) -> bool {
        false
    }
}

/// Holds the value of a node without a `cancelled` hook: the value and nothing else.
#[derive(Debug)]
pub struct Bare<T> {
    /// The value.
    pub value: T,
}

impl<T> Held for Bare<T> {
    #[inline(always)]
    fn left(&mut self) {}
}

/// Holds the value of a node with a `cancelled` hook, and calls the hook when it is dropped before the
/// node was left: the future was dropped, or something panicked.
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

/// [`Guard`] for a node that may be skipped: without a value, there is nothing to call.
#[allow(missing_debug_implementations, reason = "a node's key need not be `Debug`")]
pub struct MaybeGuard<'r, N: OnCancel<'r, C>, C, const P: usize> {
    /// The value. It can be lent to later nodes while the guard owns it.
    pub value: Option<N::Key<P>>,
    node: &'r N,
    chain: &'r C,
    entered: bool,
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> MaybeGuard<'r, N, C, P> {
    /// Begins to hold the value of a node that was just entered, or skipped.
    #[inline]
    pub fn new(node: &'r N, value: Option<N::Key<P>>, chain: &'r C) -> Self {
        Self { entered: value.is_some(), value, node, chain }
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Held for MaybeGuard<'r, N, C, P> {
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
        if let (true, Some(value)) = (core::mem::take(&mut self.entered), &mut self.value) {
            self.node.on_cancel::<P>(value, self.chain);
        }
    }
}

impl<'r, N: OnCancel<'r, C>, C: 'r, const P: usize> Drop for MaybeGuard<'r, N, C, P> {
    #[inline]
    fn drop(&mut self) {
        self.cancel();
    }
}
