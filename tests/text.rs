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
