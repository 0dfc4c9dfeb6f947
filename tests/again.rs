//! Values of one type, in a block and again behind it: each is seen where it is.

use chain_runtime::{chain, node};

pub struct Request(u8);

#[derive(Debug, PartialEq)]
pub struct User(u8);
pub struct Text(String);
pub struct Count(u8);

#[derive(Default)]
pub struct Seen(Vec<String>);

#[node]
fn auth(request: &Request) -> User {
    User(request.0)
}

#[node]
fn other() -> User {
    User(100)
}

#[node]
fn see(user: &User, seen: &mut Seen) {
    seen.0.push(format!("user {}", user.0));
}

#[node]
fn text(user: &User) -> Text {
    Text(user.0.to_string())
}

#[node]
fn longer(text: &mut Text, seen: &mut Seen) {
    text.0.push('!');
    seen.0.push(text.0.clone());
}

#[node]
fn is_big(request: &Request) -> bool {
    request.0 > 1
}

struct Log(u8);

#[node]
impl Log {
    fn enter(&self, request: &Request) -> Count {
        Count(request.0 + self.0)
    }

    fn exit(&self, count: &Count, seen: &mut Seen) {
        seen.0.push(format!("count {}", count.0));
    }
}

#[node]
fn answer(user: &User, text: &Text, count: &Count) -> String {
    format!("{} {} {}", user.0, text.0, count.0)
}

#[node]
fn name(user: &User) -> String {
    user.0.to_string()
}

chain! {
    struct Blocks { log: Log }

    fn(request: Request, seen: &mut Seen) -> String {
        { log => auth => { text => longer } => text => see }
            => if is_big { auth => text => see } else { other => see }
            => other => log => text => answer
    }
}

chain! {
    struct OwnInTheBlock;

    async fn(request: Request) -> String { { auth => text => other_of } -> User => name }
}

#[node]
fn other_of(text: &Text) -> User {
    User(text.0.len() as u8)
}

pub enum Route {
    Number(Number),
    Other(String),
}
pub struct Number(u8);

#[node]
fn route(request: &Request) -> Route {
    match request.0 {
        0 => Route::Number(Number(0)),
        _ => Route::Other("other".to_owned()),
    }
}

#[node]
fn digits(number: &Number) -> String {
    number.0.to_string()
}

#[node]
fn same(text: String) -> String {
    text
}

#[node]
fn length(text: &String) -> usize {
    text.len()
}

type Words = String;

chain! {
    struct Taken;

    fn(request: Request) -> usize {
        match route { Route::Number(number: Number) => digits, Route::Other(text: String) => same } -> String => length
    }
}

chain! {
    struct UnderAnotherName;

    fn(request: Request) -> usize {
        match route { Route::Number(number: Number) => digits, Route::Other(text: String) => same } -> Words => length
    }
}

#[test]
fn what_a_block_has_may_come_again_behind_it() {
    let mut seen = Seen::default();
    assert_eq!(Blocks { log: Log(1) }.run(Request(2), &mut seen), "100 100 3");
    assert_eq!(seen.0, ["2!", "user 2", "count 3", "user 2", "count 3"]);
    let mut seen = Seen::default();
    assert_eq!(Blocks { log: Log(1) }.run(Request(1), &mut seen), "100 100 2");
    assert_eq!(seen.0, ["1!", "user 1", "count 2", "user 100", "count 2"]);
}

#[test]
fn a_block_may_have_what_it_provides() {
    assert_eq!(chain::poll::block_on(OwnInTheBlock.run(Request(123))), "3");
    assert_eq!([0, 1].map(|number| Taken.run(Request(number))), [1, 5]);
    assert_eq!([0, 1].map(|number| UnderAnotherName.run(Request(number))), [1, 5]);
}

/// In the short form, whose parts of the context are around each block.
mod short {
    use chain_runtime::{Context, Request, Response, chain, node};

    struct Name(String);

    #[node]
    fn is_get(request: &Request) -> bool {
        request.method == "GET"
    }

    #[node]
    fn of_path(request: &Request) -> Name {
        Name(request.uri.path().to_owned())
    }

    #[node]
    fn greet(name: &Name, response: &mut Response) {
        response.body.extend_from_slice(name.0.as_bytes());
    }

    #[test]
    fn what_a_block_has_may_come_again_behind_it() {
        let gateway = chain!({ of_path => greet } => if is_get { of_path => greet } => of_path => greet);
        let mut context = Context::default();
        chain::poll::block_on(gateway.run(&mut context));
        assert_eq!(context.response.body, b"///"[..]);
    }
}

/// All kinds of things that are around a block, one of them behind a `cfg`.
mod all_kinds {
    use chain_runtime::{Reloadable, Toggles, chain, node};

    use super::{Request, Seen, User, auth};

