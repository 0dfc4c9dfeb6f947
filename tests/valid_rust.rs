//! Code that is valid in a function, a struct or a `match` of Rust is valid in a chain and a node.

#![allow(
    clippy::needless_lifetimes,
    clippy::extra_unused_lifetimes,
    clippy::needless_arbitrary_self_type,
    clippy::manual_range_contains,
    clippy::redundant_closure_call,
    mismatched_lifetime_syntaxes,
    unreachable_patterns,
    unused_braces,
    reason = "it is what is tested"
)]

use std::collections::HashMap;

use chain_runtime::{Context, chain, node};

struct Request {
    path: String,
}

fn request(path: &str) -> Request {
    Request { path: path.to_owned() }
}

#[derive(Debug, PartialEq)]
struct Reply(usize);

struct Refused;

impl chain_runtime::IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Reply(401)
    }
}

trait Store {
    fn get(&self) -> usize;
}

struct Db;

impl Store for Db {
    fn get(&self) -> usize {
        7
    }
}

#[node]
fn length(request: &Request) -> Reply {
    Reply(request.path.len())
}

#[node]
async fn last() -> Reply {
    Reply(1)
}

mod generics {
    //! Parentheses, arrows, braces and ranges in generics, turbofishes and types.

    use super::*;

    struct With<F>(F);

    #[node]
    impl<F: Fn(&Request) -> bool> With<F> {
        fn enter(&self, request: &Request) -> Result<(), Refused> {
            if (self.0)(request) { Ok(()) } else { Err(Refused) }
        }
    }

    chain! {
        struct Asks<F: Fn(&Request) -> bool> { with: With<F> }
        fn(request: Request) -> Reply { with => length }
    }

    #[node]
    fn made<T>() -> Option<T> {
        None
    }

    chain! { struct Makes; fn(request: Request) -> Reply { made::<Box<dyn Fn(u8) -> u8>> => length } }

    struct Held<T>(T);

    #[node]
    fn first_of<T: Into<(u8, u8)> + Clone>(held: &Held<T>) -> Reply {
        Reply(held.0.clone().into().0.into())
    }

    chain! {
        struct OfPairs<T: Into<(u8, u8)> + Clone> { held: Held<T> }
        fn() -> Reply { first_of::<T> }
    }

    chain! {
        struct Many<const N: usize = { 1 + 2 }>;
        fn(request: Request) -> Reply { length }
    }

    #[node]
    fn call<F>(held: &Held<F>, request: &Request) -> Reply
    where
        for<'a> F: Fn(&'a str) -> &'a str,
    {
        Reply((held.0)(&request.path).len())
    }

    chain! {
        struct Calls<F: Copy = fn(&str) -> &str> where F: for<'a> Fn(&'a str) -> &'a str { held: Held<F> }
        fn(request: Request) -> Reply { call::<F> }
    }

    #[node]
    fn none<T>() -> Vec<T> {
        Vec::new()
    }

    chain! {
        struct Turbofish;
        fn(request: Request) -> Reply { none::<Box<dyn Fn(u8) -> u8>> => none::<[(u8, u8); { 1 << 2 }]> => length }
    }

    #[node]
    fn answers() -> fn(&u8) -> u8 {
        |number| number + 1
    }

    chain! {
        struct Replies;
        fn() -> fn(&u8) -> u8 { answers }
    }

    trait Has {
        type Node;
    }

    impl Has for Db {
        type Node = Seven;
    }

    struct Seven {}

    #[node(stateless)]
    impl Seven {
        fn enter(&self) -> Reply {
            Reply(7)
        }
    }

    chain! {
        struct Qualified;
        fn(request: Request) -> Reply { <Db as Has>::Node }
    }

    #[test]
    fn parentheses_arrows_and_braces_stand_in_generics() {
        let asks = Asks { with: With(|request: &Request| !request.path.is_empty()) };
        assert_eq!((asks.run(request("ab")), asks.run(request(""))), (Reply(2), Reply(401)));
        assert_eq!(OfPairs { held: Held((3, 4)) }.run(), Reply(3));
        let many: Many = Many;
        assert_eq!(many.run(request("abc")), Reply(3));
        let calls: Calls = Calls { held: Held(|text| &text[1..]) };
        assert_eq!(calls.run(request("abc")), Reply(2));
        assert_eq!(Turbofish.run(request("abc")), Reply(3));
        assert_eq!(Replies.run()(&4), 5);
        assert_eq!(Qualified.run(request("abc")), Reply(7));
        assert_eq!(Makes.run(request("abc")), Reply(3));
    }
}

