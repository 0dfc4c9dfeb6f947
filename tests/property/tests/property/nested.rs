//! Chains inside of chains, up to four deep.

use chain::poll::{Driven, drive};
use chain_runtime::around::CatchPanic;
use chain_runtime::observe::Recorder;
use chain_runtime::shed::{Level, Sheds};
use chain_runtime::{Shedding, Toggles, chain};

use crate::Member;
use crate::interpreter::Item::{self, Around, Block, Giving, If, Match, Maybe, Node, Open};
use crate::interpreter::{Condition, Kind};
use crate::nodes::{
    Again, Anew, Choice, Choose, Closing, Decide, Gate, Gives, Hands, Inner, Late, Mixed, Plain, Reach, Slow, Waits,
    Wrap, reach, shape_of,
};
use crate::script::{Cut, Reply, Script, Value, number};
use crate::stretches::{Stretches, Ticking};

/// Declares a chain twice, silent and observed: its name, its fields, its body, and the same body as data.
macro_rules! nested {
    ($($silent:ident $observed:ident {
        $($field:ident: $ty:ty = $value:expr),+ $(,)?
    } toggles [$($toggle:literal $at:literal),*] { $($body:tt)+ } is [$($item:expr),+ $(,)?])+) => {
        $(
            nested!(@declare $silent [$($field: $ty = $value),+] [$($toggle $at),*] { $($body)+ });
            nested!(@declare $observed [$($field: $ty = $value),+] [$($toggle $at),*] { $($body)+ } #[observe(Recorder, Stretches)]);
        )+
        /// All of them.
        pub(crate) fn family() -> Vec<Member> {
            vec![$(
                Member { name: stringify!($silent), items: vec![$($item),+], observed: false, run: $silent::driven },
                Member { name: stringify!($observed), items: vec![$($item),+], observed: true, run: $observed::driven },
            )+]
        }
    };
    (@declare $name:ident [$($field:ident: $ty:ty = $value:expr),+] [$($toggle:literal $at:literal),*] $body:tt $(#[$observe:meta])?) => {
        chain! {
            $(#[$observe])?
            struct $name { script: Script, toggles: Toggles, shedding: Shedding, $($field: $ty),+ }
            async fn() -> Reply $body
        }
        impl $name {
            fn driven(script: &Script, polls: usize) -> Driven<Reply> {
                let this = Self { script: *script, toggles: Toggles::new(), shedding: Shedding::new(), $($field: ($value as fn(&Script) -> $ty)(script)),+ };
                $(this.toggles().set($toggle, script.of($at).is_on).expect("declared");)*
                this.shedding.cell().set(script.level());
                let sheds = Sheds::new(&this.shedding, Self::CHAIN.sheds);
                for shed in sheds.iter() {
                    sheds.set(shed.info.name, script.of(number(shed.info.name)).moved).expect("declared");
                }
                drive(Ticking::new(this.run()), polls)
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

fn when(at: usize) -> Condition {
    Condition::When(at, shape_of!(Decide))
}

fn kept(at: usize, from: Level) -> Condition {
    Condition::Kept(at, from)
}

fn giving(of: usize, item: Item) -> Item {
    Giving(of, Box::new(item))
}

fn open(node: Item) -> Item {
    Open(Box::new(node))
}

fn if_node(at: usize, then: Vec<Item>, otherwise: Vec<Item>) -> Item {
    Item::Choice(at, shape_of!(Decide), [then, otherwise])
}

nested! {
    // Blocks: what they hold is left with them.
    Blocks BlocksObserved {
        n0: Slow<0> = |_| Slow, n1: Inner<1> = |_| Inner, n2: Plain<2> = |_| Plain, n3: Inner<3> = |_| Inner,
        n4: Closing<4> = |_| Closing, n5: Gate<5> = |_| Gate, n6: Inner<6> = |_| Inner, n7: Waits<7> = |_| Waits,
        n8: Late<8> = |_| Late, n9: Slow<9> = |_| Slow,
    } toggles [] {
        n0 => { n1 => { n2 => n3 => n4 } => n5 } => n6 => { n7 => { n8 => { n9 } } }
    } is [
        n!(0 Slow), Block(vec![n!(1 Inner), Block(vec![n!(2 Plain), n!(3 Inner), n!(4 Closing)]), n!(5 Gate)]),
        n!(6 Inner), Block(vec![n!(7 Waits), Block(vec![n!(8 Late), Block(vec![n!(9 Slow)])])]),
    ]

    // Around nodes in one another, around what replies.
    Wraps WrapsObserved {
        n0: Inner<0> = |_| Inner, n1: Wrap<1> = |_| Wrap, n2: Inner<2> = |_| Inner, n3: Wrap<3> = |_| Wrap,
        n4: Slow<4> = |_| Slow, n5: Wrap<5> = |_| Wrap, n6: Mixed<6> = |_| Mixed, n7: Wrap<7> = |_| Wrap,
        n8: Slow<8> = |_| Slow, n9: Late<9> = |_| Late,
    } toggles [] {
        n0 => n1 { n2 => n3 { n4 => n5 { n6 => n7 { n8 => n9 } } } }
    } is [
        n!(0 Inner), Around(1, Kind::Wrap, vec![n!(2 Inner), Around(3, Kind::Wrap, vec![
            n!(4 Slow), Around(5, Kind::Wrap, vec![n!(6 Mixed), Around(7, Kind::Wrap, vec![n!(8 Slow), n!(9 Late)])]),
        ])]),
    ]

    // Around nodes around what goes on, and one behind the other.
    Rows RowsObserved {
        n0: Wrap<0> = |_| Wrap, n1: Inner<1> = |_| Inner, n2: Wrap<2> = |_| Wrap, n3: Closing<3> = |_| Closing,
        n4: Gate<4> = |_| Gate, n5: Wrap<5> = |_| Wrap, n6: Closing<6> = |_| Closing, n7: Slow<7> = |_| Slow,
        n8: Wrap<8> = |_| Wrap, n9: Waits<9> = |_| Waits,
    } toggles [] {
        n0 { n1 => n2 { n3 } => n4 } => n5 { n6 } => n7 => n8 { n9 }
    } is [
        Around(0, Kind::Wrap, vec![n!(1 Inner), Around(2, Kind::Wrap, vec![n!(3 Closing)]), n!(4 Gate)]),
        Around(5, Kind::Wrap, vec![n!(6 Closing)]), n!(7 Slow), Around(8, Kind::Wrap, vec![n!(9 Waits)]),
    ]

    // A block that runs again, with one in it that does, too.
    Retries RetriesObserved {
        n0: Slow<0> = |_| Slow, n1: Again<1> = |script| Again(*script.of(1)), n2: Inner<2> = |_| Inner,
        n3: Anew<3> = |script| Anew(*script.of(3)), n4: Inner<4> = |_| Inner, n5: Closing<5> = |_| Closing,
        n6: Wrap<6> = |_| Wrap, n7: Anew<7> = |script| Anew(*script.of(7)), n8: Slow<8> = |_| Slow, n9: Slow<9> = |_| Slow,
    } toggles [] {
        n0 => n1 { n2 => n3 { n4 => n5 } => n6 { n7 { n8 => n9 } } }
    } is [
        n!(0 Slow), Around(1, Kind::Again, vec![
            n!(2 Inner), Around(3, Kind::Anew, vec![n!(4 Inner), n!(5 Closing)]),
            Around(6, Kind::Wrap, vec![Around(7, Kind::Anew, vec![n!(8 Slow), n!(9 Slow)])]),
        ]),
    ]

    // Arms that reply, with arms in them, and a value that one of them binds.
    Arms ArmsObserved {
        n0: Slow<0> = |_| Slow, n1: Choose<1> = |_| Choose, n2: Inner<2> = |_| Inner, n3: Plain<3> = |_| Plain,
        n4: Decide<4> = |_| Decide, n5: Slow<5> = |_| Slow, n6: Choose<6> = |_| Choose, n7: Waits<7> = |_| Waits,
        n8: Slow<8> = |_| Slow, n9: Late<9> = |_| Late, n10: Mixed<10> = |_| Mixed, n11: Waits<11> = |_| Waits,
    } toggles [] {
        n0 => match n1 {
            Choice::Bound(value: Value<1>) => n2 => n3,
            Choice::Unbound(_) => if n4 { n5 } else {
                match n6 { Choice::Bound(value: Value<6>) => n7, Choice::Unbound(_) => { n8 }, Choice::Empty => n9 => n10 }
            },
            Choice::Empty => n11,
        }
    } is [
        n!(0 Slow), Match(1, shape_of!(Choose), [
            vec![n!(2 Inner), n!(3 Plain)],
            vec![if_node(4, vec![n!(5 Slow)], vec![
                Match(6, shape_of!(Choose), [vec![n!(7 Waits)], vec![n!(8 Slow)], vec![n!(9 Late), n!(10 Mixed)]]),
            ])],
            vec![n!(11 Waits)],
        ]),
    ]

    // Arms that go on, some of them empty, with nodes before and behind.
    Detours DetoursObserved {
        n0: Inner<0> = |_| Inner, n1: Choose<1> = |_| Choose, n2: Inner<2> = |_| Inner, n3: Closing<3> = |_| Closing,
        n4: Wrap<4> = |_| Wrap, n5: Closing<5> = |_| Closing, n6: Mixed<6> = |_| Mixed, n7: Decide<7> = |_| Decide,
        n8: Decide<8> = |_| Decide, n9: Gate<9> = |_| Gate, n10: Inner<10> = |_| Inner, n11: Closing<11> = |_| Closing,
        n12: Slow<12> = |_| Slow,
    } toggles [] {
        n0 => match n1 {
            Choice::Bound(value: Value<1>) => n2 => n3,
            Choice::Unbound(_) => n4 { n5 },
            Choice::Empty => {}
        } => n6 => if n7 { if n8 { n9 } } else { { n10 => n11 } } => n12
    } is [
        n!(0 Inner), Match(1, shape_of!(Choose), [
            vec![n!(2 Inner), n!(3 Closing)], vec![Around(4, Kind::Wrap, vec![n!(5 Closing)])], vec![],
        ]),
        n!(6 Mixed),
        if_node(7, vec![if_node(8, vec![n!(9 Gate)], vec![])], vec![Block(vec![n!(10 Inner), n!(11 Closing)])]),
        n!(12 Slow),
    ]

    // What may be skipped: nodes, blocks, what wraps; by a node, by a toggle, by both.
    Skips SkipsObserved {
        n0: Decide<0> = |_| Decide, n1: Slow<1> = |_| Slow, n2: Inner<2> = |_| Inner, n3: Decide<3> = |_| Decide,
        n4: Inner<4> = |_| Inner, n5: Inner<5> = |_| Inner, n6: Closing<6> = |_| Closing, n7: Wrap<7> = |_| Wrap,
        n8: Decide<8> = |_| Decide, n9: Closing<9> = |_| Closing, n10: Plain<10> = |_| Plain, n11: Decide<11> = |_| Decide,
        n12: Waits<12> = |_| Waits, n13: Slow<13> = |_| Slow,
    } toggles ["t2" 2, "t4" 4, "t7" 7] {
        #[when(n0)] n1
        => #[toggle("t2")] n2
        => #[when(n3)] #[toggle("t4")] { n4 => { n5 => n6 } }
        => #[toggle("t7")] n7 { #[when(n8)] n9 }
        => n10
        => #[when(n11)] n12 else { n13 }
    } is [
        Maybe(vec![when(0)], 1, shape_of!(Slow)),
        Maybe(vec![Condition::Toggle(2)], 2, shape_of!(Inner)),
        If(vec![when(3), Condition::Toggle(4)], vec![n!(4 Inner), Block(vec![n!(5 Inner), n!(6 Closing)])], vec![]),
        If(vec![Condition::Toggle(7)], vec![Around(7, Kind::Wrap, vec![Maybe(vec![when(8)], 9, shape_of!(Closing))])], vec![]),
        n!(10 Plain),
        If(vec![when(11)], vec![n!(12 Waits)], vec![n!(13 Slow)]),
    ]

    // What is shed: nodes, blocks, what wraps; some in a block that runs again, and one with a condition behind it.
    Shed ShedObserved {
        n0: Slow<0> = |_| Slow, n1: Inner<1> = |_| Inner, n2: Decide<2> = |_| Decide, n3: Inner<3> = |_| Inner,
        n4: Closing<4> = |_| Closing, n5: Again<5> = |script| Again(*script.of(5)), n6: Inner<6> = |_| Inner,
        n7: Wrap<7> = |_| Wrap, n8: Closing<8> = |_| Closing, n9: Closing<9> = |_| Closing, n10: Waits<10> = |_| Waits,
        n11: Slow<11> = |_| Slow,
    } toggles ["t1" 1] {
        #[shed(elevated)] n0
        => #[toggle("t1")] #[shed(high)] n1
        => #[shed(high, "n3")] #[when(n2)] { n3 => #[shed(critical)] n4 }
        => n5 {
            #[shed(critical, sample = 0)] n6
            => #[shed(elevated)] n7 { n8 } else { n9 }
            => #[shed(high)] n10 else { n11 }
        }
    } is [
        Maybe(vec![kept(0, Level::Elevated)], 0, shape_of!(Slow)),
        Maybe(vec![Condition::Toggle(1), kept(1, Level::High)], 1, shape_of!(Inner)),
        If(vec![kept(3, Level::High), when(2)], vec![
            n!(3 Inner), Maybe(vec![kept(4, Level::Critical)], 4, shape_of!(Closing)),
        ], vec![]),
        Around(5, Kind::Again, vec![
            Maybe(vec![kept(6, Level::Critical)], 6, shape_of!(Inner)),
            If(vec![kept(7, Level::Elevated)], vec![Around(7, Kind::Wrap, vec![n!(8 Closing)])], vec![n!(9 Closing)]),
            If(vec![kept(10, Level::High)], vec![n!(10 Waits)], vec![n!(11 Slow)]),
        ]),
    ]

    // A panic that is caught, in a block that runs again, in one that may be abandoned.
    Catches CatchesObserved {
        n0: Slow<0> = |_| Slow, n1: Wrap<1> = |_| Wrap, n2: Again<2> = |script| Again(*script.of(2)),
        n3: CatchPanic = |_| CatchPanic, n4: Inner<4> = |_| Inner, n5: Wrap<5> = |_| Wrap, n6: Slow<6> = |_| Slow,
        n7: Late<7> = |_| Late,
    } toggles [] {
        n0 => n1 { n2 { n3 { n4 => n5 { n6 => n7 } } } }
    } is [
        n!(0 Slow), Around(1, Kind::Wrap, vec![Around(2, Kind::Again, vec![Around(3, Kind::Catch, vec![
            n!(4 Inner), Around(5, Kind::Wrap, vec![n!(6 Slow), n!(7 Late)]),
        ])])]),
    ]

    // All of it.
    All AllObserved {
        n0: Inner<0> = |_| Inner, n1: Wrap<1> = |_| Wrap, n2: Decide<2> = |_| Decide, n3: Again<3> = |script| Again(*script.of(3)),
        n4: Inner<4> = |_| Inner, n5: Choose<5> = |_| Choose, n6: Decide<6> = |_| Decide, n7: Closing<7> = |_| Closing,
        n8: CatchPanic = |_| CatchPanic, n9: Inner<9> = |_| Inner, n10: Slow<10> = |_| Slow, n11: Slow<11> = |_| Slow,
        n12: Inner<12> = |_| Inner, n13: Closing<13> = |_| Closing, n14: Late<14> = |_| Late, n15: Waits<15> = |_| Waits,
    } toggles ["t12" 12] {
        n0 => n1 {
            if n2 {
                n3 {
                    n4 => match n5 {
                        Choice::Bound(value: Value<5>) => #[when(n6)] n7 => n8 { n9 => n10 },
                        Choice::Unbound(_) => n11,
                        Choice::Empty => #[toggle("t12")] n12 => { n13 => n14 },
                    }
                }
            } else { n15 }
        }
    } is [
        n!(0 Inner), Around(1, Kind::Wrap, vec![if_node(2, vec![Around(3, Kind::Again, vec![
            n!(4 Inner), Match(5, shape_of!(Choose), [
                vec![
                    Maybe(vec![when(6)], 7, shape_of!(Closing)),
                    Around(8, Kind::Catch, vec![n!(9 Inner), n!(10 Slow)]),
                ],
                vec![n!(11 Slow)],
                vec![Maybe(vec![Condition::Toggle(12)], 12, shape_of!(Inner)), Block(vec![n!(13 Closing), n!(14 Late)])],
            ]),
        ])], vec![n!(15 Waits)])]),
    ]

    // Branches and blocks that provide what their arms give.
    Given GivenObserved {
        n0: Slow<0> = |_| Slow, n1: Decide<1> = |_| Decide, n2: Inner<2> = |_| Inner, n3: Hands<3, 3> = |_| Hands,
        n4: Inner<4> = |_| Inner, n5: Gives<5, 3> = |_| Gives, n6: Choose<6> = |_| Choose, n7: Hands<7, 7> = |_| Hands,
        n8: Wrap<8> = |_| Wrap, n9: Hands<9, 7> = |_| Hands, n10: Gives<10, 7> = |_| Gives, n11: Reach<11, 3> = |_| Reach, n12: Reach<12, 7> = |_| Reach,
    } toggles [] {
        n0 => if n1 { n2 => n3 } else { { n4 => n5 } } -> Value<3>
        => match n6 {
            Choice::Bound(value: Value<6>) => n7,
            Choice::Unbound(_) => n8 { n9 },
            Choice::Empty => n10,
        } -> Value<7>
        => n11 => n12
    } is [
        n!(0 Slow),
        giving(3, if_node(1, vec![n!(2 Inner), n!(3 Hands)], vec![Block(vec![n!(4 Inner), n!(5 Gives)])])),
        giving(7, Match(6, shape_of!(Choose), [
            vec![n!(7 Hands)], vec![Around(8, Kind::Wrap, vec![n!(9 Hands)])], vec![n!(10 Gives)],
        ])),
        Node(11, reach(3)), Node(12, reach(7)),
    ]

    // Around nodes that carry what their block gives, one that runs it again among them; and what runs in the place of another.
    Carries CarriesObserved {
        n0: Wrap<0> = |_| Wrap, n1: Inner<1> = |_| Inner, n2: Hands<2, 2> = |_| Hands, n3: Inner<3> = |_| Inner,
        n4: Gives<4, 4> = |_| Gives, n5: Hands<5, 4> = |_| Hands, n6: Again<6> = |script| Again(*script.of(6)), n7: Wrap<7> = |_| Wrap,
        n8: Hands<8, 8> = |_| Hands, n9: Plain<9> = |_| Plain, n10: Gives<10, 10> = |_| Gives, n11: CatchPanic = |_| CatchPanic,
        n12: Hands<12, 12> = |_| Hands, n13: Reach<13, 10> = |_| Reach, n14: Reach<14, 4> = |_| Reach,
    } toggles ["t3" 3] {
        n0 { n1 => n2 } -> Value<2>
        => #[toggle("t3")] { n3 => n4 } else { n5 } -> Value<4>
        => n6 { n7 { n8 } -> Value<8> => { n9 => n10 } } -> Value<10>
        => n11 { n12 } -> Value<12>
        => n13 => n14
    } is [
        giving(2, Around(0, Kind::Wrap, vec![n!(1 Inner), n!(2 Hands)])),
        giving(4, If(vec![Condition::Toggle(3)], vec![n!(3 Inner), n!(4 Gives)], vec![n!(5 Hands)])),
        giving(10, Around(6, Kind::Again, vec![
            giving(8, Around(7, Kind::Wrap, vec![n!(8 Hands)])), Block(vec![n!(9 Plain), n!(10 Gives)]),
        ])),
        giving(12, Around(11, Kind::Catch, vec![n!(12 Hands)])),
        Node(13, reach(10)), Node(14, reach(4)),
    ]

    // What the run goes on without where it breaks: nodes that provide and that do not, in blocks, behind conditions, in what runs again.
    Opened OpenedObserved {
        n0: Slow<0> = |_| Slow, n1: Slow<1> = |_| Slow, n2: Wrap<2> = |_| Wrap, n3: Inner<3> = |_| Inner,
        n4: Closing<4> = |_| Closing, n5: Decide<5> = |_| Decide, n6: Inner<6> = |_| Inner,
        n7: Again<7> = |script| Again(*script.of(7)), n8: Gate<8> = |_| Gate, n9: Slow<9> = |_| Slow,
        n10: Waits<10> = |_| Waits,
    } toggles [] {
        n0 => #[open] n1 => n2 { #[open] n3 => #[open(Cut { .. })] n4 } => #[when(n5)] #[open] n6
        => n7 { n8 => #[open] n9 => n10 }
    } is [
        n!(0 Slow), open(n!(1 Slow)), Around(2, Kind::Wrap, vec![open(n!(3 Inner)), open(n!(4 Closing))]),
        open(Maybe(vec![when(5)], 6, shape_of!(Inner))),
        Around(7, Kind::Again, vec![n!(8 Gate), open(n!(9 Slow)), n!(10 Waits)]),
    ]
}
