//! All kinds of names that users choose, and all places of declaration.
#![allow(dead_code)]

use chain_hygiene::nodes::{Counter, Nobody, User, greet};
use links::{chain, node};

mod facade {
    pub(crate) use chain_hygiene::nodes::auth as check;
}

#[tokio::test]
async fn nodes_of_another_crate_under_another_name() {
    chain! {
        struct Gateway {
            counter: Counter,
        }

        async fn(line: &str) -> String {
            counter => facade::check => greet
        }
    }
    let gateway = Gateway { counter: Counter::default() };
    assert_eq!(gateway.run("four").await, "hello 4.");
    assert_eq!(gateway.counter.seen(), 1);
    assert_eq!(Gateway::NODES[1].name, "check");
}

#[node]
fn r#match(r#type: &str) -> r#Struct {
    r#Struct { r#fn: r#type.len() }
}

#[allow(non_camel_case_types)]
struct r#Struct {
    r#fn: usize,
}

#[node]
fn r#loop(r#struct: &mut r#Struct, r#in: &r#Else) -> usize {
    r#struct.r#fn + r#in.0
}

struct r#Else(usize);

chain! {
    struct r#Try {
        r#else: r#Else,
    }

    fn(r#type: &str) -> usize {
        r#match => r#loop
    }
}

#[test]
fn raw_identifiers() {
    assert_eq!(r#Try { r#else: r#Else(1) }.run("four"), 5);
    assert_eq!(r#Try::NODES[0].name, "match");
    assert_eq!(r#Try::CHAIN.name, "Try");
}

mod names_of_the_runtime {
    use links::{chain, node};

    struct Scope;
    struct Node;
    struct Never;
    struct Ending(u32);
    struct Provides;
    struct Cancel;
    struct Signature;
    struct Held;
    struct Option;

    #[node]
    fn scope(value: &Scope) -> Node {
        let _ = value;
        Node
    }
    #[node]
    fn held0(scope: &Node) -> Ending {
        let _ = scope;
        Ending(3)
    }
    #[node]
    fn reply(value: &Ending, reply: &Never, ending: &Cancel, out0: &Signature, input0: &Held) -> u32 {
        let _ = (reply, ending, out0, input0);
        value.0
    }

    chain! {
        struct Chain {
            chain: Never,
            value: Signature,
        }

        fn(scope: Scope, reply: Cancel, ending: Held, held0: Provides, watch: &mut Option) -> u32 {
            scope => held0 => reply
        }
    }

    #[test]
    fn are_the_users_to_take() {
        let chain = Chain { chain: Never, value: Signature };
        assert_eq!(chain.run(Scope, Cancel, Held, Provides, &mut Option), 3);
    }
}

#[node]
fn line(line: &str) -> Length {
    Length(line.len())
}

struct Length(usize);

#[node]
fn length(length: &Length) -> usize {
    length.0
}

#[test]
fn a_node_a_parameter_a_field_and_a_binding_of_one_name() {
    chain! {
        struct Named {
            unused: u8,
        }

        fn(line: &str) -> usize {
            line => length
        }
    }
    let length = Named { unused: 0 };
    let line = length.run("four");
    assert_eq!(line, 4);
    // The functions are functions still.
    assert_eq!(self::length(&self::line("five!")), 5);
}

macro_rules! declare {
    ($(#[$attribute:meta])* $vis:vis $name:ident, $field:ident: $kept:ty, $input:ident: $ty:ty => $reply:ty, $first:path, $second:path) => {
        chain! {
            $(#[$attribute])*
            $vis struct $name { $field: $kept }
            fn($input: $ty) -> $reply { $first => $second }
        }
    };
}

declare!(
    /// Declared by a macro by example.
    #[derive(Debug)]
    pub(crate) ByExample, room: Vec<u8>, text: &str => usize, self::line, length
);

macro_rules! declare_itself {
    ($name:ident, $node:ident) => {
        #[node]
        fn inner(line: &str) -> Length {
            Length(line.len() + 1)
        }
        chain! {
            struct $name;
            fn(line: &str) -> usize { inner => $node }
        }
    };
}

#[test]
fn declared_by_a_macro_by_example() {
    assert_eq!(ByExample { room: Vec::new() }.run("four"), 4);
    declare_itself!(Inner, length);
    assert_eq!(Inner.run("four"), 5);
    assert_eq!(ByExample::NODES[0].name, "line");
}

macro_rules! short {
    ($($node:path),*; $state:ident: $ty:ty = $value:expr) => {
        chain!($($node =>)* $state: $ty = $value)
    };
}

struct Say(&'static [u8]);

#[node]
impl Say {
    fn enter(&self, response: &mut links::Response) {
        response.body.extend_from_slice(self.0);
    }
}

#[node]
fn silent(request: &links::Request) {
    let _ = request;
}

#[tokio::test]
async fn the_short_form_in_a_macro_by_example() {
    let value = 0;
    let chain = short!(silent, self::silent; say: Say = Say(if value == 0 { b"zero" } else { b"more" }));
    let mut context = links::Context::new();
    chain.run(&mut context).await;
    assert_eq!(&context.response.body[..], b"zero");
}

mod nested {
    pub(crate) mod deeper {
        use super::super::{length, line};

        links::chain! {
            pub(in crate::nested) struct Hidden;
            fn(line: &str) -> usize { line => length }
        }
        links::chain! {
            #[derive(Clone, Copy)]
            #[cfg(all())]
            pub(crate) struct Shared {
                #[cfg(any())]
                absent: NoSuchType,
                #[allow(unused)]
                pub(crate) present: u8,
            }
            fn(line: &str) -> usize { line => length }
        }
    }

    #[test]
    fn two_chains_share_nodes_in_one_module() {
        assert_eq!(deeper::Hidden.run("a") + deeper::Shared { present: 0 }.run("b"), 2);
    }
}

type Table = [u8; 2];

#[node]
#[allow(clippy::too_many_arguments, clippy::boxed_local)]
fn shapes(
    text: &str,
    bytes: &[u8],
    pair: &(u8, char),
    table: &Table,
    tell: &dyn Fn(u8) -> u8,
    call: &fn(u8) -> u8,
    out: &mut Vec<u8>,
    owned: Box<u8>,
) -> usize {
    out.push(tell(call(*owned)));
    text.len() + bytes.len() + usize::from(pair.0) + table.len() + out.len()
}

chain! {
    struct Shapes;

    fn<'r>(
        text: &'r str,
        bytes: &[u8],
        pair: (u8, char),
        table: [u8; 2],
        tell: &dyn Fn(u8) -> u8,
        call: fn(u8) -> u8,
        out: &'r mut Vec<u8>,
        mut owned: Box<u8>,
    ) -> usize {
        shapes
    }
}

#[test]
fn inputs_of_every_shape() {
    let mut out = vec![0];
    let reply = Shapes.run("ab", &[1], (3, 'c'), [0; 2], &|n| n + 1, |n| n * 2, &mut out, Box::new(4));
    assert_eq!((reply, out), (10, vec![0, 9]));
}

struct Token<'token> {
    text: &'token str,
}

#[node]
fn token<'other>(text: &'other str) -> Token<'other> {
    Token { text }
}

#[node]
fn first<'x, 'y: 'y>(token: &'y Token<'x>, more: &mut u8) -> char {
    *more += 1;
    token.text.chars().next().unwrap_or_default()
}

#[test]
fn lifetimes_under_other_names() {
    chain! {
        struct First;
        fn<'run>(text: &'run str, more: u8) -> char { token => first }
    }
    assert_eq!(First.run("abc", 0), 'a');
}

