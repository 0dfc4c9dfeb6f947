//! How a node's result is read. `#[node]` chooses by how the return type is written.

/// A value.
#[derive(Debug)]
pub struct Gives;
/// The node never returns.
#[derive(Debug)]
pub struct Never;
/// `Result<T, E>`
#[derive(Debug)]
pub struct Fails;
/// `Result<T, Infallible>`
#[derive(Debug)]
pub struct NeverFails;
/// `Result<Infallible, E>`
#[derive(Debug)]
pub struct OnlyFails;
/// `ControlFlow<R, T>`
#[derive(Debug)]
pub struct Breaks;
/// `ControlFlow<Infallible, T>`
#[derive(Debug)]
pub struct NeverBreaks;
/// `ControlFlow<R, Infallible>`
#[derive(Debug)]
pub struct OnlyBreaks;

/// One of these, if the name of the return type does not say which: `private::Probe` finds it out.
#[derive(Debug)]
pub struct By<const FLOW: usize>;
/// Says which of these it is.
pub trait Is {
    /// The chosen one.
    type Kind;
}
impl Is for By<0> {
    type Kind = Gives;
}
impl Is for By<1> {
    type Kind = Fails;
}
impl Is for By<2> {
    type Kind = Breaks;
}
