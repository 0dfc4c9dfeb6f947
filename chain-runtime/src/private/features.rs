//! What attributes need of a feature. Without the feature, `check` refuses them, and what stands here in its place
//! leaves only that error.

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

#[cfg(feature = "telemetry")]
pub use crate::telemetry::NoAlloc;
/// Without counters, `check` refuses what would need them. This item is there so that there is only that error.
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

    /// The tasks of a chain that has no `Tasks` of its own.
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

    /// `#[shed(.., detach)]`. Returns whether there was a place behind the request.
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

/// Without a timer, `check` refuses what would need one. This item is there so that there is only that error.
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
