//! What a chain says of itself.

use std::marker::PhantomData;

use chain::poll::suspend;
use chain_runtime::describe::{Access, Hook, Need, Source, SourceKind};
use chain_runtime::{Ending, IntoReply, chain, node};

pub struct Request;
struct Body(Vec<u8>);
pub struct Keys;
pub struct User;
pub struct Unauthorized;
impl IntoReply<Result<u16, String>> for Unauthorized {
    fn into_reply(self) -> Result<u16, String> {
        Err("401".to_owned())
    }
}
impl From<Unauthorized> for String {
    fn from(_: Unauthorized) -> Self {
        "401".to_owned()
    }
}

mod nodes {
    use super::{Keys, Request, Unauthorized, User, node, suspend};

    #[node]
    pub async fn auth(_request: &Request, _keys: &Keys) -> Result<User, Unauthorized> {
        suspend(1).await;
        Ok(User)
    }
}

struct Log;
#[node]
impl Log {
    async fn exit(&self, _user: &User, _ending: &Ending, _request: &Request) {}
    fn cancelled(&self) {}
}

#[node]
fn answer(body: Body, user: &mut User) -> u16 {
    let _ = (user, body.0);
    200
}

const LINE: u32 = line!() + 5;
chain! {
    pub struct Service { keys: Keys, log: Log }
    async fn(request: Request, body: Body) -> Result<u16, String> {
        // `LINE` is the line of `auth`.
        nodes::auth => log
            => answer
    }
}

const fn need(ty: &'static str, access: Access, kind: SourceKind, position: usize, name: &'static str) -> Need {
    Need { ty, access, from: Source { kind, position, name } }
}

#[test]
fn nodes_know_their_name_position_and_line() {
    let nodes: Vec<_> = Service::NODES.iter().map(|node| (node.name, node.position, node.file, node.line)).collect();
    let file = file!();
    assert_eq!(nodes, [("auth", 0, file, LINE), ("log", 1, file, LINE), ("answer", 2, file, LINE + 1)]);
}

#[test]
fn an_ending_is_shown_by_its_node_s_name() {
    let (ending, by) = (Ending::cut_short(&Service::NODES[1]), Service::NODES[1].name);
    assert_eq!(format!("{ending:?}"), format!("Ending {{ by: {by:?}, cut_short: true }}"));
}

#[test]
fn nodes_know_what_they_need_provide_and_break_with() {
    let [auth, log, answer] = Service::NODES else { panic!("three") };
    assert_eq!(
        auth.needs,
        [
            need("Request", Access::Lent, SourceKind::Input, 0, "request"),
            need("Keys", Access::Lent, SourceKind::Field, 0, "keys")
        ]
    );
    assert_eq!((auth.facts.provides, auth.facts.breaks), (Some("User"), Some("Unauthorized")));
    assert_eq!((auth.facts.enter, auth.facts.exit, auth.facts.cancelled), (Hook::Suspends, Hook::Absent, false));
    assert_eq!(log.needs, []);
    assert_eq!(log.exit_needs[0], need("User", Access::Lent, SourceKind::Node, 0, "auth"));
    assert_eq!((log.exit_needs[1].ty, log.exit_needs[1].from.kind), ("Ending", SourceKind::Ending));
    assert_eq!((log.facts.exit, log.facts.cancelled), (Hook::Suspends, true));
    assert_eq!(
        answer.needs,
        [
            need("Body", Access::Taken, SourceKind::Input, 1, "body"),
            need("User", Access::LentMut, SourceKind::Node, 0, "auth")
        ]
    );
    assert_eq!((answer.facts.provides, answer.facts.breaks, answer.facts.enter), (Some("u16"), None, Hook::Now));
}

#[test]
fn a_chain_knows_its_inputs_fields_and_reply() {
    let chain = Service::CHAIN;
    assert_eq!(chain.name, "Service");
    assert_eq!(chain.inputs, [("request", "Request"), ("body", "Body")]);
    assert_eq!(chain.fields, [("keys", "Keys"), ("log", "Log")]);
    assert_eq!(chain.reply, "Result<u16, String>");
    assert_eq!(chain.nodes, Service::NODES);
}

#[test]
fn a_chain_can_be_drawn() {
    assert_eq!(
        Service::drawing().to_string(),
        r"Service (request: Request, body: Body)
   => auth    needs &Request, &Keys  provides User  or breaks with Unauthorized
  <=> log     on its way out needs &User of auth, &Ending, &Request
   => answer  needs &mut User of auth  takes Body  provides u16
   -> Result<u16, String>"
    );
}

#[test]
fn a_chain_can_be_drawn_as_a_mermaid_chart() {
    assert_eq!(
        Service::drawing().mermaid().to_string(),
        r#"flowchart LR
    in(["request, body"])
    n0["auth"]
    n1["log"]
    n2["answer"]
    out(["Result#lt;u16, String#gt;"])
    in --> n0
    n0 --> n1
    n1 --> n2
    n2 --> out
    n0 -- "Unauthorized" --> out
    n0 -. "User" .-> n1
    n0 -. "User" .-> n2
"#
    );
}

// ---- generic chains

