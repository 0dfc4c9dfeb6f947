//! Chains that are a row of nodes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chain::poll::{Driven, drive};
use chain_runtime::chain;
use chain_runtime::observe::Recorder;

use crate::Member;
use crate::interpreter::Item;
use crate::nodes::{Dies, Flow, Gate, Hooks, Late, Mixed, Out, Plain, Slow, Waits, shape_of};
use crate::script::{Reply, Script};
use crate::stretches::{Stretches, Ticking};

/// Declares chains: `name how observed: shape shape ..;`, and a list of them.
macro_rules! family {
    ($($name:ident $how:ident $observed:ident: $($shape:ident)+;)+) => {
        $(family!(@number $name $how $observed [$($shape)+] [n0 0 n1 1 n2 2 n3 3 n4 4 n5 5 n6 6 n7 7] []);)+
        /// All of them.
        pub(crate) fn family() -> Vec<Member> {
            vec![$(Member {
                name: stringify!($name),
                items: [$(shape_of!($shape)),+].into_iter().enumerate().map(|(at, shape)| Item::Node(at, shape)).collect(),
                observed: family!(@observed $observed),
                run: $name::driven,
            }),+]
        }
    };
    (@observed observed) => { true };
    (@observed silent) => { false };
    (@number $name:ident $how:ident $observed:ident [$shape:ident $($more:ident)*] [$field:ident $at:tt $($rest:tt)*] [$($done:tt)*]) => {
        family!(@number $name $how $observed [$($more)*] [$($rest)*] [$($done)* ($field $at $shape)]);
    };
    (@number $name:ident $how:ident $observed:ident [] $rest:tt [$(($field:ident $at:tt $shape:ident))+]) => {
        family!(@declare $name $how $observed $($field $at $shape)+);
        impl $name {
            fn scripted(script: &Script) -> Self {
                Self { script: *script, $($field: $shape),+ }
            }
        }
        family!(@drive $name $how);
    };
    (@declare $name:ident suspending observed $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            #[observe(Recorder, Stretches)]
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            async fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@declare $name:ident suspending silent $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            async fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@declare $name:ident immediate observed $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            #[observe(Recorder, Stretches)]
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@declare $name:ident immediate silent $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@drive $name:ident suspending) => {
        impl $name {
            fn driven(script: &Script, polls: usize) -> Driven<Reply> {
                drive(Ticking::new(Self::scripted(script).run()), polls)
            }
        }
    };
    (@drive $name:ident immediate) => {
        impl $name {
            fn driven(script: &Script, polls: usize) -> Driven<Reply> {
                called(polls, || Self::scripted(script).run())
            }
        }
    };
}

/// A function is not polled, so it cannot be dropped midway either.
pub(crate) fn called(polls: usize, run: impl FnOnce() -> Reply) -> Driven<Reply> {
    if polls == 0 {
        return Driven::Dropped;
    }
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(reply) => Driven::Ready(reply),
        Err(panic) => Driven::Panicked(panic),
    }
}

family! {
    C00 suspending observed: Slow;
    C01 suspending observed: Out;
    C02 suspending silent: Mixed;
    C03 suspending observed: Late;
    C04 suspending observed: Waits;
    C05 suspending silent: Out Gate;
    C06 suspending observed: Dies Plain;
    C07 suspending observed: Waits Flow;
    C08 suspending silent: Waits Out;
    C09 suspending observed: Late Plain;
    C10 suspending observed: Flow Hooks;
    C11 suspending silent: Plain Waits;
    C12 suspending observed: Dies Dies;
    C13 suspending observed: Waits Hooks Waits;
    C14 suspending silent: Flow Dies Plain;
    C15 suspending observed: Late Waits Hooks;
    C16 suspending observed: Late Plain Late;
    C17 suspending silent: Late Dies Plain;
    C18 suspending observed: Hooks Plain Flow;
    C19 suspending observed: Gate Slow Dies;
    C20 suspending silent: Gate Flow Waits;
    C21 suspending observed: Late Slow Flow Gate;
    C22 suspending observed: Waits Late Late Hooks;
    C23 suspending silent: Out Waits Flow Waits;
    C24 suspending observed: Late Plain Late Hooks;
    C25 suspending observed: Mixed Flow Dies Out;
    C26 suspending silent: Mixed Late Mixed Out;
    C27 suspending observed: Slow Hooks Gate Hooks;
    C28 suspending observed: Waits Late Slow Flow;
    C29 suspending silent: Mixed Out Mixed Slow Late;
    C30 suspending observed: Waits Waits Flow Dies Gate;
    C31 suspending observed: Out Gate Mixed Dies Plain;
    C32 suspending silent: Waits Flow Late Out Out;
    C33 suspending observed: Out Late Mixed Late Mixed;
    C34 suspending observed: Waits Waits Slow Mixed Waits;
    C35 suspending silent: Plain Slow Late Mixed Slow;
    C36 suspending observed: Dies Out Plain Mixed Out Gate;
    C37 suspending observed: Late Waits Mixed Plain Hooks Slow;
    C38 suspending silent: Gate Hooks Dies Dies Mixed Waits;
    C39 suspending observed: Gate Mixed Dies Flow Slow Gate;
    C40 suspending observed: Dies Flow Slow Dies Out Dies;
    C41 suspending silent: Hooks Gate Waits Gate Gate Hooks;
    C42 suspending observed: Hooks Plain Mixed Late Gate Slow Slow;
    C43 suspending observed: Plain Gate Dies Flow Out Late Late;
    C44 suspending silent: Out Gate Flow Late Plain Mixed Flow;
    C45 suspending observed: Dies Dies Dies Dies Waits Mixed Dies;
    C46 suspending observed: Plain Hooks Waits Hooks Mixed Gate Waits;
    C47 suspending silent: Out Late Plain Waits Plain Late Gate Flow;
    C48 suspending observed: Waits Out Late Plain Waits Hooks Late Dies;
    C49 suspending observed: Gate Slow Out Late Out Mixed Waits Waits;
    C50 suspending silent: Mixed Mixed Mixed Mixed Slow Waits Gate Waits;
    C51 suspending observed: Out Slow Mixed Gate Flow Plain Hooks Flow;
    C52 suspending observed: Slow Slow Slow Slow Slow Slow Slow Slow;
    C53 immediate silent: Hooks;
    C54 immediate observed: Gate;
    C55 immediate observed: Flow Plain;
    C56 immediate silent: Flow Hooks Plain;
    C57 immediate observed: Hooks Flow Hooks Gate;
    C58 immediate observed: Hooks Gate Flow Flow Flow;
    C59 immediate silent: Hooks Gate Flow Gate Gate Dies;
    C60 immediate observed: Gate Gate Flow Dies Hooks Plain Plain;
    C61 immediate observed: Hooks Dies Hooks Gate Flow Hooks Dies Hooks;
    C62 immediate silent: Hooks Plain Gate Plain Gate Dies Gate Hooks;
    C63 immediate observed: Hooks Hooks Hooks Hooks Hooks Hooks Hooks Hooks;
}
