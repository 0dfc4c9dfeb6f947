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

/// What text does not find: each type has another name where a node asks for it.
mod by_another_name {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use chain_runtime::{Ending, chain, node};

    use super::{log, logged};

    type Ip = Ipv4Addr;
    type Text = String;
    type End = Ending;
    type Words<'a> = Line<'a>;

    pub struct Line<'a>(&'a str);

    #[node]
    fn home() -> Ipv4Addr {
        Ipv4Addr::LOCALHOST
    }

    #[node]
    fn line<'a>(text: &'a str) -> Line<'a> {
        Line(text)
    }

    #[node]
    fn next(ip: &mut Ip) {
        *ip = Ip::from_bits(ip.to_bits() + 1);
    }

    #[node]
    fn show(ip: &Ip) -> String {
        ip.to_string()
    }

    #[node]
    fn close(ip: Ip) -> String {
        format!("closed {ip}")
    }

    #[node]
    fn cut(line: &mut Words) {
        line.0 = &line.0[1..];
    }

    #[node]
    fn say(line: &Words) -> String {
        line.0.to_owned()
    }

    pub struct Log;

    #[node]
    impl Log {
        fn exit(&self, ip: &Ip, ending: &End, reply: &mut Text) {
            log(format!("{ip} by {}", ending.by().name));
            reply.push('.');
        }
    }

    pub struct Moves;

    #[node]
    impl Moves {
        fn enter(&self, ip: &mut Ip) {
            *ip = Ip::from_bits(ip.to_bits() + 16);
        }

        async fn exit(&self, ip: &mut Ip, reply: &Text) {
            *ip = Ip::BROADCAST;
            log(format!("moved {reply}"));
        }
    }

    pub struct Eats;

    #[node]
    impl Eats {
        async fn enter(&self, ip: Ip) -> u16 {
            log(format!("ate {ip}"));
            4
        }
    }

    pub struct Trims;

    #[node]
    impl Trims {
        fn enter(&self, line: &mut Words<'_>) {
            line.0 = line.0.trim();
        }

        fn exit(&self, line: &Words<'_>) {
            log(format!("line {}", line.0));
        }
    }

    #[node]
    fn answer(number: &u16) -> String {
        number.to_string()
    }

    chain! { struct Functions; fn() -> String { home => next => close } }
    chain! { struct Lines; fn(text: &str) -> String { line => cut => say } }
    chain! { struct Hooks { log: Log, moves: Moves } async fn() -> String { home => log => moves => next => show } }
    chain! { struct Taken { eats: Eats } async fn() -> String { home => eats => answer } }
    chain! { struct Kept { trims: Arc<Trims> } fn(text: &str) -> String { line => { trims => cut => say } } }
    chain! { struct Of<'k> { known: &'k Ipv4Addr, log: Log } fn() -> String { log => show } }

    pub struct Any<T>(T);
    chain! { struct Generic<T: Copy> { any: Any<T>, moves: Moves } async fn() -> String { home => moves => next => show } }

    #[test]
    fn what_text_does_not_find_is_found_by_its_type() {
        use chain::poll::block_on;

        assert_eq!(Functions.run(), "closed 127.0.0.2");
        assert_eq!(Lines.run("abc"), "bc");
        let hooks = Hooks { log: Log, moves: Moves };
        assert_eq!(
            (block_on(hooks.run()), logged().as_str()),
            ("127.0.0.18.".to_owned(), "moved 127.0.0.18, 255.255.255.255 by show")
        );
        assert_eq!((block_on(Taken { eats: Eats }.run()), logged().as_str()), ("4".to_owned(), "ate 127.0.0.1"));
        let kept = Kept { trims: Arc::new(Trims) };
        assert_eq!((kept.run(" abc "), logged().as_str()), ("bc".to_owned(), "line bc"));
        let known = Ipv4Addr::UNSPECIFIED;
        assert_eq!(
            (Of { known: &known, log: Log }.run(), logged().as_str()),
            ("0.0.0.0.".to_owned(), "0.0.0.0 by show")
        );
        let generic = Generic { any: Any(0_u8), moves: Moves };
        assert_eq!(
            (block_on(generic.run()), generic.any.0, logged().as_str()),
            ("127.0.0.18".to_owned(), 0, "moved 127.0.0.18")
        );
    }
}
