//! `&T`, `&mut T` and `T`: a node's parameters say what it may do.
//!
//! A node that names an input by value takes it out of the scope. From then on it is gone: a later node that asks for
//! it, or an earlier one that asks for it in `exit`, does not compile. What an earlier node provided is taken in the same way.

use chain_runtime::{chain, node};

struct Head {
    path: String,
    via: Vec<&'static str>,
}

/// A body that can be read once.
struct Body(Vec<u8>);
struct Length(usize);

/// A body that was looked through.
struct Scanned(Body);

/// Lent: looks at the body, leaves it where it is.
#[node]
fn measure(body: &Body) -> Length {
    Length(body.0.len())
}

/// Lent for writing.
#[node]
fn stamp(head: &mut Head) {
    head.via.push("chain");
}

/// Lent for writing: what an earlier node provided.
#[node]
fn round_up(length: &mut Length) {
    length.0 = length.0.next_multiple_of(16);
}

/// Taken, and provided in another type: only what was scanned is uploaded.
#[node]
fn scan(body: Body) -> Scanned {
    Scanned(body)
}

/// Taken, an input and what `scan` provided: the strings and the bytes move into the reply; nothing is cloned.
#[node]
fn upload(head: Head, scanned: Scanned, length: &Length) -> Stored {
    Stored { path: head.path, via: head.via, bytes: scanned.0.0, room: length.0 }
}

#[derive(Debug)]
struct Stored {
    path: String,
    via: Vec<&'static str>,
    bytes: Vec<u8>,
    room: usize,
}

chain! {
    struct Upload;

    fn(head: Head, body: Body) -> Stored {
        measure => stamp => round_up => scan => upload
    }
}

fn main() {
    let body = Body(b"seven b".to_vec());
    let address = body.0.as_ptr();
    let stored = Upload.run(Head { path: "/file".to_owned(), via: Vec::new() }, body);
    println!("{} via {:?}: {} bytes, room for {}", stored.path, stored.via, stored.bytes.len(), stored.room);
    println!("the bytes were moved, not copied: {}", stored.bytes.as_ptr() == address);
}
