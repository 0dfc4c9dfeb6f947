//! [`SharedMembers::keep`]: a process that stays a member as long as it lives.

use core::fmt;

use tokio::time::sleep;

use super::{NotRegistered, SharedMembers, Unchanged};
use crate::upstream::{Member, Registration};

/// What happened to a member that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kept {
    /// It is registered.
    Registered(Registration),
    /// It was not registered, and will be tried again.
    NotRegistered(NotRegistered),
    /// Its heartbeats do not get through, or its registration is gone. It goes on, or is registered anew.
    Unchanged(Unchanged),
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered(registration) => write!(f, "{registration} is registered"),
            Self::NotRegistered(why) => write!(f, "not registered: {why}"),
            Self::Unchanged(why) => write!(f, "not renewed: {why}"),
        }
    }
}

impl SharedMembers {
    /// Registers a member, renews it three times in a lease, and registers it anew if its registration is gone. It
    /// takes the member out and completes when `end` does. `told` is told of changes.
    ///
    /// Dropping the future does not take the member out: the lease ends by itself.
    ///
    /// Two processes that keep the same name take it from each other, with a new generation each time.
    pub async fn keep<E: fmt::Display>(
        &self,
        member: &Member<E>,
        end: impl Future<Output = ()>,
        mut told: impl FnMut(&Kept),
    ) {
        let mut registered = None;
        {
            let renewed = self.renew(member, &mut registered, &mut told);
            tokio::select! {
                () = renewed => {}
                () = end => {}
            }
        }
        if let Some(registration) = registered {
            // If this fails, the lease ends by itself.
            let _ = self.remove(&registration).await;
        }
    }

    /// Renews for ever.
    async fn renew<E: fmt::Display>(
        &self,
        member: &Member<E>,
        registered: &mut Option<Registration>,
        told: &mut impl FnMut(&Kept),
    ) {
        let (often, soon) = (self.lease / 3, self.lease / 20);
        // The same event is not told again until another one was told.
        let mut last = None;
        let mut tell = |what: Kept| {
            if last.as_ref() != Some(&what) {
                told(&what);
                last = Some(what);
            }
        };
        loop {
            let Some(registration) = registered else {
                match self.register(member).await {
                    Ok(registration) => {
                        tell(Kept::Registered(registration.clone()));
                        *registered = Some(registration);
                        sleep(often).await;
                    }
                    Err(why) => {
                        tell(Kept::NotRegistered(why));
                        sleep(soon).await;
                    }
                }
                continue;
            };
            match self.heartbeat(registration).await {
                Ok(()) => {
                    tell(Kept::Registered(registration.clone()));
                    sleep(often).await;
                }
                Err(Unchanged::Gone(gone)) => {
                    tell(Kept::Unchanged(Unchanged::Gone(gone)));
                    *registered = None;
                }
                Err(away) => {
                    tell(Kept::Unchanged(away));
                    sleep(soon).await;
                }
            }
        }
    }
}