struct Private;

#[node]
fn private(value: &Private) -> Length {
    let _ = value;
    Length(1)
}

chain! {
    #[allow(private_interfaces)]
    pub struct Public { kept: Private }
    fn() -> usize { private => length }
}

#[test]
fn private_types_in_a_public_chain() {
    assert_eq!(Public { kept: Private }.run(), 1);
}

#[test]
fn a_chain_in_a_block_in_a_function_with_generics() {
    fn measure<T: Into<String>>(text: T) -> usize {
        chain! {
            struct Local;
            fn(line: &str) -> usize { line => length }
        }
        Local.run(&text.into())
    }
    assert_eq!(measure("four"), 4);
}

#[tokio::test]
async fn generics_of_every_kind() {
    use chain_hygiene::generic::{Client, Gateway, Names, Proxy, Room};

    #[derive(Debug)]
    struct Echo;
    impl Client for Echo {
        fn call(&self, line: &str) -> String {
            line.to_owned()
        }
    }
    let names = ["a".to_owned()];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let gateway = Gateway { names: Names(&names), proxy: Proxy(Echo), size: Room::<3> };
    assert_eq!(gateway.run("four").await, "four 1");
}

#[node(crate = links)]
fn says_where_the_runtime_is(line: &str) -> Result<Length, Nobody> {
    Ok(Length(line.len()))
}

#[test]
fn an_error_under_question_mark() {
    struct Failure;
    impl From<Nobody> for Failure {
        fn from(_: Nobody) -> Self {
            Self
        }
    }
    chain! {
        struct Fallible;
        fn(line: &str) -> Result<usize, Failure> { says_where_the_runtime_is => length }
    }
    assert!(Fallible.run("a").is_ok_and(|length| length == 1));
    let _ = User(1);
}
