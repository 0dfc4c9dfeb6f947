//! A chain looks for what hooks ask by the macro beside their type. Here such a macro could be that of another type.

use std::sync::Arc;

use chain_runtime::{chain, node};

pub struct Request(u16);
pub struct User(u16);
pub struct Response(u16);

#[node]
fn auth(request: &Request) -> User {
    User(request.0)
}

#[node]
fn answer(user: &User) -> Response {
    Response(user.0)
}

/// A type of the user's is called like a pointer.
mod called_like_a_pointer {
    use super::*;

    mod own {
        pub struct Arc<T>(pub T);

        #[chain_runtime::node]
        impl<T> Arc<T> {
            pub fn enter(&self, user: &mut super::User) {
                let _ = &self.0;
                user.0 += 1;
            }
        }
    }

    pub struct See;

    #[node]
    impl See {
        fn enter(&self, nothing_has_it: &u64) {
            let _ = nothing_has_it;
        }
    }

    pub mod chained {
        use chain_runtime::chain;

        use super::own::Arc;
        use super::{Request, Response, See, answer, auth};

        chain! { struct App { own: Arc<See> } fn(request: Request) -> Response { auth => own => answer } }

        #[test]
        fn is_a_node_of_its_own() {
            assert_eq!(App { own: Arc(See) }.run(Request(1)).0, 2);
        }
    }
}

/// Two blocks for different arguments.
mod two_blocks {
    use super::*;

    struct Add<const N: u16>;

    #[node]
    impl Add<3> {
        fn enter(&self, request: &Request) {
            let _ = request;
        }
    }

    #[node]
    impl Add<4> {
        fn enter(&self, user: &mut User, request: &Request) {
            user.0 += request.0 * 4;
        }
    }

    struct Pair<A, B>(A, B);

    #[node]
    impl<T> Pair<T, u8> {
        fn enter(&self, user: &mut User) {
            let _ = &self.0;
            user.0 += u16::from(self.1);
        }
    }

    #[node]
    impl<T> Pair<T, u16> {
        fn enter(&self, user: &mut User) {
            let _ = &self.0;
            user.0 += self.1 * 100;
        }
    }

    chain! {
        struct App { three: Add<3>, four: Add<4>, small: Pair<u8, u8>, large: Pair<u8, u16> }
        async fn(request: Request) -> Response { auth => three => four => small => large => answer }
    }

    #[test]
    fn are_told_apart() {
        let app = App { three: Add, four: Add, small: Pair(0, 1), large: Pair(0, 2) };
        assert_eq!(chain::poll::block_on(app.run(Request(1))).0, 1 + 4 + 1 + 200);
    }
}

/// A glob brings types of the same names.
mod globs {
    use super::*;

    pub mod library {
        use super::*;

        pub struct Held<T>(pub T);

        #[node]
        impl<T> Held<T> {
            pub fn enter(&self, nothing_has_it: &u64) {
                let _ = (&self.0, nothing_has_it);
            }
        }

        pub struct Log;

        #[node]
        impl Log {
            pub fn enter(&self, nothing_has_it: &u64) {
                let _ = nothing_has_it;
            }
            pub fn cancelled(&self) {}
        }
    }

    mod declares {
        #[allow(unused_imports)]
        use super::library::*;
        use super::{Request, Response, User, answer, auth};
        use chain_runtime::{chain, node};

        pub struct Held<T>(pub T);

        #[node]
        impl<T> Held<T> {
            fn enter(&self, user: &mut User) {
                let _ = &self.0;
                user.0 += 1;
            }
        }

        pub struct Log;

        #[node]
        impl Log {
            fn enter(&self, user: &mut User) {
                user.0 += 2;
            }
            fn cancelled(&self) {}
        }

        chain! {
            pub struct App { pub held: Held<u8>, pub log: Log }
            async fn(request: Request) -> Response { auth => held => log => answer }
        }
    }

    mod elsewhere {
        pub struct Held;
        pub struct Log;

        mod blocks {
            use super::super::User;
            use chain_runtime::node;

