//! A chain means what is written: what a node is lent, what a binding means, what the reply is.

#![allow(clippy::needless_lifetimes, reason = "they are what is tested")]

use chain_runtime::{Reloadable, chain, node};

/// A field is a node, whatever a function of its name asks for.
mod field_with_the_name_of_a_function {
    use super::*;

    struct Request;
    #[derive(Debug, PartialEq)]
    struct Reply(u8);
    struct User(u8);
    struct Users<T>(T);

    #[node]
    impl<T: Copy + Into<u8>> Users<T> {
        fn enter(&self) -> User {
            User(users(self.0.into()))
        }
    }

    fn users(count: u8) -> u8 {
        note(count);
        count + 1
    }

    fn note(_count: u8) {}

    #[node]
    fn answer(user: &User, _request: &Request) -> Reply {
        Reply(user.0)
    }

    chain! {
        struct App { note: Users<u8> }
        fn(request: Request) -> Reply { note => answer }
    }

    #[test]
    fn provides_what_its_hook_gives() {
        assert_eq!(App { note: Users(1) }.run(Request), Reply(2));
    }
}

/// rustc only warns about a function that is more visible than its types.
#[allow(private_interfaces, reason = "that is what is tested")]
mod less_visible_types {
    use super::*;

    struct Request(u8);
    struct Doubled(u8);

    #[node]
    pub fn doubled(request: &Request) -> Doubled {
        Doubled(request.0 * 2)
    }

    #[node]
    pub(crate) fn answer(doubled: &Doubled) -> u8 {
        doubled.0
    }

    chain! {
        struct App;
        fn(request: Request) -> u8 { doubled => answer }
    }

    #[test]
    fn are_used_where_they_are_visible() {
        assert_eq!(App.run(Request(2)), 4);
    }
}

/// A lifetime that the result's type hides is that of the parameter, as in any function.
#[allow(mismatched_lifetime_syntaxes, reason = "that is what is tested")]
mod hidden_lifetimes {
    use super::*;

    struct Word<'r>(&'r str);
    struct Pair<'r, 's, T>(&'r str, &'s str, T);
    type Head<'r> = Word<'r>;

    #[node]
    fn word(line: &str) -> Word {
        Word(line.trim())
    }

    #[node]
    fn pair(line: &str) -> Result<Pair<u8>, String> {
        line.split_once(' ').map(|(one, other)| Pair(one, other, 1)).ok_or_else(|| "one word".to_owned())
    }

    #[node]
    fn count(word: &Word, pair: &Pair<u8>) -> String {
        format!("{} {} {}", word.0.len(), pair.0.len() + usize::from(pair.2), pair.1.len())
    }

    #[node]
    fn head(line: &str) -> Head {
        Word(line.split(' ').next().unwrap_or_default())
    }

    #[node]
    fn length(head: &Head) -> usize {
        head.0.len()
    }

    chain! {
        struct Measures;
        fn(line: &str) -> usize { head => length }
    }

    chain! {
        struct Counts;
        fn(line: &str) -> String { word => pair => count }
    }

    #[test]
    fn are_seen_in_a_result() {
        assert_eq!(Counts.run("ab cde"), "6 3 3");
        assert_eq!(Counts.run("abc"), "one word");
        assert_eq!(Measures.run("ab cde"), 2);
    }
}

/// What a node provides by reference is found like what is owned.
mod by_type {
    use super::*;

    struct Line(String);
    struct Names(Vec<String>);

