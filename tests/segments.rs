//! A segment keeps the meaning that it has where it is declared.

use chain_runtime::chain;

/// Where segments are declared. What is private here, no chain elsewhere can name.
pub mod entry {
    use std::time::Duration;

    use chain_runtime::around::Expired;
    use chain_runtime::{IntoReply, chain, node};

    const ADMIN: u8 = 7;
    const PATIENCE: Duration = Duration::from_secs(1);

    #[node]
    pub fn role(user: &u8) -> u8 {
        *user
    }
    #[node]
    pub fn admin_page() -> &'static str {
        "the admin's page"
    }
    #[node]
    pub fn public_page() -> &'static str {
        "the public page"
    }

    chain! { pub segment pages { match role { ADMIN => admin_page, _ => public_page } } }
    chain! { pub struct Here; fn(user: u8) -> &'static str { ..pages } }

    pub enum Route {
        Item(Id),
        Index,
    }
    pub struct Id(pub u8);
    pub struct Version(pub u8);

    #[node]
    pub fn route(path: &str) -> Route {
        path.strip_prefix("/item/").and_then(|id| id.parse().ok()).map_or(Route::Index, |id| Route::Item(Id(id)))
    }
    #[node]
    pub fn version(path: &str) -> Option<Version> {
        Some(Version(path.len() as u8))
    }
    #[node]
    pub fn both(id: &Id, version: &Version) -> u32 {
        u32::from(id.0) * 1000 + u32::from(version.0)
    }
    #[node]
    pub fn none() -> u32 {
        0
    }
    fn is_known(id: &Id) -> bool {
        id.0 < 100
    }

    chain! {
        pub segment routes {
            match route {
                Route::Item(id: Id) if is_known(&id) => if let Some(version: Version) = version { both } else { none },
                Route::Item(_) | Route::Index => none,
            }
        }
    }

    pub struct Part<'r>(pub &'r str);
    #[node]
    pub fn part<'r>(path: &'r str) -> Option<Part<'r>> {
        path.strip_prefix('/').map(Part)
    }
    #[node]
    pub fn of_part(part: &Part<'_>) -> u32 {
        part.0.len() as u32
    }
    #[node]
    pub fn rest(path: &str) -> Option<&[u8]> {
        path.strip_prefix('!').map(str::as_bytes)
    }
    #[node]
    pub fn of_rest(rest: &[u8]) -> u32 {
        100 + rest.len() as u32
    }

    chain! {
        pub segment parts {
            match part {
                Some(part: Part<'_>) => of_part,
                None => match rest { Some(rest: &'r [u8]) if !rest.is_empty() => of_rest, _ => none },
            }
        }
    }

    /// What a `slow` one becomes.
    pub struct Late(pub u32);
    impl IntoReply<Late> for Expired {
        fn into_reply(self) -> Late {
            Late(504)
        }
    }
    #[node]
    pub async fn slow(seconds: &u64) -> Late {
        tokio::time::sleep(Duration::from_secs(*seconds)).await;
        Late(200)
    }

    chain! { pub segment limited { #[timeout(PATIENCE * 2)] slow } }

    pub trait Store {
        const LIMIT: u32;
        fn get(&self) -> u32;
    }
    pub struct Held<S>(pub S);
    pub struct Found(pub u32);
    #[node]
    pub fn look<S: Store>(held: &Held<S>) -> Found {
        Found(held.0.get())
    }
    #[node]
    pub fn count(found: &Found) -> u32 {
        found.0
    }
    #[node]
    pub fn few(found: &Found, more: &Number) -> u32 {
        found.0 + more.0 as u32
    }
    #[node]
    pub fn many<S>(found: &Found) -> u32 {
        found.0 + 1000
    }
    pub struct Number(pub usize);
    #[node]
    pub fn number<const N: usize>() -> Number {
        Number(N)
    }
    pub struct Log(pub std::cell::Cell<u32>);
    #[node]
    impl Log {
        pub fn enter(&self) {
            self.0.set(self.0.get() + 1);
        }
    }

    chain! { pub segment known<S>(log: Log) where S: Store { log => look::<S> } }
    chain! {
        pub segment counted<S: Store, const N: usize>(log: Log) {
            ..known::<S> => number::<N> => match count { n if n < S::LIMIT => few, _ => many::<S> }
        }
    }

    pub struct Fixed;
    impl Store for Fixed {
        const LIMIT: u32 = 10;
        fn get(&self) -> u32 {
            5
        }
    }
    chain! { pub segment fixed(log: Log) { ..counted::<Fixed, 3> } }

    pub mod deeper {
        chain_runtime::chain! { pub(super) segment above { match super::role { super::ADMIN => super::admin_page, _ => super::public_page } } }
        chain_runtime::chain! { pub(in crate::entry) segment further { ..above } }
    }
    chain! { pub struct Deeper; fn(user: u8) -> &'static str { { ..deeper::further } } }
}

mod elsewhere {
    use chain_runtime::chain;

    use crate::entry::{Held, Late, Log, Store};

    chain! { pub struct There; fn(user: u8) -> &'static str { ..crate::entry::pages } }
    chain! { pub struct Routes; fn(path: &str) -> u32 { ..crate::entry::routes } }
    chain! { pub struct Parts; fn(path: &str) -> u32 { ..crate::entry::parts } }
    chain! { pub struct Limited; async fn(seconds: u64) -> Late { ..crate::entry::limited } }
    chain! {
        pub struct Counted<S: Store> { pub held: Held<S>, pub log: Log }
        fn() -> u32 { ..crate::entry::counted::<S, 7> }
    }
    chain! {
        pub struct Fixed { pub held: Held<crate::entry::Fixed>, pub log: Log }
        fn() -> u32 { ..crate::entry::fixed }
    }

    pub struct Db(pub u32);
    impl Store for Db {
        const LIMIT: u32 = 100;
        fn get(&self) -> u32 {
            self.0
        }
    }
}

use elsewhere::{Counted, Db, Fixed, Limited, Parts, Routes, There};

#[test]
fn a_constant_in_a_pattern_is_the_constant_of_the_segment() {
    for (user, page) in [(7, "the admin's page"), (1, "the public page")] {
        assert_eq!((entry::Here.run(user), There.run(user)), (page, page));
    }
}

#[test]
fn patterns_guards_and_types_of_bindings_are_those_of_the_segment() {
    assert_eq!((Routes.run("/item/3"), Routes.run("/item/300"), Routes.run("/")), (3007, 0, 0));
    assert_eq!((Routes.run("/item/200"), Routes.run("/item/99")), (0, 99_008));
}

#[test]
fn a_binding_may_borrow_from_an_input() {
    assert_eq!((Parts.run("/four"), Parts.run("!four"), Parts.run("!"), Parts.run("")), (4, 104, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_expression_in_an_attribute_is_that_of_the_segment() {
    assert_eq!((Limited.run(1).await.0, Limited.run(3).await.0), (200, 504));
}

#[test]
fn a_segment_may_have_parameters() {
    let counted = |n| Counted { held: entry::Held(Db(n)), log: entry::Log(Default::default()) };
    assert_eq!((counted(1).run(), counted(100).run()), (8, 1100));
    let fixed = Fixed { held: entry::Held(entry::Fixed), log: entry::Log(Default::default()) };
    assert_eq!((fixed.run(), fixed.log.0.get()), (8, 1));
}

mod asked {
    use chain_runtime::{chain, node};

    #[node]
    pub fn is_on() -> bool {
        true
    }

    #[node]
    pub fn counted() {}

    #[node]
    pub fn end() -> u8 {
        1
    }

    chain! { pub segment part { #[when(is_on)] counted } }
    chain! { pub struct Asked; fn() -> u8 { ..part => #[when(is_on)] counted => end } }
}

#[test]
fn conditions_are_drawn_as_they_are_written_in_the_segment() {
    let attributes: Vec<_> = asked::Asked::NODES.iter().map(|node| node.attributes).collect();
    let asked: Vec<_> = attributes.iter().filter(|text| !text.is_empty()).collect();
    assert_eq!(asked, [&"#[when(is_on)]"; 2], "{attributes:?}");
    assert_eq!(asked::Asked.run(), 1);
}

#[test]
fn arms_are_drawn_as_they_are_written_in_the_segment() {
    let labels: Vec<_> = Routes::CHAIN.blocks.iter().map(|block| block.label).collect();
    assert!(labels[0].starts_with("Route::Item(id: Id)"), "{labels:?}");
    assert!(labels.contains(&"Some(version: Version)"), "{labels:?}");
    let names: Vec<_> = Routes::NODES.iter().map(|node| node.name).collect();
    assert_eq!(names, ["route", "version", "both", "none", "none"]);
}

macro_rules! module {
    ($name:ident, $number:literal) => {
        pub mod $name {
            use chain_runtime::{chain, node};

            #[node]
            pub fn one() -> u32 {
                $number
            }

            chain! { pub segment part { one } }
        }
    };
}

module!(first, 1);
module!(second, 2);

chain! { struct First; fn() -> u32 { ..first::part } }
chain! { struct Second; fn() -> u32 { ..second::part } }

#[test]
fn segments_of_one_name_that_a_macro_makes_are_two() {
    assert_eq!((First.run(), Second.run()), (1, 2));
}

#[test]
fn what_is_seen_in_a_part_of_the_crate_is_used_there() {
    assert_eq!((entry::Deeper.run(7), entry::Deeper.run(1)), ("the admin's page", "the public page"));
}

/// Segments that take in what their modules import.
mod imported {
    pub struct User(u8);

    mod base {
        use super::User;
        use chain_runtime::{chain, node};

        #[node]
        pub fn auth(number: &u8) -> User {
            User(*number)
        }

        #[node]
        pub(crate) fn limit(user: &User) -> Result<(), String> {
            if user.0 > 9 { Err("too much".to_owned()) } else { Ok(()) }
        }

        chain! { pub segment front { auth } }
        chain! { pub(crate) segment limited { limit } }
    }

    mod more {
        use super::base::{front, limited as lim};
        use chain_runtime::{chain, node};

        #[node]
        pub fn add(user: &mut super::User) {
            user.0 += 1;
        }

        chain! { pub(crate) segment all { ..front => ..lim => add } }

        pub mod within {
            use super::*;

            chain! { pub(crate) segment deep { ..all } }
        }
    }

    mod renamed {
        use super::more::within::deep as everything;
        use chain_runtime::chain;

        chain! { pub(super) segment whole { ..everything } }
    }

    mod twice {
        use super::more::all as first;

        pub mod within {
            use std::fmt::*;

            use super::first as second;
            use chain_runtime::chain;

            chain! { pub(crate) segment again { ..second } }

            /// What else is imported changes nothing.
            pub fn shown(number: &dyn Display) -> String {
                number.to_string()
            }
        }
    }

    use chain_runtime::{chain, node};
    use renamed::whole;
    pub use twice::within::shown;

    chain! { pub struct Again; fn(number: u8) -> String { ..twice::within::again => answer } }

    #[node]
    fn answer(user: User) -> String {
        user.0.to_string()
    }

    chain! { pub struct App; fn(number: u8) -> String { ..whole => answer } }
}

#[test]
fn a_segment_takes_in_what_its_module_imports() {
    assert_eq!((imported::App.run(1), imported::App.run(10)), ("2".to_owned(), "too much".to_owned()));
    assert_eq!(imported::Again.run(1), imported::shown(&2));
}

/// What is visible in its module alone.
mod visible_here {
    use chain_runtime::{chain, node};

    #[node]
    fn double(number: &u8) -> u16 {
        u16::from(*number) * 2
    }

    #[node]
    fn end(number: &u16) -> u16 {
        *number
    }

    chain! { pub(in crate::visible_here) segment own { double } }

    chain! {
        /// A segment with a private segment in it.
        segment more { ..own }
    }

    chain! { pub struct Doubles; fn(number: u8) -> u16 { ..more => end } }
}

#[test]
fn a_segment_may_be_as_visible_as_its_nodes() {
    assert_eq!(visible_here::Doubles.run(2), 4);
}
