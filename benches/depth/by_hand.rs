//! What a person would write: all nodes fused into one function, and one `async fn` that awaits small ones in a row.
//!
//! Nodes with a way out stand in a block each, which a break leaves; there, too, everything is in one function.

use chain_benches::poll::suspend;
use chain_runtime::IntoReply;
use http::StatusCode;

use crate::work::{Case, Held, Incoming, Refused, Value, driven, looped};

/// The nodes of `calls`: the work of each as a small `async fn`.
mod small {
    use super::{Held, Incoming, Refused, StatusCode, Value, suspend};
    use crate::work;

    pub(crate) async fn mix<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
        work::mix::<I>(request)
    }
    pub(crate) async fn pause<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
        suspend(1).await;
        work::mix::<I>(request)
    }
    pub(crate) async fn add<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
        work::add::<I>(request)
    }
    pub(crate) async fn provide<const I: usize, const BEFORE: usize>(
        request: &Incoming,
        before: &Value<BEFORE>,
    ) -> Result<Value<I>, Refused> {
        work::provide(request, before)
    }
    pub(crate) async fn enter<const I: usize>(request: &mut Incoming) -> Result<Held<I>, Refused> {
        work::enter(request)
    }
    pub(crate) async fn exit<const I: usize>(held: &Held<I>, reply: &mut StatusCode) {
        work::exit(held, reply);
    }
    pub(crate) async fn last(request: &Incoming) -> StatusCode {
        work::last(request)
    }
    pub(crate) async fn last_value(value: &Value<0>) -> StatusCode {
        work::last_value(value)
    }
}

/// A block for each node, which its break leaves, so that the nodes around it see the reply.
macro_rules! onion {
    ($from:ident ($($await:tt)*) $request:ident $reply:ident) => {
        $reply = $from::last($request) $($await)*;
    };
    ($from:ident ($($await:tt)*) $request:ident $reply:ident $node:literal $($rest:literal)*) => {
        'left: {
            let held = match $from::enter::<$node>($request) $($await)* {
                Ok(held) => held,
                Err(refused) => {
                    $reply = refused.into_reply();
                    break 'left;
                }
            };
            onion!($from ($($await)*) $request $reply $($rest)*);
            $from::exit(&held, &mut $reply) $($await)*;
        }
    };
}

macro_rules! by_hand {
    ($name:ident $depth:literal { $([$($fast:literal)*] $(($slow:literal))?)* }) => {
        pub(crate) mod $name {
            use super::*;
            type Passed = Result<StatusCode, Refused>;

            pub(crate) mod hand {
                use super::*;
                use crate::work;

                pub(crate) async fn ready(request: &mut Incoming) -> Passed {
                    $($(work::mix::<$fast>(request)?;)* $(work::mix::<$slow>(request)?;)?)*
                    Ok(work::last(request))
                }
                pub(crate) async fn mixed(request: &mut Incoming) -> Passed {
                    $($(work::mix::<$fast>(request)?;)* $(suspend(1).await; work::mix::<$slow>(request)?;)?)*
                    Ok(work::last(request))
                }
                pub(crate) async fn light(request: &mut Incoming) -> Passed {
                    $($(work::add::<$fast>(request)?;)* $(work::add::<$slow>(request)?;)?)*
                    Ok(work::last(request))
                }
                pub(crate) async fn provide(request: &mut Incoming, value: Value<$depth>) -> Passed {
                    $(
                        $(let value = work::provide::<$fast, { $fast + 1 }>(request, &value)?;)*
                        $(let value = work::provide::<$slow, { $slow + 1 }>(request, &value)?;)?
                    )*
                    Ok(work::last_value(&value))
                }
                pub(crate) async fn hooks(request: &mut Incoming) -> StatusCode {
                    let mut reply;
                    onion!(work () request reply $($($fast)* $($slow)?)*);
                    reply
                }
            }

            pub(crate) mod calls {
                use super::*;

                pub(crate) async fn ready(request: &mut Incoming) -> Passed {
                    $($(small::mix::<$fast>(request).await?;)* $(small::mix::<$slow>(request).await?;)?)*
                    Ok(small::last(request).await)
                }
                pub(crate) async fn mixed(request: &mut Incoming) -> Passed {
                    $($(small::mix::<$fast>(request).await?;)* $(small::pause::<$slow>(request).await?;)?)*
                    Ok(small::last(request).await)
                }
                pub(crate) async fn light(request: &mut Incoming) -> Passed {
                    $($(small::add::<$fast>(request).await?;)* $(small::add::<$slow>(request).await?;)?)*
                    Ok(small::last(request).await)
                }
                pub(crate) async fn provide(request: &mut Incoming, value: Value<$depth>) -> Passed {
                    $(
                        $(let value = small::provide::<$fast, { $fast + 1 }>(request, &value).await?;)*
                        $(let value = small::provide::<$slow, { $slow + 1 }>(request, &value).await?;)?
                    )*
                    Ok(small::last_value(&value).await)
                }
                pub(crate) async fn hooks(request: &mut Incoming) -> StatusCode {
                    let mut reply;
                    onion!(small (.await) request reply $($($fast)* $($slow)?)*);
                    reply
                }
            }
        }
    };
}

crate::depths! { by_hand }

macro_rules! push {
    ($cases:ident $contestant:ident $name:ident $depth:literal $nodes:tt) => {{
        use $name::$contestant::{hooks, light, mixed, provide, ready};
        push!(@ $cases $contestant $depth ready mixed light hooks);
        $cases.push(Case {
            contestant: stringify!($contestant),
            variant: "provide",
            depth: $depth,
            run: |times| {
                let mut request = Incoming::new();
                looped(times, |index| driven(provide(request.begin(0), Value(index))))
            },
        });
    }};
    (@ $cases:ident $contestant:ident $depth:literal $($variant:ident)*) => { $(
        $cases.push(Case {
            contestant: stringify!($contestant),
            variant: stringify!($variant),
            depth: $depth,
            run: |times| {
                let mut request = Incoming::new();
                looped(times, |index| driven($variant(request.begin(index))))
            },
        });
    )* };
}

pub(crate) fn cases(cases: &mut Vec<Case>) {
    crate::depths! { push cases hand }
    crate::depths! { push cases calls }
}