struct Send<C>(PhantomData<C>);
struct Sent<C>(#[allow(dead_code, reason = "it is provided")] C);
#[node]
impl<C: Default + 'static> Send<C> {
    fn enter(&self) -> Sent<C> {
        Sent(C::default())
    }
}
#[node]
fn receive<C: 'static>(_sent: &Sent<C>) -> u16 {
    204
}

chain! {
    struct Generic<C: Default + 'static> { send: Send<C> }
    async fn() -> u16 { send => receive::<C> }
}

#[test]
fn a_generic_chain_describes_itself_too() {
    let nodes = Generic::<u8>::NODES;
    assert_eq!((nodes[0].name, nodes[1].name), ("send", "receive"));
    assert_eq!(nodes[1].needs, [need("Sent<C>", Access::Lent, SourceKind::Node, 0, "send")]);
    assert_eq!(Generic::<u8>::CHAIN.fields, [("send", "Send<C>")]);
    assert_eq!(chain::poll::block_on(Generic::<u8> { send: Send(PhantomData) }.run()), 204);
}

// Data, not code: it can be asked for where a constant is needed.
const _: () = assert!(Service::NODES.len() == 3 && Service::CHAIN.nodes[2].facts.breaks.is_none());
static DRAWING: chain_runtime::Drawing = Service::drawing();

#[test]
fn a_drawing_is_a_constant() {
    assert_eq!(DRAWING.to_string(), Service::drawing().to_string());
}

mod composed {
    use std::future::Future;
    use std::pin::Pin;

    use super::{Keys, Request, User, chain, node};

    pub struct Pass;
    #[node]
    impl Pass {
        pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
            block.await
        }
    }
    pub enum Route {
        Api(User),
        Files,
    }
    #[node]
    pub fn route(_request: &Request) -> Route {
        if cfg!(debug_assertions) { Route::Files } else { Route::Api(User) }
    }
    #[node]
    pub fn is_local(_request: &Request) -> bool {
        true
    }
    #[node]
    pub fn keys() -> Keys {
        Keys
    }
    #[node]
    pub fn count(_keys: &Option<Keys>) {}
    #[node]
    pub fn serve(_user: &User) -> u16 {
        200
    }
    #[node]
    pub fn files() -> u16 {
        200
    }

    chain! {
        pub struct Composed { pass: Pass }
        async fn(request: Request) -> u16 {
            #[when(is_local)] keys
            => { count }
            => if is_local { count }
            => pass {
                match route {
                    Route::Api(user: User) => pass { serve },
                    Route::Files => #[cfg(any())] nothing => files,
                }
            }
        }
    }
}

#[test]
fn what_is_nested_is_drawn_nested() {
    assert_eq!(
        composed::Composed::drawing().to_string(),
        r"Composed (request: Request)
   ?> is_local     needs &Request
   => keys         provides Keys  #[when(is_local)]
   => {
       => count        needs &Option<Keys> of keys
      }
   => if is_local  needs &Request  provides bool
        true
       => count        needs &Option<Keys> of keys
        false
   => pass {
       => match route  needs &Request  provides Route
            Route::Api(user: User)
           => pass {
               => serve        needs &User  provides u16
              }
            Route::Files
           => files        provides u16
      }
   -> u16"
    );
    assert_eq!(
        composed::Composed::drawing().mermaid().to_string(),
        r#"flowchart LR
    in(["request"])
    n0{"is_local"}
    n1["keys"]
    subgraph b0 [" "]
        n2["count"]
    end
    n3{"is_local"}
    n4["count"]
    subgraph b3 ["pass"]
        n5["pass"]
        n6{"route"}
        subgraph b5 ["pass"]
            n7["pass"]
            n8["serve"]
        end
        n9["files"]
    end
    out(["u16"])
    in --> n0
    n0 --> n1
    n2 --> n3
    n4 --> n5
    n3 -- "false" --> n5
    n1 --> n2
    n3 -- "true" --> n4
    n5 --> n6
    n6 -- "Route::Api(user: User)" --> n7
    n7 --> n8
    n6 -- "Route::Files" --> n9
    n8 --> out
    n9 --> out
    n1 -. "Option#lt;Keys#gt;" .-> n2
    n1 -. "Option#lt;Keys#gt;" .-> n4
"#
    );
}

#[test]
fn blocks_know_where_they_stand() {
    let chain = composed::Composed::CHAIN;
    let nodes: Vec<_> = chain.nodes.iter().map(|node| (node.name, node.block, node.after)).collect();
    assert_eq!(
        nodes,
        [
            ("is_local", None, None),
            ("keys", None, None),
            ("count", Some(0), Some(1)),
            ("is_local", None, Some(1)),
            ("count", Some(1), Some(3)),
            ("pass", None, Some(3)),
            ("route", Some(3), Some(5)),
            ("pass", Some(4), Some(6)),
            ("serve", Some(5), Some(7)),
            ("files", Some(6), Some(6)),
        ]
    );
    let blocks: Vec<_> = chain.blocks.iter().map(|block| (block.parent, block.head, block.first, block.end)).collect();
    assert_eq!(
        blocks,
        [
            (None, None, 2, 3),
            (None, Some(3), 4, 5),
            (None, Some(3), 5, 5),
            (None, Some(5), 6, 10),
            (Some(3), Some(6), 7, 9),
            (Some(4), Some(7), 8, 9),
            (Some(3), Some(6), 9, 10),
        ]
    );
}