mod patterns {
    use super::*;

    struct Number(i32);

    #[node]
    fn five() -> i32 {
        5
    }

    #[node]
    fn low() -> Reply {
        Reply(1)
    }

    #[node]
    fn high() -> Reply {
        Reply(2)
    }

    #[node]
    fn which(number: &Number) -> (i32, [u8; 3], Option<i32>) {
        (number.0, [1, 2, 3], (number.0 > 3).then_some(number.0))
    }

    #[node]
    fn pair(byte: &u8, more: &i32) -> Reply {
        Reply(usize::from(*byte) + *more as usize)
    }

    chain! {
        struct Ranges;
        fn(number: Number) -> Reply {
            match which {
                (..=0, ..) | (1..=2, [_, _, 9], _) => low,
                (3, [1, .., _], None) if (|x: i32| -> bool { x < 4 })(3) => { low }
                (_, [first: u8, ..], Some(more: i32) ) if more >= 4 && more <= 9 => pair,
                (i32::MIN..=-1 | 10.., _, _) => high,
                _ => if let 1..=5 = five { low } else { high },
            }
        }
    }

    #[test]
    fn ranges_slices_and_guards_stand_in_patterns() {
        let replies = [0, 1, 3, 4, 12].map(|number| Ranges.run(Number(number)).0);
        assert_eq!(replies, [1, 1, 1, 5, 2]);
    }
}

mod state {
    //! In the short form.

    use super::*;

    #[derive(Clone, Copy)]
    struct Limit {
        at_most: usize,
        of: usize,
    }

    impl Limit {
        const fn new() -> Self {
            Self { at_most: 1, of: 10 }
        }
    }

    #[node]
    impl Limit {
        fn enter(&self, response: &mut chain_runtime::Response) {
            response.body.extend_from_slice(&[(self.at_most + self.of) as u8]);
        }
    }

    macro_rules! given {
        ($of:expr) => {
            chain!(given: Limit = Limit { at_most: 0, of: $of * 2 })
        };
    }

    #[tokio::test]
    async fn what_another_macro_gives_stays_together() {
        let mut context = Context::new();
        given!(1 + 2).run(&mut context).await;
        assert_eq!(&context.response.body[..], [6]);
    }

    #[tokio::test]
    async fn any_expression_is_a_state() {
        let large = true;
        let chain = chain! {
            update: Limit = Limit { at_most: 2, ..Limit::new() }
                => branch: Limit = if large { Limit { of: 20, ..Limit::new() } } else { Limit::new() }
                => matched: Limit = match large { true => Limit::new(), false => Limit { at_most: 9, ..Limit::new() } }
                => called: Limit = (|of: usize| -> Limit { Limit { of, ..Limit::new() } })(3)
        };
        let mut context = Context::new();
        chain.run(&mut context).await;
        assert_eq!(&context.response.body[..], [12, 21, 11, 4]);
    }
}

mod lifetimes {
    use super::*;

