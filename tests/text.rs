//! Programs whose text might mislead what reads it: names that stand for something else than they seem to.

use chain_runtime::{chain, node};

pub struct Request(u8);

/// The reply's type, asked for by a path or under another name.
mod the_reply {
    use super::*;

    pub struct Response(u8);
    type Answer = Response;

    #[node]
    fn draft(request: &Request) -> Response {
        Response(request.0)
    }

    mod signing {
        #[chain_runtime::node]
        pub fn sign(response: &super::Response) -> super::Response {
            super::Response(response.0 + 1)
        }
    }

    #[node]
    fn seal(response: &Answer) -> Response {
        Response(response.0 + 2)
    }

    chain! { struct ByPath; fn(request: Request) -> Response { draft => signing::sign } }
    chain! { struct ByAlias; fn(request: Request) -> Response { draft => seal } }

    #[test]
    fn may_be_what_a_node_asks_for() {
        assert_eq!((ByPath.run(Request(1)).0, ByAlias.run(Request(1)).0), (2, 3));
    }
}

/// Constants among types.
mod constants {
    use super::*;

    const LEN: usize = 2;

    struct Buffer<const N: usize>([u8; N]);

    #[node]
    fn first(bytes: [u8; LEN]) -> u32 {
        bytes[0].into()
    }

    struct Last;

    #[node]
    impl Last {
        fn enter(&self, buffer: &Buffer<LEN>) -> Result<(), u32> {
            match buffer.0[LEN - 1] {
                0 => Ok(()),
                last => Err(last.into()),
            }
        }
    }

    chain! { struct Lengths { last: Last } fn(bytes: [u8; 2], buffer: Buffer<2>) -> u32 { last => first } }

    #[test]
    fn are_no_types_that_are_missing() {
        assert_eq!(Lengths { last: Last }.run([7, 8], Buffer([1, 0])), 7);
        assert_eq!(Lengths { last: Last }.run([7, 8], Buffer([1, 9])), 9);
    }
}

/// Names that what is emitted might use itself.
mod own_names {
    use super::*;

    type Asked = Request;

    struct Of<T>(T);
    struct Any(u8);
    struct Held<T>(T);

    #[node]
    fn see(request: &Asked) -> u8 {
        request.0
    }

    #[node]
    fn get<T>(request: &Asked, held: &Held<T>) -> u16 {
        let _ = &held.0;
        request.0.into()
    }

    #[node]
    fn add(number: &u16, held: Held<Any>) -> u8 {
        u8::try_from(*number).unwrap_or(u8::MAX) + held.0.0
    }

    chain! { struct Parameter<Any> { of: Of<Any> } fn(request: Request) -> u8 { see } }
    chain! { struct Argument; fn(request: Request, held: Held<Any>) -> u8 { get::<Any> => add } }

    #[test]
    fn are_the_users() {
        let parameter = Parameter { of: Of("text") };
        assert_eq!((parameter.run(Request(3)), parameter.of.0), (3, "text"));
        assert_eq!(Argument.run(Request(3), Held(Any(4))), 7);
    }
}

/// A variant with the name of a type.
mod variants {
    use super::*;

    enum Role {
        Admin,
        Guest,
    }
    struct Admin(u8);
    type Chief = Admin;

    #[node]
    fn chief(request: &Request) -> Chief {
        Admin(request.0)
    }

    #[node]
    fn role(request: &Request) -> Role {
        if request.0 > 1 { Role::Admin } else { Role::Guest }
    }

    #[node]
    fn page(admin: &Admin) -> u8 {
        admin.0
    }

    #[node]
    fn guest() -> u8 {
        0
    }

    chain! {
        struct Roles;
        fn(request: Request) -> u8 { chief => match role { Role::Admin => page, Role::Guest => guest } }
    }

    #[test]
    fn are_no_bindings_of_that_type() {
        assert_eq!([1, 2].map(|number| Roles.run(Request(number))), [0, 2]);
    }
}

/// Variants that an import brings, one with the name of a type elsewhere.
mod imported_variants {
    use chain_runtime::{chain, node};

    mod events {
        pub enum Event {
            Login,
            Logout,
        }
        pub struct Login(pub u8);
        pub type Entered = Login;
    }

    use events::Event::{self, *};

    #[node]
    fn login(number: &u8) -> events::Entered {
        events::Login(*number)
    }

    #[node]
    fn kind(number: &u8) -> Event {
        if *number > 1 { Login } else { Logout }
    }

    #[node]
    fn page(login: &events::Login) -> u16 {
        login.0.into()
    }

    #[node]
    fn out() -> u16 {
        0
    }