    #[node]
    fn trimmed<'r>(line: &'r Line) -> &'r str {
        line.0.trim()
    }

    #[node]
    fn owned(line: &Line) -> String {
        line.0.trim().to_owned()
    }

    #[node]
    fn borrowed<'r>(names: &'r Names) -> Result<&'r String, String> {
        names.0.first().ok_or_else(|| "nobody".to_owned())
    }

    #[node]
    fn shout(text: &str) -> String {
        text.to_uppercase()
    }

    #[node]
    fn greet(name: &String) -> String {
        format!("hello, {name}")
    }

    /// Keeps a borrow of what it was provided by reference.
    #[node]
    fn first_word<'r>(text: &'r str) -> Word<'r> {
        Word(text.split(' ').next().unwrap_or_default())
    }
    struct Word<'r>(&'r str);

    #[node]
    async fn word(word: &Word<'_>) -> String {
        tokio::task::yield_now().await;
        word.0.to_owned()
    }

    chain! { struct Trims; fn(line: &Line) -> String { trimmed => shout } }
    chain! { struct Owns; fn(line: &Line) -> String { owned => greet } }
    chain! { struct Borrows { names: Names } fn() -> String { borrowed => greet } }
    chain! { struct Keeps; async fn(line: &Line) -> String { trimmed => first_word => word } }

    #[test]
    fn what_is_provided_by_reference_is_lent_by_its_type() {
        assert_eq!(Trims.run(&Line("  ada ".to_owned())), "ADA");
    }

    #[test]
    fn who_owns_what_is_lent_makes_no_difference() {
        assert_eq!(Owns.run(&Line(" ada".to_owned())), "hello, ada");
        assert_eq!(Borrows { names: Names(vec!["ada".to_owned()]) }.run(), "hello, ada");
        assert_eq!(Borrows { names: Names(Vec::new()) }.run(), "nobody");
    }

    #[tokio::test]
    async fn what_is_provided_by_reference_lives_as_long_as_the_run() {
        assert_eq!(Keeps.run(&Line(" ada lovelace".to_owned())).await, "ada");
    }

    struct Limits(u32);
    struct Log(std::cell::RefCell<Vec<u32>>);

    #[node]
    impl Log {
        fn enter<'r>(&self, limits: &'r Limits) -> &'r u32 {
            &limits.0
        }
        fn exit(&self, limit: &u32) {
            self.0.borrow_mut().push(*limit);
        }
        fn cancelled(&self, limit: &u32, limits: &Limits) {
            self.0.borrow_mut().push(limit + limits.0);
        }
    }

    #[node]
    fn limit(limits: &Limits, limit: &u32, letters: &[u8]) -> String {
        format!("{} {limit} {}", limits.0, letters.len())
    }

    #[node]
    async fn wait(limits: &Limits) -> String {
        std::future::pending::<()>().await;
        limits.0.to_string()
    }

    chain! {
        struct Fields { limits: &'static Limits, letters: &'static [u8], log: Log }
        fn() -> String { log => limit }
    }
    chain! {
        struct Cancels { limits: &'static Limits, log: Log }
        async fn() -> String { log => wait }
    }

    #[test]
    fn a_field_that_is_a_reference_is_lent_by_what_it_refers_to() {
        let fields = Fields { limits: &Limits(7), letters: &[1, 2, 3], log: Log(Default::default()) };
        assert_eq!(fields.run(), "7 7 3");
        assert_eq!(fields.log.0.into_inner(), [7]);
    }

    chain! {
        struct Lives<'c> { limits: &'c mut u32, letters: &'c [u8] }
        fn(limits: Limits) -> String { limit }
    }

    #[test]
    fn such_a_field_may_live_as_long_as_the_chain() {
        let letters = b"four".to_vec();
        assert_eq!(Lives { limits: &mut 1, letters: &letters }.run(Limits(2)), "2 1 4");
    }

    #[test]
    fn so_it_is_where_the_run_is_cancelled() {
        let cancels = Cancels { limits: &Limits(7), log: Log(Default::default()) };
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::pin!(cancels.run()).poll(&mut context).is_pending());
        assert_eq!(cancels.log.0.into_inner(), [14]);
    }

    #[node]
    fn is_known(line: &Line) -> bool {
        line.0 != "nobody"
    }

    #[node]
    fn maybe(text: &Option<&str>) -> String {
        text.unwrap_or("nothing").to_owned()
    }

    chain! { struct Skips; fn(line: &Line) -> String { #[when(is_known)] trimmed => maybe } }

    #[test]
    fn what_may_be_skipped_is_an_option_of_the_reference() {
        assert_eq!(Skips.run(&Line(" ada".to_owned())), "ada");
        assert_eq!(Skips.run(&Line("nobody".to_owned())), "nothing");
    }

    chain! {
        struct Swaps { limits: Reloadable<&'static Limits> }
        fn() -> String { limits_of }
    }

    #[node]
    fn limits_of(limits: &Limits) -> String {
        limits.0.to_string()
    }

    #[test]
    fn what_a_field_holds_that_is_swapped_may_be_a_reference() {
        static FIRST: Limits = Limits(1);
        assert_eq!(Swaps { limits: Reloadable::new(&FIRST) }.run(), "1");
    }
}

/// What a pattern binds is the arm's, and nothing else's.
mod bindings {
    use super::*;

    struct Path(&'static str);
    struct Aliases {
        home: Path,
    }

    #[node]
    fn alias<'r>(path: &Path, aliases: &'r Aliases) -> Option<&'r Path> {
        (path.0 == "/").then_some(&aliases.home)
    }

    #[node]
    fn show(path: &Path) -> String {
        format!("asked for {}", path.0)
    }

    chain! {
        struct Guarded { aliases: Aliases }
        fn(path: &Path) -> String {
            match alias {
                Some(path) if path.0.len() > 3 => show,
                _ => show,
            }
        }
    }

    #[test]
    fn what_a_guard_needs_takes_no_inputs_place() {
        assert_eq!(Guarded { aliases: Aliases { home: Path("/home/ada") } }.run(&Path("/")), "asked for /");
    }

    enum Asked {
        Page { number: usize },
        Home(usize),
        Nothing,
    }

    #[node]
    fn asked(path: &Path) -> Asked {
        match path.0.len() {
            0 => Asked::Nothing,
            1 => Asked::Home(1),
            number => Asked::Page { number },
        }
    }

    #[node]
    fn page(number: &usize) -> String {
        format!("page {number}")
    }

    #[node]
    fn home(path: &Path) -> String {
        path.0.to_owned()
    }

    chain! {
        struct CalledAlike {}
        fn(path: &Path) -> String {
            match asked {
                Asked::Page { number: page: usize } if page > 2 && matches!(page, 0..9) => page,
                Asked::Page { number: home: usize } => home,
                Asked::Home(home: usize) => page,
                Asked::Nothing => home,
            }
        }
    }

    #[test]
    fn a_binding_may_have_the_name_of_a_node() {
        assert_eq!(CalledAlike {}.run(&Path("/ada")), "page 4");
        assert_eq!(CalledAlike {}.run(&Path("/a")), "/a");
        assert_eq!(CalledAlike {}.run(&Path("/")), "page 1");
        assert_eq!(CalledAlike {}.run(&Path("")), "");
    }

    struct Number(u32);
    struct Word(&'static str);

    #[node]
    fn number(path: &Path) -> Option<Number> {
        Some(Number(path.0.len() as u32))
    }

    #[node]
    fn word(path: &Path) -> Option<Word> {
        Some(Word(path.0))
    }

    #[node]
    fn both(number: &Number, word: &Word) -> String {
        format!("{} {}", number.0, word.0)
    }

    #[node]
    fn neither() -> String {
        String::new()
    }

    chain! {
        struct Nested;
        fn(path: Path) -> String {
            match number {
                Some(found: Number) => match word { Some(found: Word) => both, None => neither },
                None => neither,
            }
        }
    }

    #[test]
    fn two_patterns_may_use_one_name() {
        assert_eq!(Nested.run(Path("abc")), "3 abc");
    }

    #[node]
    fn known<'r>(path: &'r Path) -> Option<&'r str> {
        path.0.strip_prefix('/')
    }

    #[node]
    fn text(text: &str) -> String {
        text.to_owned()
    }

    chain! {
        struct Refers;
        fn(path: &Path) -> String { if let Some(path: &str) = known { text } else { show } }
    }

    #[test]
    fn a_binding_that_is_a_reference_is_found_by_what_it_refers_to() {
        assert_eq!(Refers.run(&Path("/ada")), "ada");
        assert_eq!(Refers.run(&Path("ada")), "asked for ada");
    }
}