    #[derive(Clone, Copy)]
    struct Token<'r>(&'r str);
    struct Pair<'a, 'b>(&'a str, &'b str);
    struct Wrap<T>(T);

    #[node]
    fn longer<'a, 'b: 'a>(request: &'b Request) -> Token<'a> {
        Token(&request.path)
    }

    #[node]
    fn optional<'r>(token: &Token<'r>) -> Option<Token<'r>> {
        Some(*token)
    }

    #[node]
    fn table<'r>(token: &Token<'r>) -> HashMap<u8, Vec<Token<'r>>> {
        HashMap::from([(1, vec![*token])])
    }

    #[node]
    fn pair<'r>(token: &Token<'r>) -> Pair<'r, 'r> {
        Pair(token.0, token.0)
    }

    #[node]
    fn hidden(token: &Token, optional: &Option<Token>, table: &HashMap<u8, Vec<Token>>, pair: &Pair) -> Reply {
        let in_table = table[&1].iter().map(|token| token.0.len()).sum::<usize>();
        Reply(token.0.len() + optional.map_or(0, |token| token.0.len()) + in_table + pair.0.len() + pair.1.len())
    }

    chain! {
        struct Hidden;
        fn<'r>(request: &'r Request) -> Reply { longer => optional => table => pair => hidden }
    }

    #[node]
    fn borrow<'a, T: Store>(of: &'a Wrap<T>) -> Wrap<&'a T> {
        Wrap(&of.0)
    }

    #[node]
    fn read<T: Store>(of: &Wrap<&T>) -> Reply {
        Reply(of.0.get())
    }

    chain! {
        struct Implied;
        fn<'r>(of: &'r Wrap<Db>) -> Reply { borrow::<Db> => read::<Db> }
    }

    chain! {
        struct ImpliedOfAny<S: Store> { of: Wrap<S> }
        async fn() -> Reply { borrow::<S> => read::<S> }
    }

    #[node]
    fn maybe<T: Store>(of: &Option<&T>) -> Reply {
        Reply(of.map_or(0, Store::get))
    }

    chain! {
        struct OfAReference;
        fn<'r>(of: Option<&'r Db>) -> Reply { maybe::<Db> }
    }

    /// Holds a lifetime of the chain.
    struct Named<'c>(&'c str);

    #[node]
    impl<'c> Named<'c> {
        async fn enter(&self) -> Token<'c> {
            Token(self.0)
        }
        async fn exit(&self, token: &Token<'c>, reply: &mut Reply) {
            reply.0 += token.0.len();
        }
        fn cancelled(&self, token: &Token<'c>) {
            assert!(token.0.len() < 9);
        }
    }

    struct Elided<'c>(&'c str);

    #[node]
    impl Elided<'_> {
        fn enter(&self) -> Result<(), Refused> {
            if self.0.is_empty() { Err(Refused) } else { Ok(()) }
        }
    }

    /// Holds two of them.
    struct Both<'a, 'b>(&'a str, &'b str);

    #[node]
    impl<'a, 'b> Both<'a, 'b> {
        fn enter(&self) -> (&'a str, &'b str) {
            (self.0, self.1)
        }
        fn exit(&self, both: &(&'a str, &'b str), reply: &mut Reply) {
            reply.0 += both.0.len() + both.1.len();
        }
    }

    chain! {
        struct OfTwo<'a, 'b> { both: Both<'a, 'b>, more: Token<'a> }
        async fn() -> Reply { both => check => last }
    }

    #[node]
    fn check(token: &Token) {
        assert!(!token.0.is_empty());
    }

    chain! {
        #[send]
        #[budget(future = 4096)]
        struct OfAChain<'c> { named: Named<'c>, elided: Elided<'c> }
        async fn() -> Reply { elided => named => check => last }
    }

    #[node]
    fn push<'a>(all: &mut Vec<&'a str>, text: &'a str) {
        all.push(text);
    }

    #[node]
    fn count(all: &Vec<&str>) -> Reply {
        Reply(all.len())
    }

    chain! {
        struct WrittenThrough;
        fn<'r>(all: &'r mut Vec<&'r str>, text: &'r str) -> Reply { push => count }
    }

    trait Visit<'a> {
        fn see(&mut self, text: &'a str);
    }

    impl<'a> Visit<'a> for Vec<&'a str> {
        fn see(&mut self, text: &'a str) {
            self.push(text);
        }
    }

    #[node]
    fn visit<'a>(all: &mut (dyn Visit<'a> + 'a), text: &'a str) -> Reply {
        all.see(text);
        Reply(text.len())
    }

    chain! {
        struct OfAnObject;
        fn<'r>(all: &'r mut (dyn Visit<'r> + 'r), text: &'r str) -> Reply { visit }
    }

    #[node]
    fn fill(bytes: &mut [u8]) {
        bytes.fill(3);
    }

    #[node]
    fn first(bytes: &[u8], text: &str) -> Reply {
        Reply(usize::from(bytes[0]) + text.len())
    }

    #[node]
    fn shout(text: &mut str) {
        text.make_ascii_uppercase();
    }

    chain! {
        struct WithoutASize;
        fn<'r>(bytes: &'r mut [u8], text: &'r mut str) -> Reply { fill => shout => first }
    }

    chain! {
        struct OverASlice;
        fn<'r>(bytes: &'r mut [u8], text: &'static str) -> usize { fill => sum }
    }

    #[node]
    fn sum(bytes: &[u8]) -> usize {
        bytes.iter().map(|byte| usize::from(*byte)).sum()
    }

    #[test]
    fn a_lifetime_may_be_hidden_or_elided_or_of_the_chain() {
        assert_eq!(Hidden.run(&request("abc")), Reply(15));
        assert_eq!(Implied.run(&Wrap(Db)), Reply(7));
        assert_eq!(OfAReference.run(Some(&Db)), Reply(7));
        let mut all = Vec::new();
        assert_eq!(WrittenThrough.run(&mut all, "ab"), Reply(1));
        let mut all = Vec::new();
        assert_eq!(OfAnObject.run(&mut all, "ab"), Reply(2));
    }

    #[test]
    fn an_input_needs_no_size() {
        let (mut bytes, mut text) = ([0; 4], "ab".to_owned());
        assert_eq!(WithoutASize.run(&mut bytes, &mut text), Reply(5));
        assert_eq!((bytes, text.as_str()), ([3; 4], "AB"));
        assert_eq!(OverASlice.run(&mut bytes, ""), 12);
    }

    #[tokio::test]
    async fn a_node_has_a_lifetime_of_the_chain() {
        assert_eq!(ImpliedOfAny { of: Wrap(Db) }.run().await, Reply(7));
        let text = "abc".to_owned();
        let chain = OfAChain { named: Named(&text), elided: Elided(&text) };
        assert_eq!(chain.run().await, Reply(4));
        let other = "de".to_owned();
        let chain = OfTwo { both: Both(&text, &other), more: Token(&other) };
        assert_eq!(chain.run().await, Reply(6));
    }
}

