//! What plain Rust implies from the types of a function or a struct, a node and a chain imply as well.

#![allow(
    clippy::needless_lifetimes,
    clippy::extra_unused_lifetimes,
    mismatched_lifetime_syntaxes,
    reason = "it is what is tested"
)]

use std::pin::Pin;

use chain_runtime::{chain, node};

#[derive(Debug, PartialEq)]
pub struct Reply(pub usize);

trait Store {
    fn get(&self) -> usize;
}

#[derive(Debug)]
struct Db;

impl Store for Db {
    fn get(&self) -> usize {
        7
    }
}

struct Held<T>(T);

/// That `T` outlives a lifetime follows from a field.
mod lifetimes_of_a_chain {
    use super::*;

    struct Borrows<'a, T>(&'a T);
    struct Other<'a, T>(&'a T);

    #[node]
    fn get<T: Store>(held: &Borrows<'_, T>) -> Reply {
        Reply(held.0.get())
    }

    #[node]
    fn lent<T: Store>(held: &Held<T>) -> Reply {
        Reply(held.0.get())
    }

    chain! { #[check(Db)] struct InAField<'c, T: Store> { db: Borrows<'c, T> } fn() -> Reply { get::<T> } }
    chain! { struct ByReference<'c, T: Store> { db: &'c Held<T> } fn() -> Reply { lent::<T> } }
    chain! { struct OfTwo<'a, 'b, T: Store, U: Clone> { db: Borrows<'a, T>, other: Other<'b, U> } fn() -> Reply { get::<T> } }

    #[test]
    fn are_implied_by_its_fields() {
        assert_eq!(InAField { db: Borrows(&Db) }.run(), Reply(7));
        assert_eq!(ByReference { db: &Held(Db) }.run(), Reply(7));
        let chain = OfTwo { db: Borrows(&Db), other: Other(&1_u8) };
        assert_eq!((chain.run(), *chain.other.0), (Reply(7), 1));
    }
}

/// A node's parameter is asked to outlive a lifetime of the function.
mod lifetimes_of_a_node {
    use super::*;

    struct Of<'a, T: 'a>(&'a T);

    trait Visits<'a> {}
    impl Visits<'_> for Db {}

    #[node]
    fn inline<'a, T: Store + 'a>(held: &'a Held<T>) -> Option<&'a T> {
        Some(&held.0)
    }

    #[node]
    fn in_a_clause<'a, T>(held: &'a Held<T>) -> Of<'a, T>
    where
        T: Store + 'a,
    {
        Of(&held.0)
    }

    #[node]
    fn with_a_lifetime<'a, T: Store + Visits<'a>>(found: &Option<&'a T>) -> usize {
        found.map_or(0, Store::get)
    }

    #[node]
    fn hidden<T: Store>(of: &Of<T>, count: &usize) -> Reply {
        Reply(of.0.get() + count)
    }

    chain! { struct Gateway { db: Held<Db> } fn() -> Reply { inline::<Db> => in_a_clause::<Db> => with_a_lifetime::<Db> => hidden::<Db> } }
    chain! { struct Any<S: Store> { db: Held<S> } fn(count: usize) -> Reply { in_a_clause::<S> => hidden::<S> } }

    #[test]
    fn may_be_asked_of_its_parameters() {
        assert_eq!(Gateway { db: Held(Db) }.run(), Reply(14));
        assert_eq!(Any { db: Held(Db) }.run(1), Reply(8));
    }
}

mod sizes {
    use super::*;

    struct Boxed<T: ?Sized>(Box<T>);

    #[node]
    impl<T: ?Sized + Store> Boxed<T> {
        fn enter(&self) -> usize {
            self.0.get()
        }
    }

    #[node]
    fn reply(got: &usize) -> Reply {
        Reply(*got)
    }

    chain! { struct Inline<T: ?Sized + Store> { db: Boxed<T> } fn() -> Reply { db => reply } }
    chain! { struct InAClause<T> where T: ?Sized + Store { db: Boxed<T> } fn() -> Reply { db => reply } }

    #[test]
    fn of_a_parameter_may_be_unknown() {
        let db: Box<dyn Store> = Box::new(Db);
        assert_eq!(Inline { db: Boxed(db) }.run(), Reply(7));
        assert_eq!(InAClause { db: Boxed(Box::new(Db)) }.run(), Reply(7));
    }
}

/// A field that refers to its node, or holds it elsewhere.
mod pointers {
    use std::rc::Rc;
    use std::sync::Arc;

    use super::*;