            #[node]
            impl super::Held {
                fn enter(&self, user: &mut User) {
                    user.0 += 10;
                }
            }

            #[node]
            impl super::Log {
                fn enter(&self, user: &mut User) {
                    user.0 += 20;
                }
            }
        }
    }

    mod imports {
        use std::sync::Arc;

        use super::elsewhere::{Held, Log};
        #[allow(unused_imports)]
        use super::library::*;
        use super::{Request, Response, answer, auth};
        use chain_runtime::chain;

        chain! {
            #[send]
            pub struct App { pub held: Held, pub log: Arc<Log> }
            async fn(request: Request) -> Response { auth => held => log => answer }
        }
    }

    #[test]
    fn do_not_hide_what_is_declared_or_imported() {
        let declares = declares::App { held: declares::Held(0), log: declares::Log };
        assert_eq!(chain::poll::block_on(declares.run(Request(1))).0, 4);
        let imports = imports::App { held: elsewhere::Held, log: Arc::new(elsewhere::Log) };
        assert_eq!(chain::poll::block_on(imports.run(Request(1))).0, 31);
        let _ = (library::Held(0), library::Log);
    }
}

/// Chains that are nodes, and types named in the row, with namesakes around them.
mod namesakes {
    use super::*;

    chain! { #[node] pub struct Inner; fn(nothing_has_it: &u64) -> Result<u8, Refused> { go } }

    pub struct Refused;

    impl chain_runtime::IntoReply<Response> for Refused {
        fn into_reply(self) -> Response {
            Response(0)
        }
    }

    #[node]
    fn go() -> Result<u8, Refused> {
        Ok(1)
    }

    struct Stands;

    #[node(stateless)]
    impl Stands {
        fn enter(&self, nothing_has_it: &u64) {
            let _ = nothing_has_it;
        }
        fn cancelled(&self) {}
    }

    mod inner {
        use super::*;

        chain! { #[node] pub struct Inner; fn(request: &Request) -> Result<u8, Refused> { go } }

        pub struct Stands;

        #[node(stateless)]
        impl Stands {
            fn enter(&self, user: &mut User) {
                user.0 += 5;
            }
            fn cancelled(&self) {}
        }

        chain! {
            pub struct Field { pub inner: Inner }
            async fn(request: Request) -> Response { auth => inner => see => Stands => answer }
        }
        chain! { pub struct Named; async fn(request: Request) -> Response { auth => Inner => see => Stands => answer } }

        #[node]
        fn see(number: &u8, user: &mut User) {
            user.0 += u16::from(*number);
        }
    }

    #[test]
    fn are_not_meant() {
        use chain::poll::block_on;
        assert_eq!(block_on(inner::Field { inner: inner::Inner }.run(Request(1))).0, 7);
        assert_eq!(block_on(inner::Named.run(Request(1))).0, 7);
        assert!(matches!(Inner.run(&1), Ok(1)));
        let _ = Stands;
    }
}

/// Another macro has the name of a type.
mod other_macros {
    use super::*;

    #[allow(unused_macros)]
    macro_rules! Held {
        ($($any:tt)*) => {
            compile_error!("nobody calls this")
        };
    }

    #[allow(unused_macros)]
    macro_rules! Log {
        () => {};
    }

    struct Held<T>(T);

    #[node]
    impl<T> Held<T> {
        fn enter(&self, user: &mut User) {
            let _ = &self.0;
            user.0 += 1;
        }
    }

    struct Log;

    #[node]
    impl Log {
        fn enter(&self, user: &mut User) {
            user.0 += 2;
        }
        fn cancelled(&self) {}
    }

    chain! {
        struct App { held: Held<u8>, log: Arc<Log> }
        async fn(request: Request) -> Response { auth => held => log => answer }
    }

    #[test]
    fn are_not_asked() {
        let app = App { held: Held(0), log: Arc::new(Log) };
        assert_eq!(chain::poll::block_on(app.run(Request(1))).0, 4);
    }
}