mod cancelled {
    //! It finds its own node's value like `exit`, whatever the lifetimes are called.

    use std::cell::RefCell;
    use std::task::Waker;

    use super::*;

    thread_local!(static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

    macro_rules! log {
        ($name:ident, $began:ident, $($own:tt)*) => {
            struct $began<'r>(&'r str);
            struct $name;

            #[node]
            impl $name {
                fn enter<'r>(&self, request: &'r Request) -> $began<'r> {
                    $began(&request.path)
                }
                fn exit(&self, began: $($own)*) {
                    SAID.with_borrow_mut(|said| said.push(format!("left {}", began.0)));
                }
                fn cancelled(&self, began: $($own)*) {
                    SAID.with_borrow_mut(|said| said.push(format!("cancelled {}{}", stringify!($name), began.0)));
                }
            }
        };
    }

    log!(Elided, OfElided, &OfElided<'_>);
    log!(Hidden, OfHidden, &OfHidden);
    log!(Written, OfWritten, &mut OfWritten<'_>);

    #[node]
    async fn stuck() -> Reply {
        std::future::pending().await
    }

    chain! {
        struct Gateway { elided: Elided, hidden: Hidden, written: Written }
        async fn<'r>(request: &'r Request) -> Reply { elided => hidden => { written => pass } => stuck }
    }

    #[node]
    fn pass() {}

    #[test]
    fn its_own_value_is_found() {
        let request = request("/");
        let mut context = std::task::Context::from_waker(Waker::noop());
        let gateway = Gateway { elided: Elided, hidden: Hidden, written: Written };
        assert!(Box::pin(gateway.run(&request)).as_mut().poll(&mut context).is_pending());
        assert_eq!(SAID.take(), ["left /", "cancelled Hidden/", "cancelled Elided/"]);
    }
}

mod conditional {
    //! `#[cfg(..)]` on hooks, parameters, type parameters, inputs, and in segments.

    use super::*;

    chain! {
        /// Nothing of it is there, not only its struct.
        #[cfg(any())]
        struct Absent;
        fn(absent: Absent) -> Absent { absent }
    }

    struct Log;

    #[node]
    impl Log {
        fn enter(self: &Self) -> u8 {
            1
        }
        #[cfg(any())]
        fn exit(&self, reply: &Absent) {}
        #[cfg(not(any()))]
        fn exit(&self, #[cfg(any())] absent: &Absent, #[cfg(not(any()))] own: &u8, reply: &mut Reply) {
            reply.0 += usize::from(*own);
        }
        #[cfg(any())]
        fn cancelled(&self, absent: &Absent) {}
    }

