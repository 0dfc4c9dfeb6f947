//! [`Listed`]: members that come as a whole list, again and again.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::member::{Changes, Generation, Member, Refused, is_name};
use super::registry::Registry;

/// The members of one list: a configuration, a file, the answer of a resolver. The list does not touch other members of
/// the registry.
///
/// They have no lease, and stay when this is dropped. To take them out, [replace](Self::replace) them by an empty list.
/// This holds the registry, so it can be stored beside it.
///
/// ```
/// use chain_runtime::upstream::{Member, Registry};
///
/// let registry = Registry::new();
/// let mut listed = registry.listed();
/// listed.replace(["a", "b"].map(|name| Member::new(name, 80)))?;
///
/// let changes = listed.replace([Member::new("b", 80).weight(2), Member::new("c", 80)])?;
/// assert_eq!((changes.added, changes.removed, changes.reweighed), (1, 1, 1));
/// let now = registry.snapshot();
/// assert!(now.members().iter().map(|entry| entry.seat().name()).eq(["b", "c"]));
/// # Ok::<(), chain_runtime::upstream::Refused>(())
/// ```
pub struct Listed<T> {
    registry: Registry<T>,
    members: BTreeMap<Arc<str>, Generation>,
}

impl<T> Registry<T> {
    /// Members that come as a list.
    #[must_use]
    pub fn listed(&self) -> Listed<T> {
        Listed::new(Self::of(Arc::clone(&self.shared)))
    }
}

impl<T> Listed<T> {
    pub(super) const fn new(registry: Registry<T>) -> Self {
        Self { registry, members: BTreeMap::new() }
    }

    /// Makes this list the current one, in one change.
    ///
    /// - New members are registered. Members that are no longer in the list are removed: no new requests begin there,
    ///   and requests in flight go on.
    /// - A member that is the same, apart from its weight, keeps its generation, its seat and its state. If it was
    ///   drained, it stays so.
    /// - Endpoints are compared under the registry's lock, so the comparison must not call the registry.
    /// - A name belongs to the list or the call that registered it last. If two lists have one name, it is gone when
    ///   the later list drops it. If another owner has registered a member of the previous list meanwhile, that member
    ///   is not removed by this list, and is registered anew if this list names it.
    ///
    /// While a task [keeps](Registry::keep) the registry, its snapshot shows the list up to a spacing later;
    /// [`Registry::publish`] shows it at once.
    ///
    /// # Errors
    ///
    /// If a name is invalid or is there twice, or if there would be too many members. Nothing is changed then.
    pub fn replace(&mut self, list: impl IntoIterator<Item = Member<T>>) -> Result<Changes, Refused>
    where
        T: PartialEq,
    {
        let Self { registry, members } = self;
        let list = by_name(list, registry.limit());
        let replaced = list.and_then(|mut list| registry.change(|book, now| book.replace(members, &mut list, now)));
        let totals = &mut registry.lock().book.totals;
        *(if replaced.is_ok() { &mut totals.lists_taken } else { &mut totals.lists_refused }) += 1;
        replaced
    }
}

fn by_name<T>(
    list: impl IntoIterator<Item = Member<T>>,
    limit: usize,
) -> Result<BTreeMap<Arc<str>, Option<Member<T>>>, Refused> {
    let mut members = BTreeMap::new();
    for member in list {
        if members.len() == limit {
            return Err(Refused::Full { limit });
        }
        if !is_name(&member.name) {
            return Err(Refused::Name(member.name));
        }
        let name = Arc::clone(&member.name);
        if members.insert(Arc::clone(&name), Some(member)).is_some() {
            return Err(Refused::Twice(name));
        }
    }
    Ok(members)
}

impl<T> fmt::Debug for Listed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed").field("members", &self.members).finish_non_exhaustive()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, removed, reweighed, kept } = self;
        write!(f, "{added} added, {removed} removed, {reweighed} with another weight, {kept} kept")
    }
}
