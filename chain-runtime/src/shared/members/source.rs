//! [`SharedSource`]: the members of a group, for a registry to follow.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use tokio::time::Instant;

use super::{LIST, SharedMembers, line};
use crate::shared::redis::Away;
use crate::upstream::{Member, Source};

/// The number of polls in a lease.
const POLLS: u32 = 20;

/// The longest time between two polls.
const SLOWEST: Duration = Duration::from_millis(500);

/// The members of a group of [`SharedMembers`].
///
/// It asks for the version twice a second, or twenty times in a lease, and for the list if the version has changed.
/// While Redis is away, members stay as they are. This is told once. If Redis has lost its data, members that were in
/// the list before stay in it for one lease, until they have registered again.
///
/// # Panics
///
/// [`next`](Source::next) panics outside of a tokio runtime with its timer.
#[derive(Debug)]
pub struct SharedSource<T> {
    members: SharedMembers,
    /// Whether there was a first answer, or its absence was told.
    has_told: bool,
    is_away: bool,
    since: String,
    version: String,
    /// The registered members.
    listed: Vec<Member<T>>,
    /// The members that were registered when Redis lost its data, and until when they stay.
    kept: Option<(Vec<Member<T>>, Instant)>,
    skipped: u64,
    read: PhantomData<fn() -> T>,
}

impl SharedMembers {
    /// The registered members, for a [`Registry`](crate::upstream::Registry) to follow. Endpoints are parsed from their
    /// text.
    #[must_use]
    pub fn source<T>(&self) -> SharedSource<T> {
        SharedSource {
            members: self.clone(),
            has_told: false,
            is_away: false,
            since: String::new(),
            version: String::new(),
            listed: Vec::new(),
            kept: None,
            skipped: 0,
            read: PhantomData,
        }
    }
}

impl<T> SharedSource<T> {
    /// How many entries were no member, counted each time that a list was read.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Takes a list, and returns whether the members may have changed.
    fn take(&mut self, said: Vec<String>, now: Instant) -> Result<bool, Away>
    where
        T: FromStr<Err: fmt::Display> + Clone,
    {
        let mut said = said.into_iter();
        let (Some(since), Some(version)) = (said.next(), said.next()) else {
            return Err(Away::because("an answer of another shape"));
        };
        let was_kept = self.kept.take_if(|(_, until)| *until <= now).is_some();
        if (&since, &version) == (&self.since, &self.version) {
            return Ok(was_kept);
        }
        let mut listed = BTreeMap::new();
        for entry in said {
            match line::read::<T>(&entry) {
                Some(member) => drop(listed.insert(Arc::clone(&member.name), member)),
                None => self.skipped += 1,
            }
        }
        let before = core::mem::replace(&mut self.listed, listed.into_values().collect());
        if !self.since.is_empty() && since != self.since {
            let mut all = before;
            if let Some((kept, _)) = self.kept.take() {
                all.extend(kept);
            }
            self.kept = Some((all, now + self.members.lease));
        }
        (self.since, self.version) = (since, version);
        Ok(true)
    }

    /// All members: those that are registered, and those that are kept besides.
    fn all(&self) -> Vec<Member<T>>
    where
        T: Clone,
    {
        let kept = self.kept.iter().flat_map(|(kept, _)| kept);
        let mut all = BTreeMap::new();
        for member in self.listed.iter().chain(kept) {
            all.entry(Arc::clone(&member.name)).or_insert_with(|| member.clone());
        }
        all.into_values().collect()
    }
}

impl<T: FromStr<Err: fmt::Display> + Clone + Send + Sync> Source<T> for SharedSource<T> {
    type Error = Away;

    async fn next(&mut self) -> Option<Result<Vec<Member<T>>, Away>> {
        let poll = (self.members.lease / POLLS).min(SLOWEST);
        loop {
            if self.has_told {
                tokio::time::sleep(poll).await;
            }
            let asks = [self.version.clone(), self.since.clone()];
            let said = self.members.run::<Vec<String>>(&LIST, asks).await;
            // From here on nothing is awaited, so that every noted change is told.
            self.has_told = true;
            match said.and_then(|said| self.take(said, Instant::now())) {
                Ok(false) => self.is_away = false,
                Ok(true) => {
                    self.is_away = false;
                    return Some(Ok(self.all()));
                }
                Err(_) if self.is_away => {}
                Err(away) => {
                    self.is_away = true;
                    return Some(Err(away));
                }
            }
        }
    }
}
