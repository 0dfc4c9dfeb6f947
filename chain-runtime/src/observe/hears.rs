//! The two kinds of observers: a type, whose value is made anew for each run, and a field, which is lent to the run.

use core::marker::PhantomData;

use super::{Observer, Observes, Told};
use crate::describe::{ChainInfo, Ending};

/// Hears of runs, of each by itself.
pub trait Hears {
    /// What is kept of one run.
    type Run;
    /// Whether it listens at all.
    const HEARS: bool = true;
    /// A run begins.
    fn begin(&self, chain: &'static ChainInfo) -> Self::Run;
    /// Something happened in the run.
    fn tell(&self, run: &mut Self::Run, told: Told);
    /// The run is over.
    fn end(&self, run: &mut Self::Run, ending: Option<&'static Ending>);
}

/// Hears of runs that several places in the run's code tell of.
pub trait HearsShared: Hears {
    /// Something happened in the run.
    fn tell_shared(&self, run: &Self::Run, told: Told);
}

/// A field, lent to a run.
#[derive(Debug)]
pub struct Lent<'r, T: ?Sized>(&'r T);

impl<T: Observes + ?Sized> Hears for Lent<'_, T> {
    type Run = T::Run;
    const HEARS: bool = T::HEARS;

    #[inline(always)]
    fn begin(&self, chain: &'static ChainInfo) -> T::Run {
        self.0.begin(chain)
    }
    #[inline(always)]
    fn tell(&self, run: &mut T::Run, told: Told) {
        self.0.tell(run, told);
    }
    #[inline(always)]
    fn end(&self, run: &mut T::Run, ending: Option<&'static Ending>) {
        self.0.end(run, ending);
    }
}

impl<T: Observes + ?Sized> HearsShared for Lent<'_, T> {
    #[inline(always)]
    fn tell_shared(&self, run: &T::Run, told: Told) {
        self.0.tell(run, told);
    }
}

/// A type whose value is made anew for each run.
#[derive(Debug)]
pub struct ByType<O>(PhantomData<fn() -> O>);

impl<O: Observer> Hears for ByType<O> {
    /// `None` once the run is over.
    type Run = Option<O>;

    #[inline(always)]
    fn begin(&self, chain: &'static ChainInfo) -> Option<O> {
        Some(O::begin(chain))
    }
    #[inline(always)]
    fn tell(&self, run: &mut Option<O>, told: Told) {
        if let Some(observer) = run {
            tell(observer, told);
        }
    }
    #[inline(always)]
    fn end(&self, run: &mut Option<O>, ending: Option<&'static Ending>) {
        if let Some(observer) = run.take() {
            observer.end(ending);
        }
    }
}

/// The same, for a chain with a node around a block. The node's code and its block never use the value at the same
/// time, but rustc cannot know that. Without `std` there is no lock, and the future of such a chain stays on its
/// thread.
#[derive(Debug)]
pub struct ByTypeShared<O>(PhantomData<fn() -> O>);

#[cfg(feature = "std")]
type Shared<O> = std::sync::Mutex<Option<O>>;
#[cfg(not(feature = "std"))]
type Shared<O> = core::cell::RefCell<Option<O>>;

impl<O: Observer> Hears for ByTypeShared<O> {
    type Run = Shared<O>;

    #[inline(always)]
    fn begin(&self, chain: &'static ChainInfo) -> Shared<O> {
        Shared::new(Some(O::begin(chain)))
    }
    #[inline(always)]
    fn tell(&self, run: &mut Shared<O>, told: Told) {
        self.tell_shared(run, told);
    }
    #[inline(always)]
    fn end(&self, run: &mut Shared<O>, ending: Option<&'static Ending>) {
        // If the observer itself panicked, its panic is under way already. It is still told what comes after.
        #[cfg(feature = "std")]
        let run = run.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        let run = run.get_mut();
        ByType(PhantomData).end(run, ending);
    }
}

