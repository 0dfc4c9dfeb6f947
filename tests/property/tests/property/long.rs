//! Chains of more than 128 nodes: provided values are lent in pages, and a chain that may suspend is cut into parts.
//! This makes no visible difference.

use chain::poll::{Driven, drive};
use chain_runtime::around::CatchPanic;
use chain_runtime::chain;
use chain_runtime::observe::Recorder;

use crate::Member;
use crate::interpreter::Item::{self, Around, Block, Match, Maybe, Node};
use crate::interpreter::{Condition, Kind};
use crate::nodes::{
    Again, Choice, Choose, Closing, Decide, Dies, Flow, Gate, Grasp, Hooks, Inner, Late, Mixed, Out, Plain, Reach,
    Slow, Waits, Wrap, fill, grasp, reach, shape_of,
};
use crate::script::{Reply, Script, Value};
use crate::stretches::{Stretches, Ticking};

/// Declares chains, which take their time to compile: each with its name, whether it may suspend, whether it is observed, its fields, and its
/// body in sections, each with the same as data and the nodes that fill up what is behind it. A body may be wrapped in a block of what
/// stands before it.
macro_rules! long {
    ($($name:ident $how:ident $observed:ident {
        $($field:ident: $ty:ty = $value:expr),+ $(,)?
    } $(inside { $($outer:tt)+ } $wrap:ident;)? {
        $({ $($piece:tt)+ } is { $($item:expr),+ } [$($fill:literal)*])+
        last { $($last:tt)+ } is { $($last_item:expr),+ }
    })+) => {
        $(
            long!(@declare $name $how $observed [$($field: $ty = $value),+] [$({ $($outer)+ })?]
                [$({ $($piece)+ } [$($fill)*])+ last { $($last)+ }]);
        )+
        /// All of them.
        pub(crate) fn family() -> Vec<Member> {
            let mut family = Vec::new();
            $(
                let mut row = Vec::new();
                $(
                    row.extend([$($item),+]);
                    row.extend([$(Node($fill, shape_of!(Plain))),*]);
                )+
                row.extend([$($last_item),+]);
                $(
                    row = $wrap(row);
                )?
                let observed = stringify!($observed) == "observed";
                family.push(Member { name: stringify!($name), items: row, observed, run: $name::driven });
            )+
            family
        }
    };
    (@declare $name:ident $how:ident observed $fields:tt $outer:tt $sections:tt) => {
        long!(@declare $name $how $fields $outer $sections #[observe(Recorder, Stretches)]);
    };
    (@declare $name:ident $how:ident silent $fields:tt $outer:tt $sections:tt) => {
        long!(@declare $name $how $fields $outer $sections);
    };
    (@declare $name:ident $how:ident [$($field:ident: $ty:ty = $value:expr),+] $outer:tt $sections:tt $(#[$observe:meta])?) => {
        long!(@chain $name $how [$($field: $ty),+] $outer $sections $(#[$observe])?);
        impl $name {
            fn scripted(script: &Script) -> Self {
                Self { script: *script, $($field: ($value as fn(&Script) -> $ty)(script)),+ }
            }
        }
        long!(@drive $name $how);
    };
    (@chain $name:ident suspending [$($fields:tt)+] [] [$({ $($piece:tt)+ } [$($fill:literal)*])+ last { $($last:tt)+ }] $(#[$observe:meta])?) => {
        chain! {
            $(#[$observe])?
            struct $name { script: Script, $($fields)+ }
            async fn() -> Reply { $($($piece)+ => $(fill::<$fill> =>)*)+ $($last)+ }
        }
    };
    (@chain $name:ident immediate [$($fields:tt)+] [] [$({ $($piece:tt)+ } [$($fill:literal)*])+ last { $($last:tt)+ }] $(#[$observe:meta])?) => {
        chain! {
            $(#[$observe])?
            struct $name { script: Script, $($fields)+ }
            fn() -> Reply { $($($piece)+ => $(fill::<$fill> =>)*)+ $($last)+ }
        }
    };
    (@chain $name:ident suspending [$($fields:tt)+] [{ $($outer:tt)+ }] [$({ $($piece:tt)+ } [$($fill:literal)*])+ last { $($last:tt)+ }] $(#[$observe:meta])?) => {
        chain! {
            $(#[$observe])?
            struct $name { script: Script, $($fields)+ }
            async fn() -> Reply { $($outer)+ { $($($piece)+ => $(fill::<$fill> =>)*)+ $($last)+ } }
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
                crate::flat::called(polls, || Self::scripted(script).run())
            }
        }
    };
}

/// A node as data.
macro_rules! n {
    ($at:literal $shape:ident) => {
        Node($at, shape_of!($shape))
    };
}

fn in_a_block(row: Vec<Item>) -> Vec<Item> {
    vec![n!(0 Inner), Around(1, Kind::Wrap, row)]
}

chain! {
    /// In a part that it knows nothing of.
    segment middle(n6: Slow<6>, n7: Reach<7, 16>) {
        n6 => #[cfg(any())] absent => #[cfg(not(any()))] n7
    }
}

long! {
    // In a row. At 63 to 65 and at 127 to 129, where one part ends and the next begins, nodes do something; so they do where a page does.
    Long suspending observed {
        n0: Slow<0> = |_| Slow, n1: Reach<1, 0> = |_| Reach, n2: Waits<2> = |_| Waits, n3: Late<3> = |_| Late,
        n4: Mixed<4> = |_| Mixed, n5: Reach<5, 20> = |_| Reach, n6: Dies<6> = |_| Dies, n7: Out<7> = |_| Out,
        n8: Reach<8, 16> = |_| Reach, n9: Hooks<9> = |_| Hooks, n10: Reach<10, 1> = |_| Reach, n11: Gate<11> = |_| Gate,
        n12: Reach<12, 60> = |_| Reach, n13: Reach<13, 8> = |_| Reach, n14: Reach<14, 141> = |_| Reach, n15: Slow<15> = |_| Slow,
    } {
        { n0 } is { n!(0 Slow) } [16 17 18 19 20 21 22 23 24 25 26]
        { n1 } is { Node(1, reach(0)) } [27 28 29 30 31 32 33 34 35 36 37]
        { n2 } is { n!(2 Waits) } [38 39 40 41 42 43 44 45 46 47 48]
        { n3 } is { n!(3 Late) } [49 50 51 52 53 54 55 56 57 58 59]
        { n4 } is { n!(4 Mixed) } [60 61 62 63 64 65 66 67 68 69 70]
        { n5 } is { Node(5, reach(20)) } [71 72]
        { n6 } is { n!(6 Dies) } []
        { n7 } is { n!(7 Out) } []
        { n8 } is { Node(8, reach(16)) } [73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92]
        { n9 } is { n!(9 Hooks) } [93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112]
        { n10 } is { Node(10, reach(1)) } [113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130 131]
        { n11 } is { n!(11 Gate) } []
        { n12 } is { Node(12, reach(60)) } []
        { n13 } is { Node(13, reach(8)) } [132 133 134 135 136 137 138 139 140 141]
        { n14 } is { Node(14, reach(141)) } [142 143 144 145 146]
        last { n15 } is { n!(15 Slow) }
    }

    Silent suspending silent {
        n0: Slow<0> = |_| Slow, n1: Reach<1, 0> = |_| Reach, n2: Waits<2> = |_| Waits, n3: Late<3> = |_| Late,
        n4: Mixed<4> = |_| Mixed, n5: Reach<5, 20> = |_| Reach, n6: Dies<6> = |_| Dies, n7: Out<7> = |_| Out,
        n8: Reach<8, 16> = |_| Reach, n9: Hooks<9> = |_| Hooks, n10: Reach<10, 1> = |_| Reach, n11: Gate<11> = |_| Gate,
        n12: Reach<12, 60> = |_| Reach, n13: Reach<13, 8> = |_| Reach, n14: Reach<14, 141> = |_| Reach, n15: Slow<15> = |_| Slow,
    } {
        { n0 } is { n!(0 Slow) } [16 17 18 19 20 21 22 23 24 25 26]
        { n1 } is { Node(1, reach(0)) } [27 28 29 30 31 32 33 34 35 36 37]
        { n2 } is { n!(2 Waits) } [38 39 40 41 42 43 44 45 46 47 48]
        { n3 } is { n!(3 Late) } [49 50 51 52 53 54 55 56 57 58 59]
        { n4 } is { n!(4 Mixed) } [60 61 62 63 64 65 66 67 68 69 70]
        { n5 } is { Node(5, reach(20)) } [71 72]
        { n6 } is { n!(6 Dies) } []
        { n7 } is { n!(7 Out) } []
        { n8 } is { Node(8, reach(16)) } [73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92]
        { n9 } is { n!(9 Hooks) } [93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112]
        { n10 } is { Node(10, reach(1)) } [113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130 131]
        { n11 } is { n!(11 Gate) } []
        { n12 } is { Node(12, reach(60)) } []
        { n13 } is { Node(13, reach(8)) } [132 133 134 135 136 137 138 139 140 141]
        { n14 } is { Node(14, reach(141)) } [142 143 144 145 146]
        last { n15 } is { n!(15 Slow) }
    }

    // A function: pages, and no parts.
    Called immediate silent {
        n0: Hooks<0> = |_| Hooks, n1: Grasp<1, 0> = |_| Grasp, n2: Gate<2> = |_| Gate, n3: Flow<3> = |_| Flow,
        n4: Plain<4> = |_| Plain, n5: Grasp<5, 20> = |_| Grasp, n6: Dies<6> = |_| Dies, n7: Hooks<7> = |_| Hooks,
        n8: Grasp<8, 16> = |_| Grasp, n9: Flow<9> = |_| Flow, n10: Grasp<10, 1> = |_| Grasp, n11: Gate<11> = |_| Gate,
        n12: Grasp<12, 60> = |_| Grasp, n13: Grasp<13, 8> = |_| Grasp, n14: Grasp<14, 141> = |_| Grasp, n15: Hooks<15> = |_| Hooks,
    } {
        { n0 } is { n!(0 Hooks) } [16 17 18 19 20 21 22 23 24 25 26]
        { n1 } is { Node(1, grasp(0)) } [27 28 29 30 31 32 33 34 35 36 37]
        { n2 } is { n!(2 Gate) } [38 39 40 41 42 43 44 45 46 47 48]
        { n3 } is { n!(3 Flow) } [49 50 51 52 53 54 55 56 57 58 59]
        { n4 } is { n!(4 Plain) } [60 61 62 63 64 65 66 67 68 69 70]
        { n5 } is { Node(5, grasp(20)) } [71 72]
        { n6 } is { n!(6 Dies) } []
        { n7 } is { n!(7 Hooks) } []
        { n8 } is { Node(8, grasp(16)) } [73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92]
        { n9 } is { n!(9 Flow) } [93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112]
        { n10 } is { Node(10, grasp(1)) } [113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130 131]
        { n11 } is { n!(11 Gate) } []
        { n12 } is { Node(12, grasp(60)) } []
        { n13 } is { Node(13, grasp(8)) } [132 133 134 135 136 137 138 139 140 141]
        { n14 } is { Node(14, grasp(141)) } [142 143 144 145 146]
        last { n15 } is { n!(15 Hooks) }
    }

    // Blocks, branches, around nodes and a segment, in several parts, that reach for what other parts provided.
    Sections suspending observed {
        n0: Slow<0> = |_| Slow, n1: Wrap<1> = |_| Wrap, n2: Inner<2> = |_| Inner, n3: Closing<3> = |_| Closing,
        n4: Choose<4> = |_| Choose, n5: Closing<5> = |_| Closing, n6: Slow<6> = |_| Slow, n7: Reach<7, 16> = |_| Reach,
        n8: Again<8> = |script| Again(*script.of(8)), n9: Reach<9, 70> = |_| Reach, n10: Wrap<10> = |_| Wrap,
        n11: Reach<11, 0> = |_| Reach, n12: CatchPanic = |_| CatchPanic, n13: Reach<13, 9> = |_| Reach,
        n14: Decide<14> = |_| Decide, n15: Reach<15, 150> = |_| Reach,
    } {
        { n0 } is { n!(0 Slow) } [16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59]
        { n1 { n3 } } is { Around(1, Kind::Wrap, vec![n!(3 Closing)]) } [60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80]
        { match n4 { Choice::Bound(value: Value<4>) => n5, Choice::Unbound(_) => {}, Choice::Empty => {} } } is {
            Match(4, shape_of!(Choose), [vec![n!(5 Closing)], vec![], vec![]])
        } [81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110]
        { ..middle } is { n!(6 Slow), Node(7, reach(16)) } [111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130 131 132 133 134 135 136 137 138 139 140 141 142 143 144 145 146 147 148 149 150]
        { #[when(n14)] n2 } is { Maybe(vec![Condition::When(14, shape_of!(Decide))], 2, shape_of!(Inner)) } []
        last { n8 { n9 => n10 { n11 => n12 { { n13 => n15 } } } } } is {
            Around(8, Kind::Again, vec![Node(9, reach(70)), Around(10, Kind::Wrap, vec![
                Node(11, reach(0)),
                Around(12, Kind::Catch, vec![Block(vec![Node(13, reach(9)), Node(15, reach(150))])]),
            ])])
        }
    }

    // Pages in a block that a node wraps: a row that is no part of anything.
    Deep suspending silent {
        n0: Inner<0> = |_| Inner, n1: Wrap<1> = |_| Wrap, n2: Slow<2> = |_| Slow, n3: Reach<3, 0> = |_| Reach,
        n4: Reach<4, 30> = |_| Reach, n5: Waits<5> = |_| Waits, n6: Reach<6, 3> = |_| Reach, n7: Slow<7> = |_| Slow,
    } inside { n0 => n1 } in_a_block; {
        { n2 } is { n!(2 Slow) } [16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45]
        { n3 } is { Node(3, reach(0)) } [46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75]
        { n4 } is { Node(4, reach(30)) } [76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105]
        { n5 } is { n!(5 Waits) } [106 107 108 109 110 111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128 129 130 131 132 133 134 135]
        { n6 } is { Node(6, reach(3)) } [136 137 138 139 140 141 142 143 144 145 146 147 148 149 150]
        last { n7 } is { n!(7 Slow) }
    }
}
