//! Nodes with hooks whose signatures are told by the macro beside their `impl` block: whatever a chain can know of them, it runs as with hooks that
//! are found by their traits. An alias as a field's type hides the macro.

use std::cell::RefCell;

use chain_runtime::{chain, node};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn log(line: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(line.into()));
}

fn logged() -> String {
    LOG.take().join(", ")
}

mod types {
    use super::log;

    pub struct Far(pub u8);
    pub struct Near;

    #[chain_runtime::node]
    impl Far {
        fn enter(&self) -> Result<u16, String> {
            log("far");
            if self.0 == 0 { Err("none".to_owned()) } else { Ok(self.0.into()) }
        }
        fn exit(&self, reply: &mut String) {
            log("far out");
            reply.push('!');
        }
    }

    pub struct Apart;

    /// The block stands in another module than the type: there is no macro where the type is.
    mod elsewhere {
        use super::{Apart, log};

        #[chain_runtime::node]
        impl Apart {
            fn enter(&self) -> u16 {
                log("apart");
                3
            }
            fn exit(&self, reply: &mut String) {
                log("apart out");
                reply.push('?');
            }
        }
    }

    #[chain_runtime::node]
    impl Near {
        async fn enter(&self, number: &u16) {
            log(format!("near {number}"));
        }
        async fn exit(&self, number: &u16, reply: &String) {
            log(format!("near out {number} {reply}"));
        }
    }

    /// Breaks for some inputs, and changes its own value on its way out.
    pub struct Counts;

    #[chain_runtime::node]
    impl Counts {
        fn enter(&self, limit: &mut u32) -> Result<u64, String> {
            *limit += 1;
            if *limit > 3 { Err("over".to_owned()) } else { Ok(u64::from(*limit)) }
        }
        fn exit(&self, own: &mut u64, reply: &mut String) {
            *own += 40;
            reply.push_str(&own.to_string());
        }
    }
}

type Near = types::Near;
type Counts = types::Counts;

#[node]
async fn number(number: &u16) -> String {
    log("last");
    number.to_string()
}

#[node]
fn counted(count: &u64) -> String {
    format!("{count} ")
}

chain! { struct ByText { far: types::Far, near: types::Near } async fn() -> String { far => near => number } }
chain! { struct ByType { far: types::Far, near: Near } async fn() -> String { far => near => number } }
chain! { struct WithApart { apart: types::Apart, near: types::Near } async fn() -> String { apart => near => number } }
chain! { struct CountsByText { counts: types::Counts } fn(limit: u32) -> String { counts => counted } }
chain! { struct CountsByType { counts: Counts } fn(limit: u32) -> String { counts => counted } }

#[tokio::test]
async fn hooks_run_in_the_same_order_by_text_and_by_type() {
    for far in [0, 3] {
        let by_text = ByText { far: types::Far(far), near: types::Near }.run().await;
        let logged_by_text = logged();
        let by_type = ByType { far: types::Far(far), near: types::Near }.run().await;
        assert_eq!((by_text, logged_by_text), (by_type, logged()));
    }
    ByText { far: types::Far(3), near: types::Near }.run().await;
    assert_eq!(logged(), "far, near 3, last, near out 3 3, far out");
}

#[tokio::test]
async fn hooks_whose_type_is_declared_elsewhere_are_found() {
    assert_eq!(WithApart { apart: types::Apart, near: types::Near }.run().await, "3?");
    assert_eq!(logged(), "apart, near 3, last, near out 3 3, apart out");
}

#[test]
fn a_value_is_the_nodes_own_on_its_way_out() {
    for limit in 0..5 {
        let (text, ty) = (CountsByText { counts: types::Counts }, CountsByType { counts: types::Counts });
        assert_eq!(text.run(limit), ty.run(limit));
    }
    assert_eq!(CountsByText { counts: types::Counts }.run(0), "1 41");
}

#[test]
fn a_chain_says_the_same_of_its_hooks() {
    let facts = |nodes: &[chain_runtime::NodeInfo]| {
        let each = |node: &chain_runtime::NodeInfo| format!("{:?} {:?} {:?}", node.facts, node.needs, node.exit_needs);
        nodes.iter().map(each).collect::<Vec<_>>()
    };
    assert_eq!(facts(ByText::NODES), facts(ByType::NODES));
    assert_eq!(facts(CountsByText::NODES), facts(CountsByType::NODES));
}

/// Macros that derive what they name, and a macro of the user's, beside nodes of that name.
mod names {
    use super::log;

    #[derive(Clone, Debug, Default, Hash)]
    pub struct Hash;

    #[chain_runtime::node]
    impl Hash {
        fn enter(&self) {
            log("hash");
        }
    }

    #[derive(Clone, Debug, Hash)]
    pub struct Other;
}

#[node]
fn eight() -> u8 {
    8
}

chain! { struct Named { hash: names::Hash } fn() -> u8 { hash => eight } }

#[test]
fn a_node_may_be_called_like_a_derive_macro() {
    assert_eq!((Named { hash: names::Hash }.run(), logged()), (8, "hash".to_owned()));
    assert_eq!(format!("{:?}", names::Other), "Other");
}

#[test]
fn a_chain_in_a_function_knows_the_types_around_it() {
    struct Local(u8);
    #[node]
    impl Local {
        fn enter(&self) -> u32 {
            self.0.into()
        }
        fn exit(&self, own: &mut u32, reply: &mut u8) {
            *own += 1;
            *reply += u8::try_from(*own).expect("it is small");
        }
    }
    #[node]
    fn nothing(number: &u32) -> u8 {
        u8::try_from(*number).expect("it is small") * 10
    }
    chain! { struct Inside { local: Local } fn() -> u8 { local => nothing } }
    assert_eq!(Inside { local: Local(4) }.run(), 45);
}

/// Two types of one name: a function provides the one, and hooks the other.
mod one {
    pub struct Session(pub u8);
    pub struct Db;

    #[chain_runtime::node]
    impl Db {
        fn enter(&self) -> Session {
            Session(7)
        }
    }

    #[chain_runtime::node]
    pub fn see(session: &Session) -> u8 {
        session.0
    }
}

mod other {
    pub struct Session(pub u8);

    #[chain_runtime::node]
    pub fn open() -> Session {
        Session(1)
    }

    #[chain_runtime::node]
    pub fn see(session: &Session) {
        super::log(format!("other {}", session.0));
    }
}

chain! { struct Two { db: one::Db } fn() -> u8 { other::open => db => other::see => one::see } }

#[test]
fn two_types_that_are_written_alike_are_told_apart() {
    assert_eq!((Two { db: one::Db }.run(), logged()), (7, "other 1".to_owned()));
}
