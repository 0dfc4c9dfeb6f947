//! `hello.rs`, with the traits on which a chain stands written out by hand.
//!
//! It is what `chain!` and `#[node]` make of nodes with hooks and of generic nodes. A plain function tells the chain its
//! signature through a macro, and the chain calls it directly, without these traits.
//!
//! It is simplified: the names are ones that a person would choose, paths are shortened by `use`, and what only serves
//! the drawing (`FACTS`, `NEEDS`) and the order checks is kept to a minimum. The types and the body of `run` are those
//! of such an expansion, and compile against the same runtime. Read it from the bottom: `Hello::run` is the main part.

#![allow(refining_impl_trait, reason = "`NeverSuspends`, by name, tells rustc that there is nothing to await")]

use std::future::Future;
use std::ops::ControlFlow::{Break, Continue};

use chain_runtime::describe::{Facts, Hook, Need, Source, SourceKind};
use chain_runtime::flow::{Cut, End, KeyOf, Reads, kind, reply};
use chain_runtime::held::{Bare, Held};
use chain_runtime::node::{Joins, pace, way_out};
use chain_runtime::scope::{LendReply, Lends, Provides, lend, lent, place};
use chain_runtime::{Cancel, IntoReply, Never, NeverSuspends, Node, Signature, Stateless};

struct Request {
    path: &'static str,
    token: &'static str,
}

struct Keys {
    ada: &'static str,
}