    struct Log(usize);

    #[node]
    impl Log {
        fn enter(&self) -> Held<usize> {
            Held(self.0)
        }
        fn exit(&self, reply: &mut Reply) {
            reply.0 += 100;
        }
    }

    #[node]
    fn reply(held: &Held<usize>) -> Reply {
        Reply(held.0)
    }

    #[node]
    fn whole(log: &Log) -> Reply {
        Reply(log.0)
    }

    chain! { struct Borrowed<'c> { log: &'c Log } fn() -> Reply { log => reply } }
    chain! { struct Lent<'c> { log: &'c Log } fn() -> Reply { log => whole } }
    chain! { struct Forever { log: &'static Log } fn() -> Reply { log => reply } }
    chain! { struct Boxed { log: Box<Log> } fn() -> Reply { log => reply } }
    chain! { #[send] struct Counted { log: Arc<Log> } async fn() -> Reply { log => reply } }
    chain! { struct Local { log: Rc<Log> } fn() -> Reply { log => reply } }
    chain! { segment logged(log: Arc<Log>) { log => reply } }
    chain! { struct Shared { log: Arc<Log> } fn() -> Reply { ..logged } }

    #[tokio::test]
    async fn lead_to_a_node() {
        static LOG: Log = Log(3);
        assert_eq!((Borrowed { log: &LOG }.run(), Lent { log: &Log(2) }.run()), (Reply(103), Reply(102)));
        assert_eq!((Forever { log: &LOG }.run(), Boxed { log: Box::new(Log(1)) }.run()), (Reply(103), Reply(101)));
        assert_eq!(Counted { log: Arc::new(Log(4)) }.run().await, Reply(104));
        assert_eq!(Local { log: Rc::new(Log(5)) }.run(), Reply(105));
        assert_eq!(Shared { log: Arc::new(Log(6)) }.run(), Reply(106));
    }
}

/// What a segment's pattern binds may be called like a constant or a static where the chain stands.
mod bindings_of_segments {
    pub mod declared {
        use chain_runtime::{chain, node};

        pub use super::super::Reply;

        pub struct Number(pub u8);

        #[node]
        pub fn number(given: &u16) -> Number {
            Number(*given as u8)
        }

        #[node]
        pub fn show(code: &u8) -> Reply {
            Reply(usize::from(*code))
        }

        chain! { pub segment shown { match number { Number(code: u8) => show } } }
    }

    pub mod used {
        use chain_runtime::chain;

        use super::declared::Reply;

        #[allow(non_upper_case_globals)]
        pub static code: u8 = 5;

        chain! { pub struct Gateway; fn(given: u16) -> Reply { ..super::declared::shown } }
    }

    pub mod compared {
        use chain_runtime::chain;

        use super::declared::Reply;

        #[allow(non_upper_case_globals)]
        pub const code: u8 = 5;

        chain! { pub struct Gateway; fn(given: u16) -> Reply { ..super::declared::shown } }
    }

    #[test]
    fn are_their_own() {
        assert_eq!((used::Gateway.run(2).0, compared::Gateway.run(2).0), (2, 2));
        assert_eq!(usize::from(used::code + compared::code), 10);
    }
}

/// Bounds for which the checks of a chain make a type up, in a chain that is right.
mod made_up {
    use std::ops::Deref;

    use super::*;

    struct Names<I>(I);

    #[node]
    fn count<I: Clone + IntoIterator<Item = T>, T>(names: &Names<I>) -> usize {
        names.0.clone().into_iter().count()
    }

    #[node]
    fn reply<F: Fn(&usize) -> usize>(map: &Held<F>, count: &usize) -> Reply {
        Reply((map.0)(count))
    }

    chain! {
        struct Gateway<'c, F: Fn(&usize) -> usize, I: Clone + IntoIterator<Item = T>, T, D, A, const LOUD: bool>
        where
            D: Deref<Target = str> + 'c,
            A: Into<T> + AsRef<[&'c str]>,
        {
            names: Names<I>,
            map: Held<F>,
            text: &'c (D, A),
        }
        fn() -> Reply { count::<I, T> => reply::<F> }
    }

    #[test]
    fn are_no_obstacle() {
        struct Pair<'a>([&'a str; 2]);
        impl<'a> AsRef<[&'a str]> for Pair<'a> {
            fn as_ref(&self) -> &[&'a str] {
                &self.0
            }
        }
        impl From<Pair<'_>> for u8 {
            fn from(pair: Pair<'_>) -> Self {
                pair.0.len() as Self
            }
        }
        let text = ("a", Pair(["b", "c"]));
        let chain: Gateway<'_, _, _, u8, _, _, true> =
            Gateway { names: Names([1_u8, 2, 3]), map: Held(|count: &usize| count * 2), text: &text };
        assert_eq!((chain.run(), chain.text.1.as_ref().len(), chain.text.0), (Reply(6), 2, "a"));
    }
}