    #[node]
    #[cfg(any())]
    fn gone(absent: &Absent) {}

    #[node]
    #[cfg(not(any()))]
    fn gone() {}

    #[node]
    fn some(#[cfg(any())] absent: Absent, #[cfg(not(any()))] request: &Request, #[cfg(any())] also: &Absent) -> Reply {
        Reply(request.path.len())
    }

    chain! {
        struct Hooks { log: Log }
        fn(
            #[cfg(any())] absent: Absent,
            request: Request,
            #[cfg(not(any()))]
            #[allow(unused_variables)]
            number: u16,
            #[cfg(any())] also: Absent
        ) -> Reply {
            log => gone => #[cfg(any())] absent => some
        }
    }

    chain! {
        segment part {
            #[cfg(any())] absent => gone => #[cfg(not(any()))] { gone } => match_it
        }
    }

    chain! {
        segment whole {
            match what { #[cfg(any())] Absent => absent, #[cfg(not(any()))] true => gone => gone, _ => {} }
        }
    }

    #[node]
    fn match_it() {}

    #[node]
    fn what() -> bool {
        true
    }

    chain! {
        struct Segments;
        fn(request: Request) -> Reply { ..part => #[cfg(any())] ..absent => ..whole => length }
    }

    #[tokio::test]
    async fn what_is_not_compiled_is_not_there() {
        assert_eq!(Hooks { log: Log }.run(request("abc"), 1), Reply(4));
        assert_eq!(Segments.run(request("abc")), Reply(3));
        assert_eq!(Segments::NODES.len(), 7);
        let chain = chain!(
            #[cfg(any())]
            absent => gone
        );
        chain.run(&mut Context::new()).await;
    }
}

mod names {
    //! Nodes under other names than their own.

    use super::*;
    use crate::length as how_long;
    use chain_runtime::{chain as declare, node as step};

    mod login {
        use chain_runtime::node;

        #[node]
        pub(super) fn login(_request: &super::Request) -> u16 {
            3
        }
    }

    #[step]
    fn twice(number: &u16) {
        assert_eq!(*number, 3);
    }

    declare! {
        struct Renamed;
        fn(request: Request) -> Reply { login::login => twice => how_long }
    }

    use chain_runtime::{Reloadable as Swapped, Toggles as Switched};

    type Flags = Switched;

    struct Limit(usize);
    struct Boxed<T>(T);

    #[node]
    fn limited(limit: &Limit, boxed: &Boxed<u8>) -> Reply {
        Reply(limit.0 + usize::from(boxed.0))
    }

    #[node]
    fn gone() -> Result<(), Refused> {
        Err(Refused)
    }

    declare! {
        struct Fields { limit: Swapped<Limit>, boxed: Boxed<u8>, flags: Flags }
        fn() -> Reply { #[toggle(off)] gone => limited }
    }

    #[test]
    fn a_field_is_known_by_its_type_and_not_by_its_name() {
        let chain = Fields { limit: Swapped::new(Limit(1)), boxed: Boxed(2), flags: Flags::new() };
        assert_eq!(chain.run(), Reply(3));
        chain.limit.store(Limit(5));
        assert_eq!(chain.run(), Reply(7));
        assert_eq!(chain.toggles().set("gone", true), Ok(false));
        assert_eq!(chain.run(), Reply(401));
    }

    #[test]
    fn what_is_imported_under_another_name_is_the_same() {
        assert_eq!(Renamed.run(request("abc")), Reply(3));
        assert_eq!(Renamed::NODES[0].name, "login");
        assert_eq!(Renamed::NODES[2].name, "how_long");
    }
}

mod references_to_references {
    //! A parameter `&&T` is lent a reference to the `&T` that is found by `T`, whoever owns it.

    use std::cell::RefCell;

    use super::*;

    struct Named<'c>(&'c str);

    #[node]
    impl<'c> Named<'c> {
        fn enter(&self) -> &'c str {
            self.0
        }
        fn exit(&self, name: &&str, reply: &mut Reply) {
            reply.0 += name.len();
        }
    }

    #[node]
    fn of_name(name: &&str) -> Reply {
        Reply(name.len())
    }

    #[node]
    async fn of_name_later(name: &&str, request: Request, seven: &&&u32) -> Reply {
        tokio::task::yield_now().await;
        Reply(name.len() + request.path.len() + ***seven as usize)
    }

    /// Keeps the inner reference.
    #[node]
    fn tail<'r>(name: &&'r str) -> Tail<'r> {
        Tail(&name[1..])
    }
    struct Tail<'r>(&'r str);

    #[node]
    fn of_tail(tail: &Tail<'_>) -> Reply {
        Reply(tail.0.len())
    }

    #[node]
    fn shown<T: std::fmt::Display>(shown: &&T) -> Reply {
        Reply(shown.to_string().len())
    }

    chain! { struct Provided<'c> { named: Named<'c> } fn(request: Request) -> Reply { named => of_name } }
    chain! { struct Field<'c> { name: &'c str } fn() -> Reply { tail => of_tail } }
    chain! { struct Input { seven: u32 } async fn<'r>(name: &'r str, request: Request) -> Reply { of_name_later } }
    chain! { struct Owned { seven: u32 } fn() -> Reply { shown::<u32> } }

    #[tokio::test]
    async fn are_lent_to_what_is_found_by_its_type() {
        let name = String::from("ada");
        assert_eq!(Provided { named: Named(&name) }.run(request("/")), Reply(6));
        assert_eq!(Field { name: &name }.run(), Reply(2));
        assert_eq!(Input { seven: 7 }.run(&name, request("/")).await, Reply(11));
        assert_eq!(Owned { seven: 1234 }.run(), Reply(4));
    }

    struct Notes<'c>(&'c str, RefCell<Vec<String>>);

    #[node]
    impl<'c> Notes<'c> {
        fn enter(&self) -> &'c str {
            self.0
        }
        fn cancelled(&self, own: &&str, field: &&u32, twice: &&&bool) {
            self.1.borrow_mut().push(format!("{own} {field} {twice}"));
        }
    }

    #[node]
    async fn never(_seven: &u32) -> Reply {
        std::future::pending().await
    }

    chain! { struct Cancels<'c> { seven: &'c u32, yes: bool, notes: Notes<'c> } async fn() -> Reply { notes => never } }

    #[test]
    fn are_lent_to_cancelled() {
        let chain = Cancels { seven: &7, yes: true, notes: Notes("ada", RefCell::default()) };
        let mut run = Box::pin(chain.run());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_pending());
        drop(run);
        assert_eq!(chain.notes.1.into_inner(), ["ada 7 true"]);
    }
}