struct User(&'static str);
struct Unauthorized;
struct Started(&'static str);

impl IntoReply<String> for Unauthorized {
    fn into_reply(self) -> String {
        "401 who are you?".to_owned()
    }
}

// #[node] async fn auth ///////////////////////////////////////////////////////////////////////////////////////////////

// The function stays as it is, so that a test can call it.
async fn auth(request: &Request, keys: &Keys) -> Result<User, Unauthorized> {
    tokio::task::yield_now().await;
    if request.token == keys.ada { Ok(User("Ada")) } else { Err(Unauthorized) }
}

// Beside it, there is a type of the same name. It has braces, so that it lives among types only: `auth` as a value is
// still the function, and a parameter or a binding may still be called `auth`.
#[allow(non_camel_case_types, reason = "named like the function")]
struct auth {}

// A chain can name it without a field.
impl Stateless for auth {
    const NODE: Self = Self {};
}

// What holds for the node in every chain.
impl<'r> Signature<'r> for auth {
    type Out = Result<User, Unauthorized>;
    // How the result is read: what the node provides, and what it breaks with.
    type Kind = kind::Fails;
    // The type under which the value joins the scope at position `P`.
    type Key<const P: usize> = User;
    type Pace = pace::Suspending;
    const FACTS: Facts = Facts::new("auth").provides("User").breaks("Unauthorized").enter(Hook::Suspends);
}

// The type under which the value joins the scope of the chain `C`.
impl<'r, C: ?Sized> Joins<'r, C> for auth {
    type As<const P: usize> = User;
    type Held<const P: usize> = User;
    type Lent = lent::Itself;
}

// What the node does in any scope that has what it needs, with one bound for each parameter. `Lends` is `Provides` and
// the name of the node that asks (`Self`), so that an error can name it. An unmet bound is the error that a user reads
// as "`auth` needs a `Keys`, but nothing in this chain provides one".
impl<'r: 's, 's, S> Node<'r, 's, S> for auth
where
    S: Lends<'r, 's, Request, Self> + Lends<'r, 's, Keys, Self>,
{
    const NEEDS: &'static [Need] = &[];

    fn enter(&'r self, mut scope: S) -> impl Future<Output = Self::Out> {
        auth(lend::<Request, Self, _>(&mut scope), lend::<Keys, Self, _>(&mut scope))
    }
}

// #[node] impl Log ////////////////////////////////////////////////////////////////////////////////////////////////////

struct Log;

impl Log {
    fn enter(&self, request: &Request) -> Started {
        println!("  log: {} begins", request.path);
        Started(request.path)
    }

    fn exit(&self, started: &Started, reply: &String) {
        println!("  log: {} ends with `{reply}`", started.0);
    }
}

impl<'r> Signature<'r> for Log {
    type Out = Started;
    type Kind = kind::Gives;
    type Key<const P: usize> = Started;
    type Pace = pace::Immediate;
    const FACTS: Facts = Facts::new("Log").provides("Started").exit(Hook::Now);
}

// A type can be a field of a chain, and have a way out. A function is no field, and has no way out.
impl<C: ?Sized> chain_runtime::IsNode<C> for Log {
    type Itself = Self;
    fn itself(&self) -> &Self {
        self
    }
}

impl<'r, C: ?Sized> Joins<'r, C> for Log {
    type As<const P: usize> = Started;
    type Held<const P: usize> = Started;
    type Lent = lent::Itself;
}

impl<'r: 's, 's, S> Node<'r, 's, S> for Log
where
    S: Lends<'r, 's, Request, Self> + Lends<'r, 's, Started, Self> + LendReply<'s, String, Self>,
{
    const NEEDS: &'static [Need] = &[];
    const EXIT_NEEDS: &'static [Need] = &[];

    // A hook that never suspends returns a future without values: rustc removes the await behind it.
    fn enter(&'r self, _: S) -> NeverSuspends<Started> {
        unreachable!()
    }
    fn enter_now(&'r self, mut scope: S) -> Started {
        Self::enter(self, lend::<Request, Self, _>(&mut scope))
    }
    fn exit(&'r self, _: S) -> NeverSuspends<()> {
        unreachable!()
    }
    fn exit_now(&'r self, mut scope: S) {
        Self::exit(self, lend::<Started, Self, _>(&mut scope), scope.lend_reply());
    }
}

// It has no `cancelled` hook, so its value is held bare. The value of a node with that hook is held in a `Guard`, whose
// `Drop` calls the hook.
impl<'r, C: 'r> Cancel<'r, C> for Log {
    type WayOut = way_out::Open;
    type Held<const P: usize> = Bare<Started>;
    // For a node that may be skipped, under `#[when(..)]` and the like.
    type MaybeHeld<const P: usize> = Bare<Option<Started>>;

    fn hold<const P: usize>(&'r self, value: Started, _: &'r C) -> Bare<Started> {
        Bare { value }
    }

    fn hold_maybe<const P: usize>(entered: Option<(&'r Self, Started)>, _: &'r C) -> Bare<Option<Started>> {
        Bare::maybe(entered)
    }
}

// #[node] fn greet ////////////////////////////////////////////////////////////////////////////////////////////////////

fn greet(user: &User) -> String {
    format!("200 hello, {}", user.0)
}

#[allow(non_camel_case_types, reason = "named like the function")]
struct greet {}

impl Stateless for greet {
    const NODE: Self = Self {};
}

impl<'r> Signature<'r> for greet {
    type Out = String;
    type Kind = kind::Gives;
    type Key<const P: usize> = String;
    type Pace = pace::Immediate;
    const FACTS: Facts = Facts::new("greet").provides("String");
}

impl<'r, C: ?Sized> Joins<'r, C> for greet {
    type As<const P: usize> = String;
    type Held<const P: usize> = String;
    type Lent = lent::Itself;
}

impl<'r: 's, 's, S: Lends<'r, 's, User, Self>> Node<'r, 's, S> for greet {
    const NEEDS: &'static [Need] = &[];

    fn enter(&'r self, _: S) -> NeverSuspends<String> {
        unreachable!()
    }
    fn enter_now(&'r self, mut scope: S) -> String {
        greet(lend::<User, Self, _>(&mut scope))
    }
}

// chain! //////////////////////////////////////////////////////////////////////////////////////////////////////////////

/// Greets those who are known.
struct Hello {
    keys: Keys,
    log: Log,
}

// The scope: what can be lent to a node at its place. One is made on the stack for each call of a hook, with `Some` for
// what exists at that place. `'r` is the lifetime of the run, `'s` that of the call.
struct Scope<'r: 's, 's> {
    chain: &'r Hello,
    request: Option<&'s mut Option<Request>>,
    provided0: Option<&'s mut <Log as Signature<'r>>::Key<0>>,
    provided1: Option<&'s mut <auth as Signature<'r>>::Key<1>>,
    reply: Option<&'s mut String>,
}

impl<'r: 's, 's> Scope<'r, 's> {
    fn empty(chain: &'r Hello) -> Self {
        Self { chain, request: None, provided0: None, provided1: None, reply: None }
    }
}

// One impl for each type in it. Two impls for one type would be the same impl twice, which rustc refuses: that is how
// two providers of one type are found.
impl<'r: 's, 's> Provides<'r, 's, <auth as Joins<'r, Hello>>::As<1>> for Scope<'r, 's> {
    // The order checks and the drawing are made from this.
    const FROM: Source = Source { kind: SourceKind::Node, position: 1, name: "auth" };
    // What may be done with it: a provided value can be lent for reading and for writing. No node of this chain takes it, so it is
    // held by itself; else it would stand in an `Option`, as the request does, and be `Provided::Takable`. (In the real expansion a
    // constant made of what all nodes need says which.)
    type Place = place::Provided<'s, User>;

