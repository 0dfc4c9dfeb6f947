//! The value that a node provides may borrow from the inputs: nothing is copied to be passed on.
//!
//! An input by reference (`head: &'r str`) and the chain's fields live as long as the run, `'r`. A node that returns
//! something with that lifetime says so in its own signature, as any function would.

use chain_runtime::{IntoReply, chain, node};

/// Borrows from the head of the request.
struct Path<'r>(&'r str);
struct Token<'r>(&'r str);
struct BadRequest;

impl<'r> IntoReply<&'r str> for BadRequest {
    fn into_reply(self) -> &'r str {
        "(bad request)"
    }
}

#[node]
fn path<'r>(head: &'r str) -> Result<Path<'r>, BadRequest> {
    head.split(' ').nth(1).map(Path).ok_or(BadRequest)
}

#[node]
fn token<'r>(head: &'r str) -> Result<Token<'r>, BadRequest> {
    head.split_once("token=").map(|(_, token)| Token(token)).ok_or(BadRequest)
}

/// A borrowing value can be lent like any other. The reply borrows from the head as well: it outlives the chain's
/// values.
#[node]
fn longest<'r>(path: &Path<'r>, token: &Token<'r>) -> &'r str {
    if path.0.len() > token.0.len() { path.0 } else { token.0 }
}

chain! {
    struct Longest;

    fn<'r>(head: &'r str) -> &'r str {
        path => token => longest
    }
}

fn main() {
    let head = String::from("GET /index.html HTTP/1.1; token=abc");
    let found = Longest.run(&head);
    let offset = found.as_ptr() as usize - head.as_ptr() as usize;
    println!("`{found}` is bytes {offset}..{} of the head itself, not a copy", offset + found.len());
    println!("without a token: {}", Longest.run("GET / HTTP/1.1"));
}
