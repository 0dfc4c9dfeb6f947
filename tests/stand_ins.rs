//! A node of a module's own stands in for one of the same name that comes by `use super::*`.

use chain::poll::block_on;
use chain_runtime::{chain, node};

pub struct Request(u32);
#[derive(Debug, PartialEq)]
pub struct Reply(u32);
pub struct User(u32);

#[node]
fn auth(request: &Request) -> User {
    User(request.0)
}

#[node]
fn last(user: &User) -> Reply {
    Reply(user.0)
}

pub struct Log;

#[node]
impl Log {
    fn exit(&self, reply: &mut Reply) {
        reply.0 += 1;
    }
}

chain! {
    pub struct Real { log: Log }
    async fn(request: Request) -> Reply { log => auth => last }
}

async fn real() -> Reply {
    Real { log: Log }.run(Request(1)).await
}

mod a_function {
    use super::*;

    chain! {
        pub struct Before { log: Log }
        async fn(request: Request) -> Reply { log => auth => last }
    }

    // It asks for something else than the one that it stands in for.
    #[node]
    async fn auth(request: Request) -> User {
        User(request.0 + 10)
    }

    chain! {
        pub struct After { log: Log }
        async fn(request: Request) -> Reply { log => auth => last }
    }

    #[test]
    fn stands_in_wherever_it_is_declared() {
        block_on(async {
            assert_eq!(Before { log: Log }.run(Request(1)).await, Reply(12));
            assert_eq!(After { log: Log }.run(Request(1)).await, Reply(12));
            assert_eq!(real().await, Reply(2));
        });
    }

    chain! {
        segment front { auth }
    }

    chain! {
        struct OfASegment { log: Log }
        async fn(request: Request) -> Reply { log => ..front => last }
    }

    #[test]
    fn stands_in_for_a_segment() {
        assert_eq!(block_on(OfASegment { log: Log }.run(Request(1))), Reply(12));
    }

    #[test]
    fn stands_in_for_a_chain_in_a_function() {
        chain! {
            struct Inner { log: Log }
            async fn(request: Request) -> Reply { log => auth => last }
        }
        assert_eq!(block_on(Inner { log: Log }.run(Request(1))), Reply(12));
    }

    #[test]
    fn may_stand_in_a_function_itself() {
        #[node]
        fn auth() -> User {
            User(20)
        }
        chain! {
            struct Inner { log: Log }
            async fn(request: Request) -> Reply { log => auth => last }
        }
        assert_eq!(block_on(Inner { log: Log }.run(Request(1))), Reply(21));
    }
}

mod a_type {
    use super::*;

    struct Log;

    #[node]
    impl Log {
        fn enter(&self) -> u8 {
            7
        }
        fn exit(&self, seven: &u8, reply: &mut Reply) {
            reply.0 += u32::from(*seven);
        }
    }

    chain! {
        struct Mine { log: Log }
        async fn(request: Request) -> Reply { log => auth => last }
    }

    #[test]
    fn stands_in() {
        assert_eq!(block_on(Mine { log: Log }.run(Request(1))), Reply(8));
    }
}

/// The signature of its hooks cannot be told as text, and that of the other one is not taken for it.
mod a_type_that_tells_nothing {
    use std::cell::Cell;

    use super::*;

    struct Log(Cell<u32>);

    #[node]
    impl Log {
        fn exit(&self, reply: &mut Reply) {
            self.0.set(reply.0);
        }
        fn cancelled(&self) {}
    }

    chain! {
        struct Mine { log: Log }
        async fn(request: Request) -> Reply { log => auth => last }
    }

    #[test]
    fn stands_in() {
        let chain = Mine { log: Log(Cell::new(0)) };
        assert_eq!(block_on(chain.run(Request(3))), Reply(3));
        assert_eq!(chain.log.0.get(), 3);
    }
}

mod hooks_in_another_module {
    use super::*;

    pub struct Log;

    mod inner {
        use super::super::Reply;

        #[chain_runtime::node]
        impl super::Log {
            fn exit(&self, reply: &Reply) {
                assert_eq!(*reply, Reply(11));
            }
        }
    }

    chain! {
        pub struct WithLog { log: Log }
        async fn(request: Request) -> Reply { log => auth => last }
    }

    #[test]
    fn are_found_by_their_traits() {
        block_on(async {
            assert_eq!(WithLog { log: Log }.run(Request(11)).await, Reply(11));
        });
    }
}

mod by_its_path {
    use super::*;

    #[node]
    fn auth(request: &Request) -> User {
        User(request.0 + 10)
    }

    chain! {
        pub struct Here;
        async fn(request: Request) -> Reply { self::auth => last }
    }

    mod inner {
        use super::*;

        chain! {
            pub struct There;
            async fn(request: Request) -> Reply { super::auth => last }
        }
    }

    #[test]
    fn a_function_stands_in_for_modules_in_its_own() {
        block_on(async {
            assert_eq!(Here.run(Request(1)).await, Reply(11));
            assert_eq!(inner::There.run(Request(1)).await, Reply(11));
        });
    }
}

mod in_a_function {
    use super::*;

    #[test]
    fn a_type_stands_in() {
        struct Log;

        #[node]
        impl Log {
            fn exit(&self, reply: &mut Reply) {
                reply.0 += 100;
            }
        }

        chain! {
            struct Mine { log: Log }
            async fn(request: Request) -> Reply { log => auth => last }
        }
        assert_eq!(block_on(Mine { log: Log }.run(Request(1))), Reply(101));
    }
}

mod deeper {
    use super::*;

    struct Log;

    #[node]
    impl Log {
        fn exit(&self, reply: &mut Reply) {
            reply.0 += 1_000;
        }
    }

    #[node]
    fn auth(request: &Request) -> User {
        User(request.0 + 20)
    }

    mod inner {
        use super::*;

        chain! {
            pub struct WithLog { pub log: Log }
            async fn(request: Request) -> Reply { log => auth => last }
        }

        chain! {
            pub struct ByItsPath { pub log: super::Log }
            async fn(request: Request) -> Reply { log => super::auth => last }
        }

        pub fn log() -> Log {
            Log
        }
    }

    #[test]
    fn what_stands_in_does_so_for_modules_in_its_own() {
        block_on(async {
            assert_eq!(inner::WithLog { log: inner::log() }.run(Request(1)).await, Reply(1_021));
            assert_eq!(inner::ByItsPath { log: Log }.run(Request(1)).await, Reply(1_021));
        });
    }
}
