//! Chains with type parameters, of which the macro knows no types.

use super::*;

struct In<S>(S);
trait Store {
    fn put(&self, event: Event) -> usize;
}
impl Store for Queue {
    fn put(&self, event: Event) -> usize {
        push(event, self)
    }
}
#[node]
fn put<S: Store>(event: Event, store: &In<S>) -> usize {
    store.0.put(event)
}
#[node]
fn made<T: Default>() -> Made<T> {
    Made(T::default())
}
struct Made<T>(T);
#[node]
fn unmade<T>(made: Made<T>) -> T {
    made.0
}

chain! {
    struct OfAStore<S: Store> { store: In<S> }

    fn(line: Line) -> usize {
        read => put::<S>
    }
}
chain! {
    #[check(Queue)]
    struct Checked<S: Store> { store: In<S> }

    fn(line: Line) -> usize {
        read => nothing => put::<S>
    }
}
chain! {
    struct Default_<T: Default> { of: PhantomData<T> }

    fn() -> T {
        made::<T> => unmade::<T>
    }
}

#[test]
fn a_chain_with_type_parameters_takes_as_well() {
    assert_eq!(OfAStore { store: In(Queue::default()) }.run(Line("a")), 1);
    assert_eq!(Checked { store: In(Queue::default()) }.run(Line("a")), 1);
    assert_eq!(Default_::<u32> { of: PhantomData }.run(), 0);
}

struct Word(u64);
#[node]
fn word() -> Word {
    Word(7)
}
#[node]
async fn lent(word: &Word) -> u64 {
    suspend(1).await;
    word.0
}
#[node]
async fn takes(word: Word) -> u64 {
    suspend(1).await;
    word.0
}
/// Of its `enter` the macro knows nothing, so it may take anything.
struct Hooks;
#[node]
impl Hooks {
    fn enter(&self) {}
}

chain! {
    struct Lends<T> { of: PhantomData<T>, hooks: Hooks }
    async fn() -> u64 { word => hooks => lent }
}
chain! {
    struct Takes<T> { of: PhantomData<T>, hooks: Hooks }
    async fn() -> u64 { word => hooks => takes }
}
chain! {
    struct LendsHere { hooks: Hooks }
    async fn() -> u64 { word => hooks => lent }
}
chain! {
    struct FunctionsLend;
    async fn() -> u64 { word => lent }
}
chain! {
    struct FunctionsTake;
    async fn() -> u64 { word => takes }
}

#[test]
fn only_what_is_taken_has_a_flag() {
    let flag = size_of::<Option<Word>>() - size_of::<Word>();
    let lends = Lends::<()>::future_size() - Lends::<()>::node_sizes()[2];
    let takes = Takes::<()>::future_size() - Takes::<()>::node_sizes()[2];
    assert_eq!(takes, lends + flag);
    assert_eq!(LendsHere::future_size(), Lends::<()>::future_size());
}

#[test]
fn among_functions_nothing_has_a_flag() {
    // It is moved into the function's own future, and has no place of its own any more.
    let chains = FunctionsTake::future_size() - FunctionsTake::node_sizes()[1];
    assert_eq!(chains + size_of::<Word>(), FunctionsLend::future_size() - FunctionsLend::node_sizes()[1]);
}
