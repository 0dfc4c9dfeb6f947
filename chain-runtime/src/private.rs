//! What generated code names, so that it works without a prelude and whatever the user's names shadow.

pub use core::future::{Future, Pending, pending};
pub use core::iter::Empty;
pub use core::marker::{PhantomData, Send, Sized};
pub use core::mem::size_of;
pub use core::ops::{ControlFlow, Deref, DerefMut};
pub use core::option::Option::{self, None, Some};
pub use core::pin::{Pin, pin};
pub use core::primitive::bool;
pub use core::result::Result::{self, Err, Ok};
pub use core::unreachable;

/// Hands out what a scope holds, once. `chain!` has checked that it is there.
#[inline(always)]
pub fn taken<T>(slot: &mut Option<T>) -> T {
    slot.take().expect("chain!: a value was asked for before it was provided")
}

/// Asks what a type is, behind whatever name: `Probe::<T>::SHOWS`. For a type that is known an inherent constant goes before the one of a
/// trait.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<T>);

/// What the name of a type may hide.
#[derive(Clone, Copy, Debug)]
pub enum Shows {
    /// Nothing that a scope minds.
    Itself,
    /// It is a reference.
    Reference,
    /// It is `()`.
    Nothing,
}

// Each name is there once: of a type that is an error already, rustc would have another for two that are called alike.
impl<T: ?Sized> Probe<&T> {
    /// It is one.
    pub const IS_SHARED: bool = true;
    /// A reference.
    pub const SHOWS: Shows = Shows::Reference;
}
impl<T: ?Sized> Probe<&mut T> {
    /// It is one.
    pub const IS_MUTABLE: bool = true;
    /// A reference.
    pub const SHOWS: Shows = Shows::Reference;
}
impl Probe<()> {
    /// It is `()`.
    pub const IS_NOTHING: bool = true;
    /// Nothing.
    pub const SHOWS: Shows = Shows::Nothing;
}
impl<T> Probe<core::task::Poll<T>> {
    /// It is one.
    pub const IS_POLL: bool = true;
}
impl<R> Probe<(R, R)> {
    /// The one is the other.
    pub const IS_THE_REPLY: bool = true;
}
impl<R, E> Probe<(R, Result<R, E>)> {
    /// The one is the value of the other.
    pub const IS_ITS_VALUE: bool = true;
}
impl<F: Future + ?Sized> Probe<F> {
    /// A future.
    pub const IS_FUTURE: bool = true;
}

impl<T, E> Probe<Result<T, E>> {
    /// It is one.
    pub const IS_RESULT: bool = true;
    /// It provides or breaks.
    pub const FLOW: usize = 1;
}
impl<B, C> Probe<ControlFlow<B, C>> {
    /// It is one.
    pub const IS_CONTROL_FLOW: bool = true;
    /// It provides or breaks.
    pub const FLOW: usize = 2;
}

impl Probe<crate::flow::kind::Gives> {
    /// Whatever it returns is provided.
    pub const IS_PLAIN: bool = true;
}

impl Probe<crate::Toggles> {
    /// Switches have their place in it.
    pub const IS_TOGGLES: bool = true;
}

/// A field of a chain, asked whether it has the switches, under whatever name its type is known there.
#[derive(Debug)]
pub struct FieldOf<'a, T>(pub &'a T);

impl<'a> FieldOf<'a, crate::Toggles> {
    /// It has.
    #[inline(always)]
    #[must_use]
    pub const fn toggles(self) -> Option<&'a crate::Toggles> {
        Some(self.0)
    }
}

/// The field whose type is called `Toggles`.
#[inline(always)]
#[must_use]
pub const fn is_toggles(field: &crate::Toggles) -> &crate::Toggles {
    field
}

/// What any other field says.
pub trait WithoutToggles<'a>: Sized {
    /// It has none.
    #[inline(always)]
    fn toggles(self) -> Option<&'a crate::Toggles> {
        None
    }
}
impl<'a, T> WithoutToggles<'a> for FieldOf<'a, T> {}