impl<O: Observer> HearsShared for ByTypeShared<O> {
    #[inline(always)]
    fn tell_shared(&self, run: &Shared<O>, told: Told) {
        #[cfg(feature = "std")]
        let mut run = run.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        let mut run = run.borrow_mut();
        ByType(PhantomData).tell(&mut run, told);
    }
}

/// Both are told, one after the other.
impl<A: Hears, B: Hears> Hears for (A, B) {
    type Run = (A::Run, B::Run);
    const HEARS: bool = A::HEARS || B::HEARS;

    #[inline(always)]
    fn begin(&self, chain: &'static ChainInfo) -> Self::Run {
        (self.0.begin(chain), self.1.begin(chain))
    }
    #[inline(always)]
    fn tell(&self, run: &mut Self::Run, told: Told) {
        self.0.tell(&mut run.0, told);
        self.1.tell(&mut run.1, told);
    }
    #[inline(always)]
    fn end(&self, run: &mut Self::Run, ending: Option<&'static Ending>) {
        self.0.end(&mut run.0, ending);
        self.1.end(&mut run.1, ending);
    }
}

impl<A: HearsShared, B: HearsShared> HearsShared for (A, B) {
    #[inline(always)]
    fn tell_shared(&self, run: &Self::Run, told: Told) {
        self.0.tell_shared(&run.0, told);
        self.1.tell_shared(&run.1, told);
    }
}

#[inline(always)]
fn tell<O: Observer>(observer: &mut O, told: Told) {
    match told {
        Told::Enter(node) => observer.enter(node),
        Told::Entered(node) => observer.entered(node),
        Told::Broke(node) => observer.broke(node),
        Told::Leave(node) => observer.leave(node),
        Told::Left(node) => observer.left(node),
        Told::Suspend(node, way) => observer.suspend(node, way),
        Told::Resume(node, way) => observer.resume(node, way),
        Told::Cancelled(node) => observer.cancelled(node),
        Told::Panicked(node, way) => observer.panicked(node, way),
        Told::Skipped(node) => observer.skipped(node),
        Told::Late(node) => observer.late(node),
        Told::Opened(node) => observer.opened(node),
        Told::Detached(node) => observer.detached(node),
        Told::Shed(index) => observer.shed(index),
        Told::Block(block) => observer.block(block),
        Told::Stretch(next) => observer.stretch(next),
    }
}

/// Asks whether a type observes. The inherent items here have bounds; if these do not hold, [`Otherwise`] answers. So a
/// chain that names a wrong observer compiles except for the one error that says so.
#[derive(Debug)]
pub struct Asked<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Asked<T> {
    /// Asks about this type.
    pub const NEW: Self = Self(PhantomData);
}
impl<T: Observer> Asked<T> {
    /// It can be made for a run.
    pub const IS_OBSERVER: bool = true;
    /// What hears of a run, if no other place in the run reaches it.
    #[inline(always)]
    #[must_use]
    pub const fn by_type(&self) -> ByType<T> {
        ByType(PhantomData)
    }
    /// The same, if several places in the run reach it.
    #[inline(always)]
    #[must_use]
    pub const fn by_type_shared(&self) -> ByTypeShared<T> {
        ByTypeShared(PhantomData)
    }
}
impl<T: Observes> Asked<T> {
    /// It can be lent to a run.
    pub const OBSERVES: bool = true;
    /// Lends it.
    #[inline(always)]
    pub const fn field<'r>(&self, field: &'r T) -> Lent<'r, T> {
        Lent(field)
    }
}

/// The answers for every other type.
pub trait Otherwise<T: ?Sized> {
    /// It is no observer.
    const IS_OBSERVER: bool = false;
    /// It does not observe.
    const OBSERVES: bool = false;
    /// Hears nothing.
    fn by_type(&self) -> Lent<'static, ()> {
        Lent(&())
    }
    /// Hears nothing.
    fn by_type_shared(&self) -> Lent<'static, ()> {
        Lent(&())
    }
    /// Hears nothing.
    fn field(&self, _: &T) -> Lent<'static, ()> {
        Lent(&())
    }
}
impl<T: ?Sized> Otherwise<T> for Asked<T> {}