    chain! { struct Events; fn(number: u8) -> u16 { login => match kind { Login => page, Event::Logout => out } } }

    #[test]
    fn are_no_bindings_either() {
        assert_eq!([1, 2].map(|number| Events.run(number)), [0, 2]);
    }
}

/// What hooks and functions give that is a type of a parameter: a bound of the chain's says which one.
mod types_of_parameters {
    use super::*;

    pub struct Row(u8);
    pub struct Page(u8);

    pub trait Store {
        type Row;
        fn row(&self) -> Self::Row;
    }

    mod paged {
        pub trait Store {
            type Row;
            fn page(&self) -> Self::Row;
        }
    }

    struct Memory;

    impl Store for Memory {
        type Row = Row;
        fn row(&self) -> Row {
            Row(1)
        }
    }

    impl paged::Store for Memory {
        type Row = Page;
        fn page(&self) -> Page {
            Page(2)
        }
    }

    struct Load<S>(S);

    #[node]
    impl<S: Store> Load<S> {
        fn enter(&self) -> Result<S::Row, u16> {
            Ok(self.0.row())
        }
    }

    struct Pages<'k, S>(&'k S);

    #[node]
    impl<S: paged::Store + Send> Pages<'_, S> {
        fn enter(&self) -> <S as paged::Store>::Row {
            self.0.page()
        }
    }

    struct Held<S>(S);

    #[node]
    fn row<S: Store>(held: &Held<S>) -> S::Row {
        held.0.row()
    }

    #[node]
    fn page<S: paged::Store>(held: &Held<S>) -> S::Row {
        held.0.page()
    }

    #[node]
    fn answer(row: &Row, page: &Page) -> u16 {
        u16::from(row.0) * 10 + u16::from(page.0)
    }

    #[node]
    fn one(row: &Row) -> u16 {
        row.0.into()
    }

    chain! { struct Hooks<S: Store<Row = Row>> { load: Load<S> } fn() -> Result<u16, u16> { load => one } }
    chain! {
        struct Shared<S: Store<Row = Row>, T: paged::Store<Row = Page> + Send + 'static> { load: std::sync::Arc<Load<S>>, pages: Box<Pages<'static, T>> }
        fn() -> Result<u16, u16> { load => pages => answer }
    }
    chain! {
        #[send]
        struct TwoHooks<'k, S: Store<Row = Row> + paged::Store<Row = Page> + Send + Sync> { load: Load<S>, pages: Pages<'k, S> }
        async fn() -> Result<u16, u16> { load => pages => answer }
    }
    chain! {
        struct Functions<S> where S: Store<Row = Row> + paged::Store<Row = Page> { held: Held<S> }
        fn() -> u16 { row::<S> => page::<S> => answer }
    }

    #[test]
    fn are_what_a_bound_says() {
        assert_eq!(Hooks { load: Load(Memory) }.run(), Ok(1));
        static MEMORY: Memory = Memory;
        assert_eq!(Shared { load: Load(Memory).into(), pages: Pages(&MEMORY).into() }.run(), Ok(12));
        let two = TwoHooks { load: Load(Memory), pages: Pages(&Memory) };
        assert_eq!(chain::poll::block_on(two.run()), Ok(12));
        assert_eq!(Functions { held: Held(Memory) }.run(), 12);
    }
}

/// `cancelled` asks for the node's own value under another name.
mod own_value {
    use std::cell::Cell;
    use std::future::Future;
    use std::time::Instant;

    use super::*;

    pub struct User(u8);
    type Who = User;

    thread_local! {
        static CANCELLED: Cell<u8> = const { Cell::new(0) };
    }

    struct Load;

    #[node]
    impl Load {
        fn enter(&self, request: &Request) -> Who {
            User(request.0)
        }

        fn cancelled(&self, user: &User) {
            CANCELLED.set(CANCELLED.get() + user.0);
        }
    }

    struct Since;

    #[node]
    impl Since {
        fn enter(&self) -> std::time::Instant {
            Instant::now()
        }

        fn cancelled(&self, since: &Instant) {
            let _ = since.elapsed();
            CANCELLED.set(CANCELLED.get() + 10);
        }
    }

    #[node]
    async fn wait(since: &Instant) -> u8 {
        std::future::pending::<()>().await;
        since.elapsed().as_secs() as u8
    }

    chain! { struct Third { since: Since } async fn() -> u8 { since => wait } }

    struct Again;

    #[node]
    impl Again {
        async fn enter(&self, request: &Request) -> Result<User, u8> {
            Ok(User(request.0 + 1))
        }

