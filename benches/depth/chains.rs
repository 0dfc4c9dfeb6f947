//! The main contestant: `chain!`, once with `fn` nodes and once with `async fn` nodes that never suspend.

use chain_benches::poll::suspend;
use chain_runtime::{chain, node};
use http::StatusCode;

use crate::work::{self, Case, Held, Incoming, Refused, Value, driven, looped};

#[node]
fn mix<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
    work::mix::<I>(request)
}
#[node]
async fn mix_async<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
    work::mix::<I>(request)
}
#[node]
async fn pause<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
    suspend(1).await;
    work::mix::<I>(request)
}
#[node]
fn add<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
    work::add::<I>(request)
}
#[node]
async fn add_async<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
    work::add::<I>(request)
}
#[node]
fn provide<const I: usize, const BEFORE: usize>(
    request: &Incoming,
    before: &Value<BEFORE>,
) -> Result<Value<I>, Refused> {
    work::provide(request, before)
}
#[node]
async fn provide_async<const I: usize, const BEFORE: usize>(
    request: &Incoming,
    before: &Value<BEFORE>,
) -> Result<Value<I>, Refused> {
    work::provide(request, before)
}

struct Hook<const I: usize>;

#[node(stateless)]
impl<const I: usize> Hook<I> {
    fn enter(&self, request: &mut Incoming) -> Result<Held<I>, Refused> {
        work::enter(request)
    }
    fn exit(&self, held: &Held<I>, reply: &mut StatusCode) {
        work::exit(held, reply);
    }
}

struct HookAsync<const I: usize>;

#[node(stateless)]
impl<const I: usize> HookAsync<I> {
    async fn enter(&self, request: &mut Incoming) -> Result<Held<I>, Refused> {
        work::enter(request)
    }
    async fn exit(&self, held: &Held<I>, reply: &mut StatusCode) {
        work::exit(held, reply);
    }
}

#[node]
fn last(request: &Incoming) -> StatusCode {
    work::last(request)
}
#[node]
async fn last_async(request: &Incoming) -> StatusCode {
    work::last(request)
}
#[node]
fn last_value(value: &Value<0>) -> StatusCode {
    work::last_value(value)
}
#[node]
async fn last_value_async(value: &Value<0>) -> StatusCode {
    work::last_value(value)
}

macro_rules! chains {
    ($name:ident $depth:literal { $([$($fast:literal)*] $(($slow:literal))?)* }) => {
        mod $name {
            use super::*;

            chain! {
                pub(crate) struct Ready;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(mix::<$fast> =>)* $(mix::<$slow> =>)?)* last
                }
            }
            chain! {
                pub(crate) struct ReadyAsync;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(mix_async::<$fast> =>)* $(mix_async::<$slow> =>)?)* last_async
                }
            }
            chain! {
                pub(crate) struct Mixed;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(mix::<$fast> =>)* $(pause::<$slow> =>)?)* last
                }
            }
            chain! {
                pub(crate) struct MixedAsync;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(mix_async::<$fast> =>)* $(pause::<$slow> =>)?)* last_async
                }
            }
            chain! {
                pub(crate) struct Light;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(add::<$fast> =>)* $(add::<$slow> =>)?)* last
                }
            }
            chain! {
                pub(crate) struct LightAsync;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(add_async::<$fast> =>)* $(add_async::<$slow> =>)?)* last_async
                }
            }
            chain! {
                pub(crate) struct Provide;
                async fn<'r>(request: &'r mut Incoming, first: Value<$depth>) -> StatusCode {
                    $(
                        $(provide::<$fast, { $fast + 1 }> =>)*
                        $(provide::<$slow, { $slow + 1 }> =>)?
                    )* last_value
                }
            }
            chain! {
                pub(crate) struct ProvideAsync;
                async fn<'r>(request: &'r mut Incoming, first: Value<$depth>) -> StatusCode {
                    $(
                        $(provide_async::<$fast, { $fast + 1 }> =>)*
                        $(provide_async::<$slow, { $slow + 1 }> =>)?
                    )* last_value_async
                }
            }
            chain! {
                pub(crate) struct Hooks;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(Hook::<$fast> =>)* $(Hook::<$slow> =>)?)* last
                }
            }
            chain! {
                pub(crate) struct HooksAsync;
                async fn<'r>(request: &'r mut Incoming) -> StatusCode {
                    $($(HookAsync::<$fast> =>)* $(HookAsync::<$slow> =>)?)* last_async
                }
            }
        }
    };
}

crate::depths! { chains }

macro_rules! push {
    ($cases:ident $name:ident $depth:literal $nodes:tt) => {
        push!(@ $cases $name $depth "chain!, fn nodes";
            "ready" Ready, "mixed" Mixed, "light" Light, "hooks" Hooks; "provide" Provide);
        push!(@ $cases $name $depth "chain!, async fn nodes";
            "ready" ReadyAsync, "mixed" MixedAsync, "light" LightAsync, "hooks" HooksAsync; "provide" ProvideAsync);
    };
    (@ $cases:ident $name:ident $depth:literal $contestant:literal;
        $($variant:literal $chain:ident),*; $last_variant:literal $provide:ident) => {
        $($cases.push(Case {
            contestant: $contestant,
            variant: $variant,
            depth: $depth,
            run: |times| {
                let mut request = Incoming::new();
                looped(times, |index| driven($name::$chain.run(request.begin(index))))
            },
        });)*
        $cases.push(Case {
            contestant: $contestant,
            variant: $last_variant,
            depth: $depth,
            run: |times| {
                let mut request = Incoming::new();
                looped(times, |index| driven($name::$provide.run(request.begin(0), Value(index))))
            },
        });
    };
}

pub(crate) fn cases(cases: &mut Vec<Case>) {
    crate::depths! { push cases }
}
