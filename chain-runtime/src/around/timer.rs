//! The clock of the around nodes.

use core::future::Future;
use std::time::Instant;

/// A clock, and futures that become ready when it shows a given time.
///
/// ```
/// use std::future::{Ready, ready};
/// use std::time::Instant;
///
/// use chain_runtime::around::Timer;
///
/// /// For a test in which nothing has to wait.
/// struct Impatient;
///
/// impl Timer for Impatient {
///     type Sleep = Ready<()>;
///
///     fn sleep_until(&self, _: Instant) -> Self::Sleep { ready(()) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "chain[E803]: `{Self}` is not a timer",
    note = "implement `chain_runtime::around::Timer` for it, or use `TokioTimer` with the feature `tokio`"
)]
pub trait Timer {
    /// A future that is ready at its time or later. Dropping it has to leave nothing behind.
    type Sleep: Future<Output = ()>;

    /// A future that is ready once [`now`](Self::now) is `at` or later: at once, if it is already.
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// The time that the clock shows. A timer with a time other than the machine's overrides it.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

impl<T: Timer + ?Sized> Timer for &T {
    type Sleep = T::Sleep;

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        (**self).sleep_until(at)
    }

    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// Tokio's timer, and tokio's clock, which a test can pause.
///
/// A sleep is made only when something has to wait. Making one panics outside of a tokio runtime, and in a runtime
/// without time enabled.
///
/// A sleep does not take part in tokio's cooperative budget: otherwise a block that uses up all of the budget in each
/// poll would never be found to be late.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

#[cfg(feature = "tokio")]
impl Timer for TokioTimer {
    type Sleep = tokio::task::coop::Unconstrained<tokio::time::Sleep>;

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        tokio::task::coop::unconstrained(tokio::time::sleep_until(at.into()))
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// Stands for the default timer without the feature `tokio`. There is none then, so a node with this one cannot be
/// made.
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum NoTimer {}

#[cfg(not(feature = "tokio"))]
impl Timer for NoTimer {
    type Sleep = core::future::Pending<()>;

    fn sleep_until(&self, _: Instant) -> Self::Sleep {
        match *self {}
    }
}

/// It is asked where no timer is named, so that the error stands there and names the feature. Nothing implements it.
///
/// ```compile_fail,E0277
/// let _: chain_runtime::around::Deadline = chain_runtime::around::Deadline::within(std::time::Duration::from_secs(1));
/// ```
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "chain[E512]: tokio's timer needs the feature `tokio` of chain-runtime",
    label = "no timer is named here",
    note = "enable the feature in Cargo.toml, or name a timer of your own: `within_on(timer, ..)`, `new_on(timer, ..)`"
)]
pub trait IsEnabled {}