        fn cancelled(&self, user: &mut Who) {
            CANCELLED.set(CANCELLED.get() + user.0);
        }
    }

    #[node]
    async fn forever(user: &User) -> u8 {
        std::future::pending::<()>().await;
        user.0
    }

    chain! { struct First { load: Load } async fn(request: Request) -> u8 { load => forever } }
    chain! { struct Second { again: Again } async fn(request: Request) -> u8 { again => forever } }

    #[test]
    fn is_lent_to_cancelled() {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::pin!(First { load: Load }.run(Request(3))).poll(&mut context).is_pending());
        assert_eq!(CANCELLED.get(), 3);
        assert!(std::pin::pin!(Second { again: Again }.run(Request(3))).poll(&mut context).is_pending());
        assert_eq!(CANCELLED.get(), 7);
        assert!(std::pin::pin!(Third { since: Since }.run()).poll(&mut context).is_pending());
        assert_eq!(CANCELLED.get(), 17);
    }
}

/// A trait object is as long-lived as its trait says.
mod objects {
    use std::sync::Arc;

    use super::*;

    pub trait Store: Send + Sync + 'static {
        fn get(&self) -> u8;
        fn put(&mut self) {}
    }

    pub trait Db {
        fn number(&self) -> u8;
    }

    struct Memory(u8);

    impl Store for Memory {
        fn get(&self) -> u8 {
            self.0
        }
        fn put(&mut self) {
            self.0 += 1;
        }
    }

    // With this, rustc knows that no loan of it is for longer than it lives.
    impl Drop for Memory {
        fn drop(&mut self) {}
    }

    struct Borrowed<'a>(&'a u8);

    impl Db for Borrowed<'_> {
        fn number(&self) -> u8 {
            *self.0
        }
    }

    #[node]
    fn put(store: &mut dyn Store) {
        store.put();
    }

    #[node]
    async fn load(store: &dyn Store, db: &(dyn Db + Sync)) -> u32 {
        u32::from(store.get() + db.number())
    }

    struct Log;

    #[node]
    impl Log {
        async fn enter(&self, store: &dyn Store, db: &(dyn Db + Sync)) -> u16 {
            u16::from(store.get() + db.number())
        }

        fn exit(&self, store: &dyn Store, sum: &u16, reply: &mut u8) {
            *reply += store.get() + *sum as u8;
        }
    }

    #[node]
    fn answer(sum: &u32, store: &dyn Store) -> u8 {
        *sum as u8 + store.get()
    }

    chain! { struct ByText; async fn(store: &dyn Store, db: &(dyn Db + Sync)) -> u8 { load => answer } }
    chain! { struct ByType { log: Log } async fn(store: &dyn Store, db: &(dyn Db + Sync)) -> u8 { log => load => answer } }
    chain! {
        struct Written { log: Log }
        async fn(store: &mut dyn Store, db: &(dyn Db + Sync)) -> u8 { put => log => load => answer }
    }
    chain! {
        #[send]
        struct Fields<'k> { log: Log, all: Arc<dyn Store>, db: &'k (dyn Db + Sync) }
        async fn(store: &dyn Store) -> u8 { log => load => answer }
    }

    /// Objects of traits of other crates, and references to objects that nodes and blocks provide.
    mod of_others {
        use std::any::Any;
        use std::error::Error;
        use std::fmt::{Debug, Display};

        use super::super::*;
        use super::{Memory, Store};

        pub struct Held(pub Memory, pub String);

        #[node]
        fn store(held: &Held) -> &dyn Store {
            &held.0
        }

        #[node]
        fn text(held: &Held) -> &(dyn Display + Sync) {
            &held.1
        }

        #[node]
        fn see(store: &dyn Store, text: &(dyn Display + Sync), any: &dyn Any, error: &dyn Error) -> u64 {
            let _ = (any.is::<u8>(), error.to_string());
            u64::from(store.get()) + text.to_string().len() as u64
        }

        struct Log;

        #[node]
        impl Log {
            fn enter(&self, store: &dyn Store, any: &dyn Any, debug: &dyn Debug) -> u32 {
                let _ = (any.is::<u8>(), format!("{debug:?}"));
                u32::from(store.get())
            }

            fn exit(&self, store: &dyn Store, text: &(dyn Display + Sync), reply: &mut u64) {
                *reply += u64::from(store.get()) + text.to_string().len() as u64;
            }
        }

        struct Give;

        #[node]
        impl Give {
            fn enter<'r>(&self, held: &'r Held) -> Result<&'r dyn Store, u64> {
                Ok(&held.0)
            }
        }

        #[node]
        fn answer(sum: &u64, number: &u32) -> u64 {
            sum + u64::from(*number)
        }

        chain! {
            struct Inputs { log: Log }
            fn(held: &Held, any: &dyn Any, error: &dyn Error, debug: &dyn Debug) -> u64 {
                store => text => see => log => answer
            }
        }
        chain! {
            struct Fields<'k> { log: Log, give: Give, debug: &'k dyn Debug, any: &'static dyn Any }
            async fn(held: &Held, error: &dyn Error) -> u64 { { give } -> &dyn Store => text => see => log => answer }
        }

        #[test]
        fn are_told_apart() {
            let held = Held(Memory(2), "abc".to_owned());
            assert_eq!(Inputs { log: Log }.run(&held, &1, &std::fmt::Error, &"debug"), 12);
            let fields = Fields { log: Log, give: Give, debug: &1, any: &2 };
            assert_eq!(chain::poll::block_on(fields.run(&held, &std::fmt::Error)), 12);
        }
    }

    #[test]
    fn are_lent_for_a_run() {
        let number = 2;
        let (mut store, db) = (Memory(1), Borrowed(&number));
        assert_eq!(chain::poll::block_on(ByText.run(&store, &db)), 4);
        let fields = Fields { log: Log, all: Arc::new(Memory(9)), db: &db };
        assert_eq!(chain::poll::block_on(fields.run(&store)), 4 + 1 + 3);
        assert_eq!(fields.all.get(), 9);
        assert_eq!(chain::poll::block_on(ByType { log: Log }.run(&store, &db)), 4 + 1 + 3);
        assert_eq!(chain::poll::block_on(Written { log: Log }.run(&mut store, &db)), 6 + 2 + 4);
    }
}