/// The one that has it. That there is one, a check has seen.
#[inline(always)]
#[must_use]
pub fn one_of<T, const N: usize>(fields: [Option<&T>; N]) -> &T {
    fields.into_iter().flatten().next().expect("chain!: one of the fields has it")
}

impl Probe<crate::Shedding> {
    /// What is shed is known by it.
    pub const IS_SHEDDING: bool = true;
}

impl<'a> FieldOf<'a, crate::Shedding> {
    /// It is it.
    #[inline(always)]
    #[must_use]
    pub const fn shedding(self) -> Option<&'a crate::Shedding> {
        Some(self.0)
    }
}

/// The field whose type is called `Shedding`.
#[inline(always)]
#[must_use]
pub const fn is_shedding(field: &crate::Shedding) -> &crate::Shedding {
    field
}

/// What any other field says.
pub trait WithoutShedding<'a>: Sized {
    /// It is another.
    #[inline(always)]
    fn shedding(self) -> Option<&'a crate::Shedding> {
        None
    }
}
impl<'a, T> WithoutShedding<'a> for FieldOf<'a, T> {}

impl Probe<Tasks> {
    /// Work goes behind the request through it.
    pub const IS_TASKS: bool = true;
}

impl<'a> FieldOf<'a, Tasks> {
    /// It counts the work that outlives its request.
    #[inline(always)]
    #[must_use]
    pub const fn tasks(self) -> Option<&'a Tasks> {
        Some(self.0)
    }
}

/// What any other field says.
pub trait WithoutTasks<'a>: Sized {
    /// It does not.
    #[inline(always)]
    fn tasks(self) -> Option<&'a Tasks> {
        None
    }
}
impl<'a, T> WithoutTasks<'a> for FieldOf<'a, T> {}

/// The first that does, or the process's.
#[inline(always)]
#[must_use]
pub fn tasks_among<const N: usize>(fields: [Option<&Tasks>; N]) -> &Tasks {
    fields.into_iter().flatten().next().unwrap_or_else(|| tasks_of_process())
}

#[cfg(feature = "arc-swap")]
impl<T> Probe<crate::Reloadable<T>> {
    /// What it holds is lent in one version for each run.
    pub const IS_RELOADABLE: bool = true;
}

/// Says what a field is lent as in one version for each run, where the name of its type does not say whether it is a `Reloadable`.
pub trait Versioned<F, C: ?Sized, const AT: usize> {
    /// What is lent.
    type Held;
    /// What has it for the run.
    type Loaded: Deref<Target = Self::Held>;
    /// Begins a run.
    fn load(field: &F) -> Self::Loaded;
}

/// By what [`Probe`] says.
#[derive(Debug)]
pub struct VersionBy<const IS_RELOADABLE: bool>;

#[cfg(feature = "arc-swap")]
impl<T, C: ?Sized, const AT: usize> Versioned<crate::Reloadable<T>, C, AT> for VersionBy<true> {
    type Held = T;
    type Loaded = crate::Loaded<T>;
    #[inline(always)]
    fn load(field: &crate::Reloadable<T>) -> crate::Loaded<T> {
        field.load()
    }
}

impl<F, C: ?Sized, const AT: usize> Versioned<F, C, AT> for VersionBy<false> {
    type Held = Unversioned<AT>;
    type Loaded = Unversioned<AT>;
    #[inline(always)]
    fn load(_: &F) -> Unversioned<AT> {
        Unversioned
    }
}

/// What a field has that is no `Reloadable`. Nobody asks for it.
#[derive(Debug)]
pub struct Unversioned<const AT: usize>;

impl<const AT: usize> Deref for Unversioned<AT> {
    type Target = Self;
    fn deref(&self) -> &Self {
        self
    }
}

/// Whether it is `()`.
#[must_use]
pub const fn is_nothing(shows: Shows) -> bool {
    matches!(shows, Shows::Nothing)
}