/// `Self` in what a hook asks for and gives.
mod itself {
    use super::*;

    trait Made {
        type Is;
    }

    #[derive(Clone, Debug)]
    struct Counter(u8);

    impl Made for Counter {
        type Is = Held<u8>;
    }

    impl Counter {
        const SIZE: usize = 3;
    }

    #[node]
    impl Counter {
        fn enter(&self) -> Result<Box<Self>, Reply> {
            if self.0 == 0 { Err(Reply(400)) } else { Ok(Box::new(self.clone())) }
        }
        fn exit(&self, copy: &Box<Self>, reply: &mut Reply) {
            reply.0 += usize::from(copy.0);
        }
        fn cancelled(&self, _copy: &Box<Self>) {}
    }

    struct Makes;

    impl Made for Makes {
        type Is = Held<u16>;
    }

    impl Makes {
        const SIZE: usize = 2;
    }

    #[node]
    impl Makes {
        fn enter(&self, _other: &[u8; Counter::SIZE]) -> <Self as Made>::Is {
            Held(Self::SIZE as u16)
        }
        fn exit(&self, made: &<Self as Made>::Is, reply: &mut Reply) {
            reply.0 += usize::from(made.0);
        }
    }

    struct Array;

    impl Array {
        const SIZE: usize = Counter::SIZE;
    }

    #[node]
    impl Array {
        fn enter(&self) -> [u8; Self::SIZE] {
            [1; Self::SIZE]
        }
        fn exit(&self, array: &[u8; Self::SIZE], reply: &mut Reply) {
            reply.0 += array.len();
        }
    }

    #[node]
    fn reply(made: &Held<u16>) -> Reply {
        Reply(usize::from(made.0) * 100)
    }

    chain! { struct Gateway { counter: Counter, array: Array, makes: Makes } fn() -> Reply { counter => array => makes => reply } }

    #[test]
    fn stands_for_the_type_of_the_block() {
        assert_eq!(Gateway { counter: Counter(9), array: Array, makes: Makes }.run(), Reply(200 + 9 + 3 + 2));
        assert_eq!(Gateway { counter: Counter(0), array: Array, makes: Makes }.run(), Reply(400));
    }
}

/// A trait object with a lifetime behind a reference.
mod objects {
    use super::*;

    trait Visit<'a> {
        fn visit(&self, text: &'a str) -> usize;
    }

    struct Length;
    impl<'a> Visit<'a> for Length {
        fn visit(&self, text: &'a str) -> usize {
            text.len()
        }
    }

    #[node]
    fn visit(visitor: &(dyn Visit<'static> + 'static)) -> Reply {
        Reply(visitor.visit("four"))
    }

    chain! { struct Gateway<'c> { visitor: &'c (dyn Visit<'static> + 'static) } fn() -> Reply { visit } }

    #[test]
    fn may_have_several_bounds() {
        assert_eq!(Gateway { visitor: &Length }.run(), Reply(4));
    }
}

/// What looks like a mistake, and is none where somebody asks for it.
mod asked_for {
    use super::*;

    type Work = Pin<Box<dyn Future<Output = usize> + Send>>;
    type Outcome = Result<Reply, u8>;

    #[node]
    fn begin() -> Work {
        Box::pin(async { 3 })
    }

    #[node]
    async fn finish(work: &mut Work) -> usize {
        work.await
    }

    #[node]
    fn first(count: &usize) -> Reply {
        Reply(*count)
    }

    #[node]
    fn twice(first: &Reply) -> Reply {
        Reply(first.0 * 2)
    }

    #[node]
    fn refused() -> Outcome {
        Err(4)
    }

    #[node]
    fn inner(count: &usize) -> Result<Result<u8, u16>, Reply> {
        if *count == 0 { Err(Reply(500)) } else { Ok(Err(9)) }
    }

    #[node]
    fn looked_at(result: &Result<u8, u16>) -> Reply {
        Reply(usize::from(*result.as_ref().unwrap_or(&0)) + 1)
    }