/// Types with names like those that could be the library's own.
mod names_of_what_wraps {
    use std::future::Future;
    use std::pin::Pin;

    use super::*;

    pub struct ChainOutput(u8);
    pub struct ChainReply(u8);
    struct ChainBlock<T>(T);

    #[node]
    impl<T> ChainBlock<T> {
        async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, ChainReply> {
            let _ = &self.0;
            Ok(block.await)
        }
    }

    #[node]
    fn output(request: &Request) -> ChainOutput {
        ChainOutput(request.0)
    }

    #[node]
    fn reply(output: &ChainOutput) -> ChainReply {
        ChainReply(output.0)
    }

    chain! { struct Wrapped { block: ChainBlock<u8> } async fn(request: Request) -> ChainReply { block { output => reply } } }

    #[test]
    fn are_the_users_own() {
        let wrapped = Wrapped { block: ChainBlock(1) };
        assert_eq!(chain::poll::block_on(wrapped.run(Request(5))).0, 5);
    }
}

/// A type with two blocks of hooks: one for all arguments with a bound, the other one for an argument without it.
mod two_blocks {
    use chain_runtime::{chain, node};

    pub trait Pick {
        fn pick(&self) -> u8;
    }

    pub struct Leased;
    pub struct First;

    impl Pick for First {
        fn pick(&self) -> u8 {
            1
        }
    }

    pub struct Forward<P>(P);
    pub struct Request(u8);
    pub struct Lease(u8);

    #[node]
    impl<P: Pick> Forward<P> {
        fn enter(&self, request: &Request) -> u16 {
            u16::from(self.0.pick() + request.0)
        }
    }

    mod leased {
        use super::{Forward, Lease, Leased};

        #[chain_runtime::node]
        impl Forward<Leased> {
            fn enter(&self, lease: &mut Lease) -> u16 {
                lease.0 += 1;
                u16::from(lease.0)
            }
        }
    }

    #[node]
    fn lease(request: Request) -> Lease {
        Lease(request.0 + 10)
    }

    #[node]
    fn end(number: &u16) -> u16 {
        *number
    }

    chain! { struct Picks { forward: Forward<First> } fn(request: Request) -> u16 { forward => end } }
    chain! { struct Leases { forward: Forward<Leased> } fn(request: Request) -> u16 { lease => forward => end } }
    chain! {
        #[send]
        struct Shared { forward: std::sync::Arc<Forward<Leased>> }
        async fn(request: Request) -> u16 { lease => forward => end }
    }

    #[test]
    fn are_told_apart() {
        assert_eq!(Picks { forward: Forward(First) }.run(Request(1)), 2);
        assert_eq!(Leases { forward: Forward(Leased) }.run(Request(1)), 12);
        let shared = Shared { forward: Forward(Leased).into() };
        assert_eq!(chain::poll::block_on(shared.run(Request(1))), 12);
    }
}

/// Fields that are nodes, of types that could be one.
mod twins {
    use chain_runtime::{chain, node};