/// Whether one of these is so.
#[must_use]
pub const fn one_is<const N: usize>(asked: [bool; N]) -> bool {
    let mut at = 0;
    while at < N {
        if asked[at] {
            return true;
        }
        at += 1;
    }
    false
}

/// What any other type is.
pub trait Plainly {
    /// Of what a node returns: 0 for a value, 1 for a `Result`, 2 for a `ControlFlow`, under whatever names.
    const FLOW: usize = 0;
    /// Of a field.
    const IS_RELOADABLE: bool = false;
    /// Of a field.
    const IS_TOGGLES: bool = false;
    /// Of a field.
    const IS_SHEDDING: bool = false;
    /// Of a field.
    const IS_TASKS: bool = false;
    /// Of any type.
    const IS_SHARED: bool = false;
    /// Of any type.
    const IS_NOTHING: bool = false;
    /// Of any type.
    const IS_MUTABLE: bool = false;
    /// Of any type.
    const IS_RESULT: bool = false;
    /// Of any type.
    const IS_CONTROL_FLOW: bool = false;
    /// Of how a node is read.
    const IS_PLAIN: bool = false;
    /// Itself.
    const SHOWS: Shows = Shows::Itself;
    /// Of two types: whether the first is the second, a chain's reply.
    const IS_THE_REPLY: bool = false;
    /// Whether it is the value of the second.
    const IS_ITS_VALUE: bool = false;
    /// Of any type.
    const IS_POLL: bool = false;
    /// Whether it is something that the second is made for.
    const IS_A_REPLY: bool = false;
    /// Not a future.
    const IS_FUTURE: bool = false;
    /// Of a reply: whether whatever can be converted becomes it, `()` as well.
    const IS_ANYTHING: bool = false;
    /// The same of what its last node gives: that is the value of a `Result`, which is not what nodes break with.
    const ENDS_WITH_ANYTHING: bool = false;
}
impl<T: ?Sized> Plainly for Probe<T> {}

/// That a field of a chain is what a segment of the chain declares it to be.
#[diagnostic::on_unimplemented(
    message = "a segment of this chain declares a field as `{T}`, and the chain has it as `{Self}`",
    label = "needs a `{T}`, not a `{Self}`",
    note = "give the field the type that the segment declares, or the segment another field"
)]
pub trait FieldOfSegment<T: ?Sized> {
    /// So it is.
    fn is_one() {}
}

impl<T: ?Sized> FieldOfSegment<T> for T {}

/// Stands for a type parameter while a chain is checked that has some: it has what a bound of core's traits asks for.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, Hash)]
pub struct Opaque<const P: usize>;

impl<const P: usize, const Q: usize> PartialEq<Opaque<Q>> for Opaque<P> {
    fn eq(&self, _: &Opaque<Q>) -> bool {
        P == Q
    }
}

impl<const P: usize, const Q: usize> PartialOrd<Opaque<Q>> for Opaque<P> {
    fn partial_cmp(&self, _: &Opaque<Q>) -> Option<core::cmp::Ordering> {
        P.partial_cmp(&Q)
    }
}

impl<const P: usize, T: ?Sized> AsRef<T> for Opaque<P> {
    fn as_ref(&self) -> &T {
        unreachable!("nothing is run with an opaque type")
    }
}

impl<const P: usize, T: ?Sized> AsMut<T> for Opaque<P> {
    fn as_mut(&mut self) -> &mut T {
        unreachable!("nothing is run with an opaque type")
    }
}

impl<const P: usize> core::str::FromStr for Opaque<P> {
    type Err = Self;
    fn from_str(_: &str) -> Result<Self, Self> {
        Err(Self)
    }
}

macro_rules! calculates {
    ($($operation:ident $function:ident)*) => { $(
        impl<const P: usize> core::ops::$operation for Opaque<P> {
            type Output = Self;
            fn $function(self, _: Self) -> Self {
                self
            }
        }
    )* };
}
calculates! { Add add Sub sub Mul mul Div div Rem rem BitAnd bitand BitOr bitor BitXor bitxor }

