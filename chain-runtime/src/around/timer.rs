//! Where the around nodes take their time from.

use core::future::Future;
use std::time::Instant;

/// A clock, and futures that are ready when it shows a given time.
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
    message = "`{Self}` is not a timer",
    note = "implement `chain_runtime::around::Timer` for it, or use `TokioTimer` with the feature `tokio`"
)]
pub trait Timer {
    /// Is ready at its time or later. Dropping it must leave nothing behind.
    type Sleep: Future<Output = ()>;

    /// A future that is ready once [`now`](Self::now) is `at` or later: at once, if it is already.
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// What the clock shows. A timer whose time is not the machine's overrides it.
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
/// A sleep is made only where something has to wait. That panics outside of a tokio runtime, or in one without time enabled.
///
/// A sleep does not take part in tokio's cooperative budget: a block that uses all of it up in each poll would otherwise never
/// be found to be late.
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
