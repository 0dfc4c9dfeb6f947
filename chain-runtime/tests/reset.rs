//! `Reset`: a value that was used and reset cannot be told from a fresh one, and keeps its memory.
#![cfg(feature = "http")]

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::marker::PhantomData;
use std::num::Wrapping;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chain_runtime::Reset;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use proptest::collection::{btree_map, hash_map, vec};
use proptest::prelude::*;

/// One field of everything that a value can be compared by.
#[derive(Debug, Default, PartialEq, Reset)]
struct Everything {
    numbers: (u8, i64, f64, usize, Wrapping<u32>),
    flag: bool,
    letter: char,
    nothing: (),
    time: Duration,
    name: &'static str,
    user: Option<String>,
    array: [u16; 5],
    nested: [Vec<u8>; 2],
    text: String,
    bytes: Vec<u8>,
    queue: VecDeque<String>,
    map: HashMap<String, Vec<u8>>,
    set: HashSet<u32>,
    tree: BTreeMap<u32, String>,
    leaves: BTreeSet<u32>,
    boxed: Box<[String; 1]>,
    cell: Cell<u8>,
    shared: RefCell<Vec<u8>>,
    once: OnceCell<u8>,
    path: PathBuf,
    os: OsString,
    marker: PhantomData<Rc<()>>,
    buffer: BytesMut,
    frozen: Bytes,
    headers: HeaderMap,
    status: StatusCode,
    method: Method,
    uri: Uri,
    version: Version,
}

prop_compose! {
    fn text_fields()(
        user in any::<Option<String>>(),
        text in any::<String>(),
        queue in vec(any::<String>(), 0..8),
        map in hash_map(any::<String>(), any::<Vec<u8>>(), 0..8),
        tree in btree_map(any::<u32>(), any::<String>(), 0..8),
        path in "[a-z/]{0,40}",
    ) -> Everything {
        Everything {
            user,
            queue: queue.into(),
            map,
            tree,
            boxed: Box::new([text.clone()]),
            path: PathBuf::from(&path),
            os: OsString::from(path),
            text,
            ..Everything::default()
        }
    }
}

prop_compose! {
    fn everything()(
        mut value in text_fields(),
        numbers in any::<(u8, i64, f64, usize, u32)>(),
        (flag, letter, seconds) in any::<(bool, char, u64)>(),
        array in any::<[u16; 5]>(),
        bytes in any::<Vec<u8>>(),
        fields in btree_map("[a-z]{1,12}", "[ -~]{0,30}", 0..8),
        status in 100_u16..1000,
        target in "/[a-z]{0,20}",
    ) -> Everything {
        let (a, b, c, d, e) = numbers;
        value.numbers = (a, b, c, d, Wrapping(e));
        (value.flag, value.letter, value.time) = (flag, letter, Duration::from_secs(seconds));
        value.name = if flag { "somebody" } else { "" };
        value.array = array;
        value.nested = [bytes.clone(), bytes.clone()];
        value.set.extend(array.iter().map(|&n| u32::from(n)));
        value.leaves.extend(array.iter().map(|&n| u32::from(n)));
        value.cell.set(a);
        value.shared.borrow_mut().extend_from_slice(&bytes);
        if flag {
            value.once.set(a).unwrap();
        }
        value.buffer.extend_from_slice(&bytes);
        value.frozen = Bytes::from(bytes.clone());
        value.bytes = bytes;
        for (name, field) in fields {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            value.headers.append(&name, HeaderValue::from_str(&field).unwrap());
            value.headers.append(name, HeaderValue::from_static("again"));
        }
        value.status = StatusCode::from_u16(status).unwrap();
        value.method = if flag { Method::POST } else { Method::from_bytes(b"PURGE").unwrap() };
        value.uri = target.parse().unwrap();
        value.version = Version::HTTP_2;
        value
    }
}

fn capacities(value: &Everything) -> [usize; 10] {
    [
        value.text.capacity(),
        value.bytes.capacity(),
        value.queue.capacity(),
        value.map.capacity(),
        value.set.capacity(),
        value.boxed[0].capacity(),
        value.nested[1].capacity(),
        value.path.capacity(),
        value.buffer.capacity(),
        value.headers.capacity(),
    ]
}