mod hidden_lifetimes {
    //! A lifetime that a function's parameters may hide or leave out, a node's may.

    use super::*;

    struct Token<'r>(&'r str);
    struct Tail<'r>(&'r str);
    struct Lines(String);

    #[node]
    fn token<'r>(line: &'r str) -> Token<'r> {
        Token(line)
    }

    #[node]
    fn cut(token: &mut Token) {
        token.0 = &token.0[1..];
    }

    #[node]
    fn tail_of<'r>(token: &'r Token) -> Tail<'r> {
        Tail(token.0)
    }

    #[node]
    fn tail(line: &str) -> Result<Tail<'_>, Refused> {
        Ok(Tail(line))
    }

    #[node]
    fn taken(token: Token) -> Reply {
        Reply(token.0.len())
    }

    #[node]
    fn length_of_token(token: &Token) -> Reply {
        Reply(token.0.len())
    }

    #[node]
    async fn length_of_tail(tail: &mut Tail<'_>) -> Reply {
        tokio::task::yield_now().await;
        Reply(tail.0.len())
    }

    #[node]
    impl Lines {
        fn enter(&self) -> Token {
            Token(&self.0)
        }
        fn exit(&self, own: &mut Token, other: &Tail, reply: &mut Reply) {
            reply.0 += own.0.len() + other.0.len();
        }
        fn cancelled(&self, _own: &mut Token, other: &Tail) {
            assert_eq!(other.0, "abc");
        }
    }

    chain! { struct Writes; fn(line: &str) -> Reply { token => cut => length_of_token } }
    chain! { struct Keeps; async fn(token: &Token<'_>) -> Reply { tail_of => length_of_tail } }
    chain! { struct Borrows; async fn(line: &str) -> Reply { tail => length_of_tail } }
    chain! { struct Takes; fn(token: Token<'_>) -> Reply { taken } }
    chain! { struct Hooks<'c> { lines: Lines, tail: Tail<'c> } async fn() -> Reply { lines => last } }

    #[tokio::test]
    async fn may_be_left_out() {
        let abc = String::from("abc");
        assert_eq!(Writes.run(&abc), Reply(2));
        assert_eq!(Keeps.run(&Token(&abc)).await, Reply(3));
        assert_eq!(Borrows.run(&abc).await, Reply(3));
        assert_eq!(Takes.run(Token(&abc)), Reply(3));
        assert_eq!(Hooks { lines: Lines("12".to_owned()), tail: Tail(&abc) }.run().await, Reply(6));
    }
}

mod results_by_type {
    //! A result is read by what it is, whatever it is called.

    use std::ops::ControlFlow as Flow;
    use std::result::Result as Res;

    use super::*;

    type Outcome<T> = Result<T, Refused>;
    type Out = Res<Reply, Refused>;

    struct User(usize);
    struct Held<T>(T);
    struct Log;

    #[node]
    fn known(request: &Request) -> Outcome<User> {
        if request.path.is_empty() { Err(Refused) } else { Ok(User(1)) }
    }

    #[node]
    async fn allowed(request: &Request) -> Res<(), Refused> {
        tokio::task::yield_now().await;
        if request.path == "/denied" { Err(Refused) } else { Ok(()) }
    }

    #[node]
    fn cached<'r>(request: &Request, letters: &'r str) -> Flow<Reply, Held<&'r str>> {
        if request.path == "/cached" { Flow::Break(Reply(304)) } else { Flow::Continue(Held(letters)) }
    }

    #[node]
    impl Log {
        fn enter(&self, request: &Request) -> Flow<Reply> {
            if request.path == "/gone" { Flow::Break(Reply(410)) } else { Flow::Continue(()) }
        }
        fn exit(&self, reply: &mut Reply) {
            reply.0 += 1000;
        }
    }

    #[node]
    fn count(user: &User, letters: &Held<&str>) -> Held<usize> {
        Held(user.0 + letters.0.len())
    }

    #[node]
    fn reply(count: &Held<usize>) -> Reply {
        Reply(count.0)
    }

    #[node]
    fn out(count: &Held<usize>) -> Out {
        if count.0 > 4 { Err(Refused) } else { Ok(Reply(count.0)) }
    }

    chain! {
        struct Plain { log: Log }
        async fn(request: Request, letters: &str) -> Reply { log => known => allowed => cached => count => reply }
    }
    chain! { struct Alias; fn(request: Request, letters: &str) -> Out { known => cached_out => count => reply } }
    chain! { struct Renamed; fn(request: Request, letters: &str) -> Res<Reply, Refused> { known => cached_out => count => out } }
    chain! { struct Itself; fn(held: Held<usize>) -> Out { take => out } }

    #[node]
    fn cached_out<'r>(request: &Request, letters: &'r str) -> Flow<Out, Held<&'r str>> {
        if request.path == "/cached" { Flow::Break(Ok(Reply(304))) } else { Flow::Continue(Held(letters)) }
    }

    #[node]
    fn take(_held: &Held<usize>) {}

    #[tokio::test]
    async fn whatever_it_is_called_it_provides_or_breaks() {
        for (path, reply) in [("/", 1004), ("", 1401), ("/denied", 1401), ("/cached", 1304), ("/gone", 410)] {
            assert_eq!(Plain { log: Log }.run(request(path), "abc").await, Reply(reply), "{path}");
        }
    }

    #[test]
    fn a_reply_is_a_result_whatever_it_is_called() {
        assert!(matches!(Alias.run(request("/"), "abc"), Ok(Reply(4))));
        assert!(Alias.run(request(""), "abc").is_err());
        assert!(matches!(Alias.run(request("/cached"), "abc"), Ok(Reply(304))));
        assert!(matches!(Renamed.run(request("/"), "abc"), Ok(Reply(4))));
        assert!(Renamed.run(request("/"), "abcd").is_err());
        assert!(Itself.run(Held(5)).is_err());
    }
}
