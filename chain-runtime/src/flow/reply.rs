//! How a chain's reply is made. `chain!` chooses by how the reply's type is written.

use core::marker::PhantomData;

/// The reply is a plain type: a break becomes the reply through [`IntoReply`](crate::IntoReply).
#[derive(Debug)]
pub struct Plain;
/// The reply is a `Result<T, E>`: errors become `Err(E::from(e))`, values `Ok(t.into_reply())`.
#[derive(Debug)]
pub struct Fallible;
/// The reply is a `ControlFlow<B, T>`: what breaks becomes `Break(e.into_reply())`, values `Continue(t.into_reply())`.
#[derive(Debug)]
pub struct Flowing;

/// One of these, if the name of the reply's type does not say which.
#[derive(Debug)]
pub struct By<const FLOW: usize>;
/// Says which of the two it is.
pub trait Is {
    /// The chosen one.
    type Mode;
}
impl Is for By<0> {
    type Mode = Plain;
}
impl Is for By<1> {
    type Mode = Fallible;
}
impl Is for By<2> {
    type Mode = Flowing;
}
/// What is asked of the last node. It depends on whether the node returns a `Result` under another name: that value
/// is then the reply.
#[derive(Debug)]
pub struct Ends<const HIDES: bool, Mode>(PhantomData<Mode>);
impl<Mode> Is for Ends<true, Mode> {
    type Mode = Plain;
}
impl<Mode> Is for Ends<false, Mode> {
    type Mode = Mode;
}