    pub struct Guest(u8);
    pub struct Settings(u8);
    pub struct Part<'a>(&'a Request);

    #[node]
    fn guest(user: &User) -> Guest {
        Guest(user.0 + 10)
    }

    #[node]
    fn part<'r>(request: &'r Request) -> Part<'r> {
        Part(request)
    }

    struct Log;

    #[node]
    impl Log {
        fn enter(&self, request: &Request, settings: &Settings) -> u32 {
            u32::from(request.0 + settings.0)
        }

        fn exit(&self, number: &u32, seen: &mut Seen) {
            seen.0.push(format!("left {number}"));
        }

        fn cancelled(&self, number: &u32) {
            let _ = number;
        }
    }

    #[node]
    async fn see(user: &User, part: &Part<'_>, settings: &Settings, seen: &mut Seen) {
        seen.0.push(format!("{} {} {}", user.0, part.0.0, settings.0));
    }

    #[node]
    fn see_guest(guest: &Guest, number: &u32, seen: &mut Seen) {
        seen.0.push(format!("guest {} {number}", guest.0));
    }

    #[node]
    fn take(user: User) -> Option<User> {
        Some(user)
    }

    #[node]
    fn end(taken: &Option<User>, seen: &mut Seen) {
        seen.0.push(format!("taken {}", taken.is_some()));
    }

    #[node]
    fn route(request: &Request) -> u8 {
        request.0
    }

    #[node]
    fn answer(user: &User, part: &Part, number: &u32) -> u32 {
        u32::from(user.0 + part.0.0) + number
    }

    chain! {
        struct All { log: Log, toggles: Toggles, settings: Reloadable<Settings>, #[cfg(any())] none: u64 }

        async fn(request: &Request, seen: &mut Seen) -> u32 {
            #[toggle("first")] { auth => part => see }
                => { auth => part => { guest => log => see_guest } => take => end }
                => match route { 1 => { auth => part => see }, _ => { part => auth => see } }
                => part => log => auth => answer
        }
    }

    #[test]
    fn are_seen_in_blocks_whose_types_come_again() {
        let all = All { log: Log, toggles: Toggles::new(), settings: Reloadable::new(Settings(2)) };
        let mut seen = Seen::default();
        assert_eq!(chain::poll::block_on(all.run(&Request(1), &mut seen)), 5);
        assert_eq!(seen.0, ["1 1 2", "guest 11 3", "left 3", "taken true", "1 1 2", "left 3"]);
    }
}

/// Also where text does not say that the types are one.
mod without_text {
    use std::sync::Arc;

    use chain_runtime::{chain, node};

    pub struct Token<'a>(&'a str);
    pub struct Held<T>(T);
    pub struct User(u8);

    pub mod by_path {
        pub struct Load(pub u8);

        #[chain_runtime::node]
        impl Load {
            pub fn enter(&self) -> super::User {
                super::User(self.0)
            }
            pub fn cancelled(&self) {}
        }

        #[chain_runtime::node]
        pub fn user() -> crate::without_text::User {
            crate::without_text::User(9)
        }
    }

    use by_path::Load as Loader;

    #[node]
    fn new_user() -> User {
        User(7)
    }

    #[node]
    fn take(user: User) {
        let _ = user;
    }

    #[node]
    fn change(user: &mut User) {
        user.0 += 1;
    }

    #[node]
    fn number(user: &User) -> u8 {
        user.0
    }

    #[node]
    fn maybe(user: &Option<User>) -> u8 {
        user.as_ref().map_or(0, |user| user.0)
    }

    #[node]
    fn is_on() -> bool {
        true
    }

    #[node]
    fn text<'r>(name: &'r String) -> Token<'r> {
        Token(name)
    }

    #[node]
    fn length(token: &Token) -> usize {
        token.0.len()
    }

    #[node]
    fn hold<T: Default>() -> Held<T> {
        Held(T::default())
    }

    #[node]
    fn held() -> Held<u8> {
        Held(5)
    }

    #[node]
    fn unwrap(held: &Held<u8>) -> u8 {
        held.0
    }

    chain! { #[send] struct Send { load: Loader } async fn() -> u8 { { load => change } => new_user => number } }
    chain! {
        struct Pointers { load: Arc<by_path::Load>, other: Option<Loader> }
        async fn() -> u8 { { load => take } => { new_user => change } => by_path::user => number }
    }
    chain! { struct Skipped { load: Loader } async fn() -> u8 { { load => change } => #[when(is_on)] new_user => maybe } }
    chain! { struct Paths; fn() -> u8 { { by_path::user => change } => new_user => number } }
    chain! { struct Lifetimes; fn(name: &String) -> usize { { text } -> Token<'_> => length } }
    chain! { struct Again; fn(name: &String) -> usize { { text => length_of } => text => length } }
    chain! { struct Generic; fn() -> u8 { { hold::<u8> => see } => held => unwrap } }

    #[node]
    fn length_of(token: &Token) {
        let _ = token.0.len();
    }

    #[node]
    fn see(held: &mut Held<u8>) {
        held.0 += 1;
    }

    enum Route {
        Own(User),
        None,
    }

    #[node]
    fn route() -> Route {
        if is_on_now() { Route::Own(User(1)) } else { Route::None }
    }

    fn is_on_now() -> bool {
        true
    }

    #[node]
    fn nothing() {}

    chain! { segment routes { match route { Route::Own(user: User) => change, Route::None => nothing } } }
    chain! { struct Segments; fn() -> u8 { ..routes => new_user => number } }

    #[test]
    fn a_type_may_come_again() {
        use chain::poll::block_on;
        assert_eq!(block_on(Send { load: by_path::Load(1) }.run()), 7);
        let pointers = Pointers { load: Arc::new(by_path::Load(1)), other: Some(by_path::Load(2)) };
        assert_eq!(block_on(pointers.run()), 9);
        assert!(pointers.other.is_some());
        assert_eq!(block_on(Skipped { load: by_path::Load(1) }.run()), 7);
        assert_eq!((Paths.run(), Generic.run(), Segments.run()), (7, 5, 7));
        let name = "abc".to_owned();
        assert_eq!((Lifetimes.run(&name), Again.run(&name)), (3, 3));
    }
}