impl<const P: usize> core::fmt::Display for Opaque<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("an opaque type")
    }
}

impl<const P: usize> core::error::Error for Opaque<P> {}

/// What a chain's check falls back on whose bounds [`Opaque`] does not meet: nothing is known of it here.
pub trait Unchecked {
    /// Nothing is checked.
    const WIRED: () = ();
}
impl<T: ?Sized> Unchecked for T {}

/// A value of a node for its own `cancelled`, which asks for it by references to references.
#[inline(always)]
pub fn shared<T: ?Sized>(value: &T) -> &T {
    value
}

/// Lets go of it. Not the standard library's, of which rustc warns where there is nothing to let go of.
#[inline(always)]
pub fn drop<T>(_: T) {}

/// Stands for a node that has errors.
pub fn no_node<T>() -> T {
    unreachable!()
}

/// What a function gives: `<fn(&'r ()) -> Token as Returned>::It` is `Token<'r>`, and `Token` where that has no lifetime. A macro cannot tell the two
/// apart, and in the type of a function a lifetime may be left out.
///
/// With the chain's own type as a parameter, what it stands for is settled for rustc where it compares what is provided.
pub trait Returned<C: ?Sized = ()> {
    /// What it gives.
    type It: ?Sized;
}

impl<A, T: ?Sized, C: ?Sized> Returned<C> for fn(A) -> T {
    type It = T;
}

/// The body of a hook's form that the node does not have.
pub fn never_called<T>() -> T {
    unreachable!("chain!: a hook that never suspends is called, not awaited")
}

/// That the node `N` never suspends.
#[inline(always)]
pub const fn fits_fn<Pace: crate::node::pace::FitsFn<N>, N: ?Sized>() {}

/// Bytes of what a function of two arguments returns.
pub const fn future_of_2<A, B, F>(_: fn(A, B) -> F) -> usize {
    size_of::<F>()
}

/// Hands out what a scope holds itself, or one of its pages does.
#[inline(always)]
pub fn taken_of_two<T>(slot: &mut Option<T>, on_page: &mut Option<T>) -> T {
    match slot.take() {
        Some(value) => value,
        None => taken(on_page),
    }
}

/// Lends what is lent already, for a shorter time.
#[inline(always)]
pub fn lent_again<'a, T: ?Sized>(slot: &'a mut Option<&mut T>) -> Option<&'a mut T> {
    slot.as_deref_mut()
}

/// What a scope holds of a provided value, under a name that brings the scope no bound: rustc infers one for a plain reference, and
/// would report a type that is no node wherever the scope is mentioned.
pub trait Loan<'s> {
    /// `Option<&'s mut Self>`
    type Loan;
}

impl<'s, T: 's> Loan<'s> for T {
    type Loan = Option<&'s mut T>;
}

/// Eight loans.
pub type Chunk<A, B, C, D, E, F, G, H> =
    (Option<A>, Option<B>, Option<C>, Option<D>, Option<E>, Option<F>, Option<G>, Option<H>);

/// What eight nodes in a row provided, lent.
#[inline(always)]
pub fn all_lent<A, B, C, D, E, F, G, H>(refs: (A, B, C, D, E, F, G, H)) -> Chunk<A, B, C, D, E, F, G, H> {
    let (a, b, c, d, e, f, g, h) = refs;
    (Some(a), Some(b), Some(c), Some(d), Some(e), Some(f), Some(g), Some(h))
}

/// What eight nodes in a row have not provided yet.
#[inline(always)]
pub fn none_lent<A, B, C, D, E, F, G, H>() -> Chunk<A, B, C, D, E, F, G, H> {
    (None, None, None, None, None, None, None, None)
}