    chain! { struct Awaits; async fn() -> usize { begin => finish } }
    chain! { struct Twice; fn(count: usize) -> Reply { first => twice } }
    chain! { struct Ends; fn() -> Outcome { refused } }
    chain! { struct Nested; fn(count: usize) -> Reply { inner => looked_at } }

    #[tokio::test]
    async fn a_future_that_a_node_polls_is_provided() {
        assert_eq!(Awaits.run().await, 3);
    }

    #[test]
    fn a_value_of_the_replys_type_is_provided() {
        assert_eq!(Twice.run(2), Reply(4));
    }

    #[test]
    fn a_result_under_another_name_ends_a_chain_that_replies_with_it() {
        assert_eq!(Ends.run(), Err(4));
    }

    #[test]
    fn a_result_in_a_result_is_provided() {
        assert_eq!((Nested.run(0), Nested.run(1)), (Reply(500), Reply(1)));
    }
}

/// Which type a type of a parameter is follows from a bound.
mod types_of_parameters {
    use super::*;

    trait Config {
        type Row: From<usize>;
        type Asked;
    }

    struct Row(usize);

    impl From<usize> for Row {
        fn from(number: usize) -> Self {
            Self(number)
        }
    }

    struct Ready;

    impl Config for Ready {
        type Row = Row;
        type Asked = usize;
    }

    struct Of<C: Config>(C::Row);

    #[node]
    fn load<A: Config>(number: &usize, _of: &Of<A>) -> A::Row {
        A::Row::from(*number)
    }

    #[node]
    fn load_by_trait<A>(number: &usize, _of: &Of<A>) -> <A as Config>::Row
    where
        A: Config,
    {
        <A as Config>::Row::from(*number + 1)
    }

    #[node]
    fn last(row: &Row) -> Reply {
        Reply(row.0)
    }

    #[node]
    fn taken(row: Row) -> Reply {
        Reply(row.0)
    }

    #[node]
    fn perhaps(row: &Option<Row>) -> Reply {
        Reply(row.as_ref().map_or(0, |row| row.0))
    }

    chain! { #[check(Ready)] struct OfANode<C: Config<Row = Row>> { of: Of<C> } fn(number: usize) -> Reply { load::<C> => last } }
    chain! { struct Taken<C> where C: Config<Row = Row> { of: Of<C> } fn(number: usize) -> Reply { load_by_trait::<C> => taken } }
    chain! {
        struct Skipped<C: Config<Row = Row>> { of: Of<C> }
        fn(number: usize) -> Reply { #[when(some)] load::<C> => perhaps }
    }
    chain! {
        struct OfABlock<C: Config<Row = Row>> { of: Of<C> }
        fn(number: usize) -> Reply { if some { load::<C> } else { load_by_trait::<C> } -> C::Row => last }
    }
    chain! {
        struct OfAField<C: Config<Row = Row, Asked = usize>> { row: C::Row }
        fn(number: C::Asked) -> Reply { if some { last } else { last } }
    }

    chain! {
        struct OfAnInput<T> { held: Held<T> }
        fn(number: usize, all: &[T]) -> Option<T> { none::<T> }
    }
    chain! { struct OfAnInputAlone<T> { held: Held<T> } fn(row: Row, all: &[T]) -> Reply { last } }

    #[node]
    fn none<T>(_all: &[T]) -> Option<T> {
        None
    }

    #[node]
    fn some(number: &usize) -> bool {
        *number > 0
    }

    #[test]
    fn are_described() {
        assert_eq!(OfAnInput { held: Held(1_u8) }.run(1, &[]), None);
        assert_eq!(OfAnInputAlone { held: Held(1_u8) }.run(Row(2), &[]), Reply(2));
        let shown = OfAnInputAlone::<u8>::drawing().to_string();
        assert!(shown.contains("all: &[u8]"), "{shown}");
        assert_eq!((OfAnInput { held: Held(1_u8) }.held.0, OfAnInputAlone { held: Held(2_u8) }.held.0), (1, 2));
    }

    #[test]
    fn are_what_a_bound_says() {
        let of = || Of::<Ready>(Row(0));
        assert_eq!(OfANode { of: of() }.run(3), Reply(3));
        assert_eq!(Taken { of: of() }.run(3), Reply(4));
        assert_eq!((Skipped { of: of() }.run(3), Skipped { of: of() }.run(0)), (Reply(3), Reply(0)));
        assert_eq!((OfABlock { of: of() }.run(3), OfABlock { of: of() }.run(0)), (Reply(3), Reply(1)));
        assert_eq!(OfAField::<Ready> { row: Row(5) }.run(3), Reply(5));
    }
}