    struct Add<T>(T);

    #[node]
    impl<T: Into<u16> + Copy> Add<T> {
        fn exit(&self, reply: &mut u16) {
            *reply += self.0.into();
        }
    }

    struct Lent<'a>(&'a u16);

    #[node]
    impl Lent<'_> {
        fn exit(&self, reply: &mut u16) {
            *reply += self.0;
        }
    }

    #[node]
    fn one() -> u16 {
        1
    }

    chain! {
        struct Arguments<A: Into<u16> + Copy, B: Into<u16> + Copy> { first: Add<A>, second: Add<B>, third: Add<u8> }
        fn() -> u16 { first => second => third => one }
    }
    chain! {
        struct Lifetimes<'a, 'b> { first: Lent<'a>, second: Lent<'b>, third: &'b Lent<'a> }
        fn() -> u16 { first => second => third => one }
    }

    #[test]
    fn are_reached_by_their_names() {
        assert_eq!(Arguments { first: Add(10_u8), second: Add(100_u16), third: Add(2) }.run(), 113);
        let (ten, hundred) = (10, 100);
        assert_eq!(Lifetimes { first: Lent(&ten), second: Lent(&hundred), third: &Lent(&ten) }.run(), 121);
    }
}

/// Bounds of nodes that a chain has in another way than by the same words.
mod bounds {
    use super::*;

    struct Own<T>(T);

    #[node]
    impl<T: Clone + PartialEq> Own<T> {
        fn enter(&self) -> Result<(), u8> {
            if self.0.clone() == self.0 { Ok(()) } else { Err(0) }
        }
    }

    trait Named {
        fn name(&self) -> u8 {
            4
        }
    }

    impl<Of> Named for Of {}

    struct Wide<T>(T);

    #[node]
    impl<T: Named> Wide<T> {
        fn enter(&self) -> u8 {
            self.0.name()
        }
    }

    struct Held<T>(T);

    mod same_name {
        pub struct Held<T>(pub T);

        #[chain_runtime::node]
        impl<T: Clone> Held<T> {
            pub fn enter(&self) -> u8 {
                let _ = self.0.clone();
                5
            }
        }
    }

    #[node]
    impl<T> Held<T> {
        fn enter(&self) -> u8 {
            let _ = &self.0;
            6
        }
    }

    #[node]
    fn answer(number: &u8) -> u16 {
        (*number).into()
    }

    #[node]
    fn one() -> u16 {
        1
    }

    chain! { struct Implied<T: Copy + Eq> { own: Own<T> } fn() -> Result<u16, u8> { own => one } }
    chain! { struct InAClause<T> where T: Clone + PartialEq { own: Own<T> } fn() -> Result<u16, u8> { own => one } }
    chain! { struct OfAll<T> { wide: Wide<T> } fn() -> u16 { wide => answer } }
    chain! { struct Other<T> { held: Held<T>, own: Own<u8> } fn() -> Result<u16, u8> { own => held => answer } }
    chain! { struct Elsewhere<T: Clone> { held: same_name::Held<T> } fn() -> u16 { held => answer } }

    #[test]
    fn are_judged_by_rustc() {
        assert_eq!((Implied { own: Own(1) }.run(), InAClause { own: Own("a") }.run()), (Ok(1), Ok(1)));
        assert_eq!(OfAll { wide: Wide(String::new()) }.run(), 4);
        assert_eq!(Other { held: Held(String::new()), own: Own(1) }.run(), Ok(6));
        assert_eq!(Elsewhere { held: same_name::Held(1) }.run(), 5);
    }
}

/// A boxed future that is polled under another name.
mod futures {
    use std::future::Future;
    use std::pin::Pin;

    use super::*;

    type Job = Pin<Box<dyn Future<Output = u8> + Send>>;

    #[node]
    fn start(request: &Request) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        let number = request.0;
        Box::pin(async move { number })
    }

    #[node]
    async fn finish(job: &mut Job) -> u16 {
        job.as_mut().await.into()
    }

    #[node]
    fn begin(request: &Request) -> Job {
        start(request)
    }

    #[node]
    async fn end(job: Pin<Box<dyn Future<Output = u8> + Send>>) -> u16 {
        job.await.into()
    }

    chain! { struct Lent; async fn(request: Request) -> u16 { start => finish } }
    chain! { struct Taken; async fn(request: Request) -> u16 { begin => end } }

    #[test]
    fn may_be_polled_under_another_name() {
        use chain::poll::block_on;

        assert_eq!((block_on(Lent.run(Request(3))), block_on(Taken.run(Request(4)))), (3, 4));
    }
}