proptest! {
    #[test]
    fn what_was_reset_equals_what_is_fresh(mut used in everything()) {
        used.reset();
        prop_assert_eq!(&used, &Everything::default());
        used.reset();
        prop_assert_eq!(&used, &Everything::default());
    }

    #[test]
    fn reset_keeps_room_and_trim_gives_it_back(mut used in everything(), limit in 0_usize..200) {
        let before = capacities(&used);
        used.reset();
        prop_assert_eq!(capacities(&used), before);
        used.trim(limit);
        prop_assert_eq!(&used, &Everything::default());
        prop_assert!(used.text.capacity() <= limit);
        prop_assert!(used.bytes.capacity() <= limit);
        prop_assert!(used.queue.capacity() * size_of::<String>() <= limit);
        prop_assert!(used.buffer.capacity() <= limit);
        prop_assert!(used.nested[0].capacity() <= limit);
        for (after, before) in capacities(&used).into_iter().zip(before) {
            prop_assert!(after <= before, "trimming never makes a buffer larger");
        }
    }

    #[test]
    fn trimming_does_not_change_contents(mut used in everything(), limit in 0_usize..200) {
        let said = format!("{:?} {:?} {:?} {:?}", used.text, used.queue, used.buffer, used.headers);
        used.trim(limit);
        prop_assert_eq!(said, format!("{:?} {:?} {:?} {:?}", used.text, used.queue, used.buffer, used.headers));
    }
}

#[test]
fn what_cannot_be_compared_is_reset_too() {
    let mut count = (AtomicU64::new(7), AtomicBool::new(true));
    count.reset();
    assert_eq!((count.0.load(Ordering::Relaxed), count.1.load(Ordering::Relaxed)), (0, false));

    let mut heap = BinaryHeap::from([3, 1, 2]);
    heap.reset();
    assert!(heap.is_empty() && heap.capacity() >= 3);

    let mut once = OnceLock::from(1);
    once.reset();
    assert_eq!(once.get(), None);

    let mut extensions = http::Extensions::new();
    extensions.insert(1_u8);
    extensions.reset();
    assert!(extensions.is_empty());

    let mut request = http::Request::post("/a").header("b", "c").extension(1_u8).body(vec![1]).unwrap();
    request.reset();
    assert_eq!(format!("{request:?}"), format!("{:?}", http::Request::new(Vec::<u8>::new())));

    let mut response = http::Response::builder().status(404).header("b", "c").body(vec![1]).unwrap();
    response.reset();
    assert_eq!(format!("{response:?}"), format!("{:?}", http::Response::new(Vec::<u8>::new())));
}

#[test]
fn a_poisoned_lock_is_healed() {
    let mut lock = Arc::new(Mutex::new(vec![1]));
    let other = Arc::clone(&lock);
    let panicked = std::thread::spawn(move || {
        let _guard = other.lock().unwrap();
        panic!("poisons the lock");
    });
    assert!(panicked.join().is_err());
    let lock = Arc::get_mut(&mut lock).unwrap();
    assert!(lock.is_poisoned());
    lock.reset();
    assert!(!lock.is_poisoned());
    assert!(lock.get_mut().unwrap().is_empty());

    let mut lock = RwLock::new(String::from("a"));
    lock.reset();
    assert_eq!(lock.into_inner().unwrap(), "");
}

#[test]
fn a_field_can_be_set_handed_to_a_function_or_kept() {
    fn refill(tokens: &mut NoReset) {
        tokens.0 = 100;
    }
    struct NoReset(u32);

    #[derive(Reset)]
    struct Connection {
        #[reset(value = u8::MAX - 1)]
        attempts: u8,
        #[reset(with = refill)]
        tokens: NoReset,
        #[reset(with = Vec::clear)]
        seen: Vec<Rc<str>>,
        #[reset(keep)]
        peer: Rc<str>,
    }

    let mut connection = Connection { attempts: 0, tokens: NoReset(1), seen: vec!["a".into()], peer: "::1".into() };
    connection.reset();
    connection.trim(0);
    assert_eq!((connection.attempts, connection.tokens.0, &*connection.peer), (254, 100, "::1"));
    assert!(connection.seen.is_empty() && connection.seen.capacity() == 1);
}

