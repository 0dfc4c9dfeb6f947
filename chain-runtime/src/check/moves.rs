//! What `#[send]` asks of everything that a chain's future holds.

/// Says that the value of the node `N` can move to another thread with the chain's future. `#[send]` on a chain asks
/// for it.
#[diagnostic::on_unimplemented(
    message = "chain[E701]: this chain's future is not `Send`: `{N}` provides a `{Self}`, which has to stay on its thread",
    label = "provides a `{Self}`",
    note = "the chain asks for it with `#[send]`: provide something that is `Send` (an `Arc` for an `Rc`, a `Mutex` for a `RefCell`)"
)]
pub trait ValueMoves<N: ?Sized> {}

#[diagnostic::do_not_recommend]
impl<T: Send + ?Sized, N: ?Sized> ValueMoves<N> for T {}

/// Requires it of a value.
pub const fn value_moves<T: ValueMoves<N> + ?Sized, N: ?Sized>() {}

/// Requires that the future of a hook of the node `N` can move to another thread. It asks for `Send` itself: only for
/// that trait does rustc say which value is held across which await. The way out is at the end of a line that rustc
/// shows.
#[rustfmt::skip]
pub const fn future_moves<A, B, F, N: ?Sized>(_: fn(A, B) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The same for the future of `around` of the node `N`, over a block that is `Send`.
#[rustfmt::skip]
pub const fn around_moves<A, B, C, F, N: ?Sized>(_: fn(A, B, C) -> F)
where
    F: Send, // chain[E701]: let go of a lock's guard before `block.await`
{
}

/// Requires of a field that it may be shared between threads, as each run of the chain shares it.
#[rustfmt::skip]
pub const fn field_moves<T>()
where
    T: Sync, // chain[E701]: a `Mutex` or an atomic for a `Cell`, an `Arc` for an `Rc`, `Box<dyn Fn() + Send + Sync>` for closures
{
}

/// Requires that an input can move to another thread, since the chain's future holds it and moves.
#[rustfmt::skip]
pub const fn input_moves<T>()
where
    T: Send, // chain[E701]: an `Arc` for an `Rc`; `&mut T` for a `&T` that is not `Sync`
{
}

/// Says that a reply can move to another thread with the chain's future, which holds it while `exit` of the node `N` is
/// awaited.
#[diagnostic::on_unimplemented(
    message = "chain[E701]: this chain's future is not `Send`: it holds the reply, a `{Self}`, while it awaits `exit` of `{N}`",
    label = "the reply waits for this `exit`",
    note = "the chain asks for it with `#[send]`: reply with something that is `Send`, or make that `exit` a plain `fn`"
)]
pub trait ReplyMoves<N: ?Sized> {}

#[diagnostic::do_not_recommend]
impl<T: Send + ?Sized, N: ?Sized> ReplyMoves<N> for T {}

/// Requires this of the part of a reply that the future holds.
pub const fn reply_moves<T: ReplyMoves<N> + ?Sized, N: ?Sized>() {}