    fn place(&mut self) -> Self::Place {
        place::Provided::Held(self.provided1.take().expect("lent once, to a node after it"))
    }
}

impl<'r: 's, 's> Provides<'r, 's, <Log as Joins<'r, Hello>>::As<0>> for Scope<'r, 's> {
    const FROM: Source = Source { kind: SourceKind::Node, position: 0, name: "log" };
    type Place = place::Provided<'s, Started>;

    fn place(&mut self) -> Self::Place {
        place::Provided::Held(self.provided0.take().expect("lent once, to a node after it"))
    }
}

impl<'r: 's, 's> Provides<'r, 's, Request> for Scope<'r, 's> {
    const FROM: Source = Source { kind: SourceKind::Input, position: 0, name: "request" };
    type Place = place::Owned<'s, Request>;

    fn place(&mut self) -> Self::Place {
        place::Owned(self.request.take().expect("lent once"))
    }
}

// (And one for `Log`, which is a field as well.)
impl<'r: 's, 's> Provides<'r, 's, Keys> for Scope<'r, 's> {
    const FROM: Source = Source { kind: SourceKind::Field, position: 0, name: "keys" };
    type Place = place::Field<'r, Keys>;

    fn place(&mut self) -> Self::Place {
        place::Field(&self.chain.keys)
    }
}

impl<'r: 's, 's, N: ?Sized> LendReply<'s, String, N> for Scope<'r, 's> {
    fn lend_reply(&mut self) -> &'s mut String {
        self.reply.take().expect("lent once, on the way out")
    }
}

impl Hello {
    // One flat body, a block for each node that may have a way out. Provided values are locals of the blocks: leaving a
    // block in any way drops them in reverse. A node that breaks leaves only the blocks of the nodes that were entered.
    async fn run(&self, request: Request) -> String {
        // `Option`, since a node may take it by value.
        let mut request = Some(request);
        let mut reply: String;

        'node0: {
            // A synchronous node is called. (The real expansion is
            // `if SUSPENDS { enter(..).await } else { enter_now(..) }`, since the macro does not know which it is;
            // rustc does, and keeps one.)
            let scope = Scope { request: Some(&mut request), ..Scope::empty(self) };
            let out = Node::enter_now(&self.log, scope);
            let mut log = match kind::Gives::read(out) {
                Continue(value) => Cancel::hold::<0>(&self.log, Started::key_of(value), self),
                Break(broken) => {
                    reply = <kind::Gives as Cut<Never, Log, String, reply::Plain>>::cut(broken);
                    break 'node0;
                }
            };

            'node1: {
                let scope =
                    Scope { request: Some(&mut request), provided0: Some(&mut log.value), ..Scope::empty(self) };
                let out = Node::enter(&auth::NODE, scope).await;
                let mut auth = match kind::Fails::read(out) {
                    Continue(value) => Bare { value: User::key_of(value) },
                    // It broke: the reply is made in place, and `auth` was never entered.
                    Break(broken) => {
                        reply = <kind::Fails as Cut<Unauthorized, auth, String, reply::Plain>>::cut(broken);
                        break 'node1;
                    }
                };

                // `auth` is a function, which has no way out, so it needs no block.
                let scope = Scope {
                    request: Some(&mut request),
                    provided0: Some(&mut log.value),
                    provided1: Some(&mut auth.value),
                    ..Scope::empty(self)
                };
                let out = Node::enter_now(&greet::NODE, scope);
                // The last node's value is the reply; the chain does not hold it.
                match kind::Gives::read(out) {
                    Continue(value) => reply = <kind::Gives as End<String, greet, String, reply::Plain>>::end(value),
                    Break(broken) => {
                        reply = <kind::Gives as Cut<Never, greet, String, reply::Plain>>::cut(broken);
                        break 'node1;
                    }
                }
            }

            // The way out of `log`.
            let scope = Scope {
                request: Some(&mut request),
                provided0: Some(&mut log.value),
                reply: Some(&mut reply),
                ..Scope::empty(self)
            };
            Node::exit_now(&self.log, scope);
            // From here on, a drop is an ordinary one.
            log.left();
        }
        reply
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let hello = Hello { keys: Keys { ada: "lovelace" }, log: Log };
    for token in ["lovelace", "babbage"] {
        println!("token `{token}`:");
        let reply = hello.run(Request { path: "/", token }).await;
        println!("  reply: {reply}");
    }
}
