//! The macros name everything by its full path: there is no prelude here, and each of its names means something else.
#![no_implicit_prelude]
#![allow(dead_code, unused_imports, non_camel_case_types, clippy::all)]

mod shadowed {
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct Option;
    pub(crate) struct Result;
    pub(crate) struct Future;
    pub(crate) struct Send;
    pub(crate) struct Sized;
    pub(crate) struct Iterator;
    pub(crate) struct Vec;
    pub(crate) struct String;
    pub(crate) struct Box;
    pub(crate) struct Scope;
    pub(crate) struct Chain;
    pub(crate) struct Node;
    pub(crate) struct Never;
    pub(crate) struct Ending;
    pub(crate) struct Provides;
    pub(crate) struct Signature;
    pub(crate) struct Cancel;
    pub(crate) struct PhantomData;
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod chain_runtime {}
}
use shadowed::*;

use ::links::{chain, node};

struct User(::core::primitive::u32);

#[node]
fn auth(line: &::core::primitive::str) -> ::core::result::Result<User, Refused> {
    if line.is_empty() { ::core::result::Result::Err(Refused) } else { ::core::result::Result::Ok(User(7)) }
}

struct Refused;
impl ::links::IntoReply<::core::primitive::u32> for Refused {
    fn into_reply(self) -> ::core::primitive::u32 {
        0
    }
}

struct Log;
#[node]
impl Log {
    fn enter(&self) -> Started {
        Started
    }
    async fn exit(&self, started: &Started, reply: &mut ::core::primitive::u32) {
        let _ = started;
        *reply += 1;
    }
    fn cancelled(&self, started: &mut Started) {
        let _ = started;
    }
}
struct Started;

#[node]
async fn reply(user: &User) -> ::core::primitive::u32 {
    user.0
}

chain! {
    #[observe(::links::observe::Recorder)]
    struct Gateway {
        log: Log,
    }

    async fn(line: &::core::primitive::str) -> ::core::primitive::u32 {
        log => auth => reply
    }
}

struct Pass;
#[node]
impl Pass {
    async fn around<B: ::core::future::Future>(
        &self,
        block: ::core::pin::Pin<&mut B>,
    ) -> ::core::result::Result<B::Output, Refused> {
        ::core::result::Result::Ok(block.await)
    }
    fn again(&self, attempt: ::core::primitive::u32, reply: &::core::primitive::u32) -> ::core::primitive::bool {
        attempt < 2 && *reply == 8
    }
}

enum Route {
    Known(Name),
    Unknown,
}
struct Name(::core::primitive::u32);

#[node]
fn route(user: &User) -> Route {
    if user.0 == 7 { Route::Known(Name(8)) } else { Route::Unknown }
}

#[node]
fn is_known(user: &User) -> ::core::primitive::bool {
    user.0 == 7
}

#[node]
fn key(user: &User) -> ::links::share::StickyKey {
    ::links::share::StickyKey::from_u64(user.0 as ::core::primitive::u64)
}

struct Limits(::core::primitive::u32);

#[node]
async fn limited(limits: &Limits) {
    let _ = limits.0;
}

#[node]
fn name(name: &Name) -> ::core::primitive::u32 {
    name.0
}

#[node]
fn nobody() -> ::core::primitive::u32 {
    0
}

#[node]
fn audit(user: &User) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send + 'static {
    let user = user.0;
    async move {
        let _ = user;
    }
}

chain! {
    segment known { auth => #[when(is_known)] limited }
}

chain! {
    #[observe(::links::observe::Recorder)]
    struct Composed {
        log: Log,
        pass: Pass,
        toggles: ::links::Toggles,
        shedding: ::links::Shedding,
        tasks: ::links::tasks::Tasks,
        limits: ::links::Reloadable<Limits>,
    }

    async fn(line: &::core::primitive::str) -> ::core::primitive::u32 {
        log => ..known
            => { #[toggle] limited => #[sample(1 / 2)] limited }
            => #[cfg(any())] nowhere
            => #[cancel(detach)] audit
            => #[shed(high, detach)] audit
            => #[shed(elevated, sample = 1 / 2, "some")] { limited }
            => #[cancel(finish)] audit
            => key
            => #[split(5)] { limited }
            => if is_known { pass { limited } }
            => pass {
                match route {
                    Route::Known(known: Name) if known.0 > 9 => nobody,
                    Route::Known(known: Name) => name,
                    Route::Unknown => nobody,
                }
            }
    }
}

#[derive(::links::Reset)]
struct Kept {
    many: ::std::vec::Vec<::core::primitive::u8>,
    maybe: ::core::option::Option<::core::primitive::u8>,
}

#[node]
fn part(request: &::links::Request) {
    let _ = request;
}

#[::core::prelude::v1::test]
fn everything_has_its_whole_path() {
    let runtime = ::tokio::runtime::Builder::new_current_thread().build();
    let runtime = ::core::result::Result::unwrap(runtime);
    let gateway = Gateway { log: Log };
    ::core::assert_eq!(runtime.block_on(gateway.run("a")), 8);
    ::core::assert_eq!(runtime.block_on(gateway.run("")), 1);
    let composed = Composed {
        log: Log,
        pass: Pass,
        toggles: ::links::Toggles::new(),
        shedding: ::links::Shedding::new(),
        tasks: ::links::tasks::Tasks::new(8),
        limits: ::links::Reloadable::new(Limits(1)),
    };
    ::core::assert_eq!(runtime.block_on(composed.run("a")), 9);
    ::core::assert_eq!(runtime.block_on(composed.run("")), 1);
    let short = chain!(part);
    let mut context = ::links::Context::new();
    ::core::assert!(!runtime.block_on(short.run(&mut context)).is_cut_short());
}
