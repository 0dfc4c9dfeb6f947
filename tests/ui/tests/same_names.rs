//! Names that stand twice, each in a scope of its own, are no mistake; nor are two types that are written alike.

use chain_runtime::{chain, node};

mod one {
    use chain_runtime::node;

    pub struct Config(pub u8);
    pub struct Seen(pub u8);

    #[node]
    pub fn open() -> Config {
        Config(1)
    }

    #[node]
    pub fn see(config: &Config) -> Seen {
        Seen(config.0)
    }
}

mod other {
    use chain_runtime::node;

    pub struct Config(pub u8);

    #[node]
    pub fn open() -> Config {
        Config(2)
    }

    #[node]
    pub fn see(config: &Config, seen: &super::one::Seen) -> String {
        format!("{} {}", seen.0, config.0)
    }
}

mod failures {
    pub mod first {
        use std::fmt::Error;

        #[chain_runtime::node]
        pub fn fail() -> Error {
            Error
        }
    }
    pub mod second {
        use std::num::ParseIntError as Error;

        #[chain_runtime::node]
        pub fn fail() -> Error {
            "x".parse::<u8>().expect_err("no number")
        }

        #[chain_runtime::node]
        pub fn say(error: &Error) -> String {
            error.to_string()
        }
    }
}

chain! {
    struct Row;

    fn() -> String { one::open => other::open => one::see => other::see }
}

chain! {
    struct Blocks;

    fn() -> String { one::open => { other::open => one::see => other::see } }
}

chain! {
    struct Failures;

    fn() -> String { failures::first::fail => failures::second::fail => failures::second::say }
}

#[test]
fn two_types_that_are_written_alike_are_two_types() {
    assert_eq!(Row.run(), "1 2");
    assert_eq!(Blocks.run(), "1 2");
    assert_eq!(Failures.run(), "invalid digit found in string");
}

#[node]
fn say(number: &u8) -> String {
    number.to_string()
}

fn in_one_function() -> String {
    #[node]
    fn number() -> u8 {
        1
    }
    chain! { struct Local; fn() -> String { number => say } }
    Local.run()
}

fn in_another_function() -> String {
    #[node]
    fn number() -> u8 {
        2
    }
    chain! { struct Local; fn() -> String { number => say } }
    Local.run()
}

/// Functions in scopes from which nobody sees them.
fn aside() -> u8 {
    mod inner {
        pub(super) fn say() -> u8 {
            1
        }
    }
    struct Number(u8);
    impl Number {
        fn number(&self) -> u8 {
            self.0
        }
    }
    fn number() -> u8 {
        1
    }
    inner::say() + Number(1).number() + number()
}

macro_rules! module {
    ($name:ident, $number:literal) => {
        mod $name {
            use chain_runtime::{chain, node};

            #[node]
            fn number() -> u8 {
                $number
            }

            pub struct Log;

            #[node]
            impl Log {
                fn enter(&self) -> u16 {
                    1
                }
            }

            #[node]
            fn say(number: &u8, more: &u16) -> String {
                (u16::from(*number) + more).to_string()
            }

            chain! { pub struct Local { pub log: Log } fn() -> String { number => log => say } }
        }
    };
}

module!(first, 1);
module!(second, 2);

#[test]
fn a_name_may_stand_in_two_scopes() {
    assert_eq!((in_one_function(), in_another_function()), ("1".to_owned(), "2".to_owned()));
    assert_eq!(aside(), 3);
    assert_eq!(first::Local { log: first::Log }.run(), "2");
    assert_eq!(second::Local { log: second::Log }.run(), "3");
}

type Done = ();

#[node]
fn is_first() -> bool {
    true
}

#[node]
fn note() -> Done {}

chain! {
    struct Noted;

    fn(number: u8) -> String { if is_first { note } else { note } => say }
}

#[test]
fn nothing_may_have_a_name() {
    assert_eq!(Noted.run(3), "3");
}

mod sessions {
    use chain_runtime::node;

    /// Written like the one below, and another type.
    pub struct Visitor(pub u8);

    pub struct Session;

    #[node]
    impl Session {
        fn enter(&self) -> Visitor {
            Visitor(2)
        }
    }

    #[node]
    pub fn see(visitor: &Visitor) -> u16 {
        u16::from(visitor.0)
    }
}

use sessions::Session;

struct Visitor(u8);

#[node]
fn visit() -> Visitor {
    Visitor(1)
}

/// Another name of a type that the row provides.
type Guest = Visitor;

#[node]
fn welcome(guest: &Guest, seen: &u16) -> String {
    format!("{} {seen}", guest.0)
}

#[node]
fn greet_guest(guest: &Guest) -> String {
    guest.0.to_string()
}

chain! {
    struct Visits { session: Session }

    fn() -> String { visit => session => sessions::see => welcome }
}

chain! {
    struct Guests;

    fn() -> String { visit => greet_guest }
}

#[test]
fn hooks_and_a_function_may_provide_what_is_written_alike() {
    assert_eq!(Visits { session: Session }.run(), "1 2");
}

#[test]
fn a_type_may_have_two_names() {
    assert_eq!(Guests.run(), "1");
}