#[test]
fn every_shape_of_type_can_derive() {
    #[derive(Debug, PartialEq, Reset)]
    struct Unit;

    #[derive(Debug, PartialEq, Reset)]
    struct Tuple(u8, #[reset(value = 5)] u8, #[reset(keep)] u8, String);

    #[derive(Debug, Default, PartialEq, Reset)]
    enum Marked {
        #[reset(to)]
        Idle,
        #[default]
        Busy,
        #[allow(dead_code)]
        Holding(Rc<u8>),
    }

    #[derive(Debug, Default, PartialEq, Reset)]
    enum Defaulted {
        #[default]
        r#Self_,
        Other {
            _name: String,
        },
    }

    #[derive(Default, Reset)]
    struct Generic<'a, T, V: ?Sized, const N: usize>
    where
        [T; N]: Default,
    {
        list: Vec<T>,
        array: [T; N],
        lent: &'a str,
        marker: PhantomData<V>,
    }

    #[derive(Reset)]
    struct Recursive<T> {
        value: T,
        next: Option<Box<Recursive<T>>>,
        children: Vec<Recursive<T>>,
    }

    let mut unit = Unit;
    unit.reset();
    let mut tuple = Tuple(1, 2, 3, "a".into());
    tuple.reset();
    assert_eq!(tuple, Tuple(0, 5, 3, String::new()));

    let mut marked = Marked::Busy;
    marked.reset();
    assert_eq!(marked, Marked::Idle);
    let mut other = Defaulted::Other { _name: "a".into() };
    other.reset();
    assert_eq!(other, Defaulted::Self_);

    let mut generic = Generic::<u8, str, 2> { list: vec![1], array: [1, 2], lent: "a", marker: PhantomData };
    generic.reset();
    assert_eq!((generic.list.len(), generic.array, generic.lent), (0, [0, 0], ""));
    // `list` alone would ask nothing of its element.
    #[derive(Reset)]
    struct List<T>(Vec<T>);
    let mut list = List(vec![Rc::new(())]);
    list.reset();
    assert!(list.0.is_empty());

    let leaf = || Recursive { value: 1, next: None, children: Vec::new() };
    let mut tree = Recursive { value: 2, next: Some(Box::new(leaf())), children: vec![leaf()] };
    tree.reset();
    assert!(tree.value == 0 && tree.next.is_none() && tree.children.is_empty());
}

/// Counts how often it was renewed, wherever it stands.
#[derive(Debug, Default, PartialEq)]
struct Turns(u32);

impl Reset for Turns {
    fn reset(&mut self) {}

    fn renew(&mut self) {
        self.0 += 1;
    }
}

#[test]
fn what_begins_with_a_request_is_made_wherever_it_stands() {
    #[derive(Default, Reset)]
    struct Inner {
        turns: Turns,
        text: String,
    }
    #[derive(Default, Reset)]
    struct Outer {
        inner: Inner,
        pair: (Turns, u8),
        array: [Turns; 2],
        boxed: Box<Turns>,
        cell: Cell<Turns>,
        shared: RefCell<Turns>,
        locked: Mutex<Turns>,
        guarded: RwLock<Turns>,
        wrapped: Wrapping<Cell<Turns>>,
        #[reset(value = Turns(0))]
        assigned: Turns,
        #[reset(keep)]
        kept: Turns,
    }
    let mut outer = Outer::default();
    outer.renew();
    outer.renew();
    let twice = Turns(2);
    assert_eq!((&outer.inner.turns, &outer.pair.0, &*outer.boxed), (&twice, &twice, &twice));
    assert_eq!(outer.array, [Turns(2), Turns(2)]);
    assert_eq!((outer.cell.take(), outer.shared.take(), outer.wrapped.0.take()), (Turns(2), Turns(2), Turns(2)));
    assert_eq!((outer.locked.into_inner().unwrap(), outer.guarded.into_inner().unwrap()), (Turns(2), Turns(2)));
    assert_eq!((outer.assigned, outer.kept), (Turns(0), Turns(0)), "these do not go through their type");
}

#[test]
fn a_field_is_set_when_it_is_lent_and_let_go_when_it_comes_back() {
    thread_local! {
        static NOW: Cell<u32> = const { Cell::new(0) };
    }
    #[derive(Reset)]
    struct Visit {
        #[reset(renew = NOW.get())]
        began: u32,
        #[reset(value = None, renew = Some(NOW.get()))]
        last: Option<u32>,
    }
    let mut visit = Visit { began: 0, last: Some(0) };
    NOW.set(7);
    visit.reset();
    assert_eq!((visit.began, visit.last), (0, None), "a time is made when it is lent");
    NOW.set(9);
    visit.renew();
    assert_eq!((visit.began, visit.last), (9, Some(9)));
}

/// Everything that a derive tends to lean on without saying so is taken away here.
mod hostile {
    #![no_implicit_prelude]
    #![deny(warnings, missing_docs, unused_qualifications, clippy::all, clippy::pedantic)]
    #![allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]

    use ::chain_runtime as somewhere_else;

    struct usize;
    struct Option;
    struct String;
    struct Default;
    struct Self_;
    mod core {}
    mod std {}

    /// Its fields are named like what the expansion might use.
    #[derive(somewhere_else::Reset)]
    pub(crate) struct r#Loop {
        /// Raw.
        pub(crate) r#type: u8,
        /// Like the receiver.
        pub(crate) this: ::std::vec::Vec<u8>,
        /// Like the parameter.
        pub(crate) limit: u8,
        /// Deprecated.
        #[deprecated]
        pub(crate) old: u8,
        #[reset(value = limit())]
        chosen: u8,
        #[reset(renew = limit())]
        began: u8,
        #[reset(keep)]
        own: Default,
    }

    const fn limit() -> u8 {
        7
    }

    /// Says where the runtime is.
    #[derive(::chain_runtime::Reset)]
    #[reset(crate = somewhere_else)]
    pub(crate) struct Elsewhere(pub u8);

    #[derive(::chain_runtime::Reset)]
    enum r#Enum {
        #[reset(to)]
        r#True,
        Other(u8),
    }

    #[test]
    fn derives_without_a_prelude_and_among_shadowed_names() {
        use somewhere_else::Reset;
        #[allow(deprecated)]
        let mut value = r#Loop { r#type: 1, this: ::std::vec![1], limit: 2, old: 3, chosen: 4, began: 5, own: Default };
        value.reset();
        value.trim(0);
        value.renew();
        #[allow(deprecated)]
        let numbers = (value.r#type, value.limit, value.old, value.chosen, value.began);
        ::std::assert_eq!(numbers, (0, 0, 0, 7, 7));
        let mut other = r#Enum::Other(1);
        other.reset();
        ::std::assert!(::std::matches!(other, r#Enum::True));
        let mut other = Elsewhere(1);
        other.reset();
        ::std::assert_eq!(other.0, 0);
    }
}

#[test]
fn a_cell_or_lock_whose_guard_was_forgotten_can_be_borrowed_again() {
    let mut cell = RefCell::new(vec![1]);
    core::mem::forget(cell.borrow_mut());
    cell.reset();
    assert!(cell.borrow_mut().is_empty());
    core::mem::forget(cell.borrow());
    cell.reset();
    cell.borrow_mut().push(2);

    let mut mutex = Mutex::new(vec![1]);
    core::mem::forget(mutex.lock().unwrap());
    mutex.reset();
    assert!(mutex.try_lock().unwrap().is_empty());

    let mut lock = RwLock::new(vec![1]);
    core::mem::forget(lock.read().unwrap());
    lock.reset();
    assert!(lock.try_write().unwrap().is_empty());
}

#[test]
fn what_a_cell_holds_keeps_its_memory_when_a_guard_was_forgotten() {
    let mut cell = RefCell::new(Vec::<u8>::with_capacity(100));
    core::mem::forget(cell.borrow_mut());
    cell.reset();
    assert!(cell.borrow().capacity() >= 100);
}