/// What a node provided that may have been skipped, lent to the node itself, which was not.
#[inline(always)]
pub fn not_skipped<'s, T>(place: crate::scope::place::Provided<'s, Option<T>>) -> &'s mut T {
    place.0.as_mut().expect("chain!: a value was asked for whose node was skipped")
}

/// `#[sample(..)]`
#[inline(always)]
pub fn sampled(share: crate::share::Share) -> bool {
    #[cfg(feature = "sample")]
    return share.sample();
    #[cfg(not(feature = "sample"))]
    unreachable!("{share:?}: `check::needs_chance` has refused it")
}

/// `#[split(..)]`
#[inline(always)]
pub fn takes(share: crate::share::Share, key: &crate::share::StickyKey, salt: &str) -> bool {
    #[cfg(feature = "split")]
    return share.takes(key, salt);
    #[cfg(not(feature = "split"))]
    unreachable!("{share:?} {key:?} {salt}: `check::predicate` has refused it")
}

pub use core::time::Duration;

#[cfg(feature = "telemetry")]
pub use crate::telemetry::NoAlloc;
/// Without counters, `check` refuses what would need them; this is there so that it is the only error.
#[cfg(not(feature = "telemetry"))]
#[derive(Debug)]
pub struct NoAlloc;

#[cfg(feature = "tokio")]
pub use limit::{Late, LimitKind, Tasks, behind, detach, finish, tasks_of_process, within};
#[cfg(not(feature = "tokio"))]
pub use no_limit::{Late, LimitKind, Tasks, behind, detach, finish, tasks_of_process, within};

#[cfg(feature = "tokio")]
mod limit {
    use core::future::Future;
    use core::pin::Pin;
    use core::time::Duration;

    pub use crate::around::Expired as Late;
    pub use crate::flow::kind::Fails as LimitKind;
    pub use crate::tasks::Tasks;

    /// Those of a chain that has none of its own.
    #[must_use]
    pub fn tasks_of_process() -> &'static Tasks {
        Tasks::of_process()
    }

    /// `#[cancel(finish)]`
    #[inline(always)]
    pub fn finish<'a, F>(tasks: &'a Tasks, node: &'static str, work: F) -> impl Future<Output = F::Output> + use<'a, F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tasks.finish(node, work)
    }

    /// `#[cancel(detach)]`
    #[inline(always)]
    pub fn detach<'a, F: Future + Send + 'static>(
        tasks: &'a Tasks,
        node: &'static str,
        work: F,
    ) -> impl Future<Output = ()> + use<'a, F> {
        tasks.detach(node, work)
    }

    /// `#[shed(.., detach)]`: whether there was a place behind the request.
    #[inline(always)]
    pub fn behind<F: Future + Send + 'static>(tasks: &Tasks, node: &'static str, work: F) -> bool {
        tasks.behind(node, work)
    }

    /// `#[timeout(..)]`
    #[inline(always)]
    pub async fn within<F: Future>(limit: Duration, future: Pin<&mut F>) -> Result<F::Output, Late> {
        crate::around::Deadline::within(limit).around(future).await
    }
}

/// Without a timer, `check` refuses what would need one; this is there so that it is the only error.
#[cfg(not(feature = "tokio"))]
mod no_limit {
    use core::future::Future;
    use core::pin::Pin;
    use core::time::Duration;

    pub use crate::flow::Never as Late;
    pub use crate::flow::kind::Gives as LimitKind;

    pub async fn within<F: Future>(_: Duration, future: Pin<&mut F>) -> Result<F::Output, Late> {
        Ok(future.await)
    }

    #[derive(Debug)]
    pub struct Tasks;

    pub fn tasks_of_process() -> &'static Tasks {
        &Tasks
    }

    pub async fn finish<F: Future>(_: &Tasks, _: &'static str, work: F) -> F::Output {
        work.await
    }

    pub async fn detach<F: Future>(_: &Tasks, _: &'static str, _: F) {}

    pub fn behind<F: Future>(_: &Tasks, _: &'static str, _: F) -> bool {
        false
    }
}
