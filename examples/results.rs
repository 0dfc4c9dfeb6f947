//! What a node may return, and how a break becomes the reply.
//!
//! | a node returns | it provides | it breaks with |
//! | --- | --- | --- |
//! | `T` | `T` | |
//! | `()` or nothing | nothing | |
//! | `Result<T, E>` | `T` | `E`, through `IntoReply<Reply>`; if the reply is a `Result<_, X>`, through `X: From<E>` |
//! | `ControlFlow<R, T>` | `T` | `R`, through `IntoReply<Reply>` |

use std::num::ParseIntError;
use std::ops::ControlFlow;

use chain_runtime::{IntoReply, chain, node};

struct Text(&'static str);
struct Number(u32);
struct Doubled(u32);

/// Breaks with the error of the standard library.
#[node]
fn parse(text: &Text) -> Result<Number, ParseIntError> {
    text.0.parse().map(Number)
}

/// Breaks with a good reply: the work is done already.
#[node]
fn cached(number: &Number) -> ControlFlow<Known> {
    if number.0 == 21 { ControlFlow::Break(Known(42)) } else { ControlFlow::Continue(()) }
}

struct Known(u32);

#[node]
fn double(number: &Number) -> Doubled {
    Doubled(number.0 * 2)
}

/// The chain's own type of reply. A break becomes one through `IntoReply`, and so does the last node's value.
#[derive(Debug)]
struct Page {
    status: u16,
    body: String,
}

impl IntoReply<Page> for ParseIntError {
    fn into_reply(self) -> Page {
        Page { status: 400, body: self.to_string() }
    }
}

impl IntoReply<Page> for Known {
    fn into_reply(self) -> Page {
        Page { status: 200, body: format!("{} (known)", self.0) }
    }
}

impl IntoReply<Page> for Doubled {
    fn into_reply(self) -> Page {
        Page { status: 200, body: self.0.to_string() }
    }
}

chain! {
    /// The reply is a plain type.
    struct Pages;
    fn(text: Text) -> Page { parse => cached => double }
}

impl IntoReply<u32> for Doubled {
    fn into_reply(self) -> u32 {
        self.0
    }
}

/// The chain's own error.
struct BadNumber(String);

impl From<ParseIntError> for BadNumber {
    fn from(error: ParseIntError) -> Self {
        Self(error.to_string())
    }
}

chain! {
    /// The reply is a `Result`: errors become its error, as with `?`, and values its value.
    struct Results;
    fn(text: Text) -> Result<u32, BadNumber> { parse => double }
}

fn main() {
    for text in ["4", "21", "four"] {
        let page = Pages.run(Text(text));
        println!("{text:>4} as a page:   {} {}", page.status, page.body);
        match Results.run(Text(text)) {
            Ok(number) => println!("{text:>4} as a result: Ok, {number}"),
            Err(error) => println!("{text:>4} as a result: Err, {}", error.0),
        }
    }
}
