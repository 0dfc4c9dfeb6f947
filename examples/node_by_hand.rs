//! A node written against the public traits, without `#[node]`.
//!
//! There is rarely a reason to write one; it shows that nothing about a node is hidden. This one is the same as
//!
//! ```text
//! #[node(stateless)]
//! impl ReadTenant {
//!     fn enter(&self, request: &Request) -> Result<Tenant, NoTenant> { .. }
//!     fn exit(&self, tenant: &Tenant, reply: &mut String) { .. }
//! }
//! ```

use chain_runtime::describe::{Access, Facts, Hook, Need};
use chain_runtime::flow::kind;
use chain_runtime::held::Bare;
use chain_runtime::node::{Joins, pace, way_out};
use chain_runtime::scope::{LendReply, Lends, Provides, lend, lent};
use chain_runtime::{Cancel, IntoReply, NeverSuspends, Node, Signature, Stateless, chain, node};

struct Request {
    host: &'static str,
}

struct Tenant(&'static str);
struct NoTenant;

impl IntoReply<String> for NoTenant {
    fn into_reply(self) -> String {
        "404, no such tenant".to_owned()
    }
}

struct ReadTenant;

/// It has no state, so a chain can name it without a field.
impl Stateless for ReadTenant {
    const NODE: Self = ReadTenant;
}

/// What holds for the node in every chain.
impl<'r> Signature<'r> for ReadTenant {
    type Out = Result<Tenant, NoTenant>;
    type Kind = kind::Fails;
    type Key<const P: usize> = Tenant;
    type Pace = pace::Immediate;
    const FACTS: Facts = Facts::new("ReadTenant").provides("Tenant").breaks("NoTenant").exit(Hook::Now);
}

impl<C: ?Sized> chain_runtime::IsNode<C> for ReadTenant {
    type Itself = Self;
    fn itself(&self) -> &Self {
        self
    }
}

/// The type under which its value joins the scope of any chain.
impl<'r, C: ?Sized> Joins<'r, C> for ReadTenant {
    type As<const P: usize> = Tenant;
    type Held<const P: usize> = Tenant;
    type Lent = lent::Itself;
}

/// What it does in a scope that has what it needs. rustc finds out whether a chain's scope does.
#[allow(refining_impl_trait, reason = "`NeverSuspends`, by name, tells rustc that there is nothing to await")]
impl<'r: 's, 's, S> Node<'r, 's, S> for ReadTenant
where
    S: Lends<'r, 's, Request, Self>,
    S: Lends<'r, 's, Tenant, Self>,
    S: LendReply<'s, String, Self>,
{
    const NEEDS: &'static [Need] =
        &[Need { ty: "Request", access: Access::Lent, from: <S as Provides<'r, 's, Request>>::FROM }];
    const EXIT_NEEDS: &'static [Need] =
        &[Need { ty: "Tenant", access: Access::Lent, from: <S as Provides<'r, 's, Tenant>>::FROM }];

    /// Never called, since the pace is `Immediate`; its type tells rustc so.
    fn enter(&'r self, _: S) -> NeverSuspends<Self::Out> {
        unreachable!()
    }

    fn enter_now(&'r self, mut scope: S) -> Self::Out {
        let request = lend::<Request, Self, _>(&mut scope);
        let (tenant, _) = request.host.split_once('.').ok_or(NoTenant)?;
        Ok(Tenant(tenant))
    }

    fn exit(&'r self, _: S) -> NeverSuspends<()> {
        unreachable!()
    }

    fn exit_now(&'r self, mut scope: S) {
        let tenant = lend::<Tenant, Self, _>(&mut scope);
        let reply = scope.lend_reply();
        reply.push_str(" for ");
        reply.push_str(tenant.0);
    }
}

/// It has no `cancelled` hook: its value is held, and nothing else.
impl<'r, C: 'r> Cancel<'r, C> for ReadTenant {
    type WayOut = way_out::Open;
    type Held<const P: usize> = Bare<Tenant>;
    // For a node that may be skipped, under `#[when(..)]` and the like.
    type MaybeHeld<const P: usize> = Bare<Option<Tenant>>;

    fn hold<const P: usize>(&'r self, value: Tenant, _: &'r C) -> Bare<Tenant> {
        Bare { value }
    }

    fn hold_maybe<const P: usize>(entered: Option<(&'r Self, Tenant)>, _: &'r C) -> Bare<Option<Tenant>> {
        Bare::maybe(entered)
    }
}

#[node]
fn answer(tenant: &Tenant) -> String {
    format!("200, {} letters", tenant.0.len())
}

chain! {
    struct Tenants;

    fn(request: Request) -> String {
        ReadTenant => answer
    }
}

fn main() {
    for host in ["ada.example.org", "localhost"] {
        println!("{host}: {}", Tenants.run(Request { host }));
    }
    println!("{}", Tenants::drawing());
}
