//! [`Source`]: gives lists of members.

#[cfg(feature = "hickory-resolver")]
mod dns;
mod file;
mod text;

use core::fmt;
use core::future::Future;
use std::vec::Vec;

#[cfg(feature = "hickory-resolver")]
pub use dns::{Asked, Dns, DnsError, Family, Isolation, Resolved, Resolver};
pub use file::{File, FileError};
pub use text::{Mistake, Mistakes, read_members};

use super::member::{Changes, Member, Refused};
use super::registry::Registry;

/// Gives whole lists of members, one after another.
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::upstream::{Member, Source};
///
/// /// Doubles the number of shards each minute.
/// struct Growing(u32);
///
/// impl Source<u32> for Growing {
///     type Error = std::convert::Infallible;
///
///     async fn next(&mut self) -> Option<Result<Vec<Member<u32>>, Self::Error>> {
///         if self.0 > 1 {
///             tokio::time::sleep(Duration::from_secs(60)).await;
///         }
///         self.0 *= 2;
///         Some(Ok((0..self.0).map(|shard| Member::new(format!("shard-{shard}"), shard)).collect()))
///     }
/// }
/// ```
pub trait Source<T> {
    /// Why there is no list.
    type Error;

    /// Completes when there is a list, or an error, that differs from the last one; the first call completes with what
    /// there is now. `None` says that nothing more will come.
    ///
    /// An error is not the end: the members stay as they are, and the source is asked again. So the source has to wait
    /// by itself before it tries again.
    ///
    /// If a future is dropped, nothing is lost: the next future gives what the dropped one would have given.
    fn next(&mut self) -> impl Future<Output = Option<Result<Vec<Member<T>>, Self::Error>>> + Send;
}

/// What happened to a source's list.
#[derive(Debug)]
pub enum Told<E> {
    /// The list was taken, with these changes.
    Taken(Changes),
    /// The registry refuses the list. The members are as before.
    Refused(Refused),
    /// There was no list. The members are as before.
    Failed(E),
}

impl<E: fmt::Display> fmt::Display for Told<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(changes) => changes.fmt(f),
            Self::Refused(refused) => write!(f, "the members stay as they are: {refused}"),
            Self::Failed(error) => write!(f, "the members stay as they are: {error}"),
        }
    }
}

/// A fixed list.
///
/// ```
/// # use chain_runtime::upstream::{Member, Registry, Static};
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let registry = Registry::new();
/// registry.follow(Static::new(["a", "b"].map(|name| Member::new(name, 80))), |told| println!("{told}")).await;
/// assert_eq!(registry.snapshot().members().len(), 2);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Static<T>(Option<Vec<Member<T>>>);

impl<T> Static<T> {
    /// These members.
    pub fn new(members: impl IntoIterator<Item = Member<T>>) -> Self {
        Self(Some(members.into_iter().collect()))
    }
}

impl<T: Send> Source<T> for Static<T> {
    type Error = core::convert::Infallible;

    async fn next(&mut self) -> Option<Result<Vec<Member<T>>, Self::Error>> {
        self.0.take().map(Ok)
    }
}

impl<T> Registry<T> {
    /// Makes the members what the source says, with each list, as [`Listed`](super::Listed) does. `told` hears what
    /// happened to the list.
    ///
    /// It completes when nothing more will come. The members then stay, and also if this future is dropped.
    pub async fn follow<S: Source<T>>(&self, mut source: S, mut told: impl FnMut(&Told<S::Error>))
    where
        T: PartialEq,
    {
        let mut listed = self.listed();
        while let Some(next) = source.next().await {
            told(&match next.map(|list| listed.replace(list)) {
                Ok(Ok(changes)) => Told::Taken(changes),
                Ok(Err(refused)) => Told::Refused(refused),
                Err(error) => {
                    self.lock().book.totals.lists_failed += 1;
                    Told::Failed(error)
                }
            });
        }
    }
}