/// In `exit`, `reply` is the reply, and `_reply` is found by its type.
mod replies {
    use super::*;

    pub struct Seen(u32);
    struct Log(std::cell::Cell<u32>);

    #[node]
    impl Log {
        fn exit(&self, _reply: &Seen, reply: &mut Seen) {
            self.0.set(_reply.0);
            reply.0 += 1;
        }
    }

    #[node]
    fn two() -> Seen {
        Seen(2)
    }

    chain! { struct Passes { log: Log } fn(seen: Seen) -> Seen { log => two } }

    #[test]
    fn a_parameter_that_is_called_underscore_reply_is_not_the_reply() {
        let passes = Passes { log: Log(Default::default()) };
        assert_eq!(passes.run(Seen(1)).0, 3);
        assert_eq!(passes.log.0.get(), 1);
    }
}

/// Two types of one name, as two crates have them.
mod names {
    pub mod here {
        pub struct Config;
    }
    pub mod there {
        use chain_runtime::node;

        pub struct Config(pub &'static str);

        #[node]
        pub fn read(config: &Config) -> String {
            config.0.to_owned()
        }
    }
    use here::Config;

    chain_runtime::chain! {
        pub struct Reads { pub other: there::Config }

        fn(config: Config) -> String { there::read }
    }
}

#[test]
fn a_need_is_found_by_its_type_where_two_types_have_one_name() {
    let reads = names::Reads { other: names::there::Config("there") };
    assert_eq!(reads.run(names::here::Config), "there");
}

/// A type named like a function, without state.
mod small {
    use chain_runtime::{chain, node};

    #[allow(non_camel_case_types)]
    pub struct quota;

    #[node(stateless)]
    impl quota {
        fn enter(&self) -> u16 {
            3
        }
    }

    #[node]
    fn last(left: &u16) -> u16 {
        *left
    }

    chain! {
        pub struct Counts;

        fn() -> u16 { quota => last }
    }
}

#[test]
fn a_stateless_type_may_be_named_like_a_function() {
    assert_eq!(small::Counts.run(), 3);
}
