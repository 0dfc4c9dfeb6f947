//! The depths, and their nodes.

/// Expands `$callback! { $arguments d5 5 { .. } }` for each depth.
///
/// The nodes are named by numbers that count down to the last, so that a chain is the end of each longer one and nested types are
/// shared. Where nodes may suspend, those in parentheses do.
#[macro_export]
macro_rules! depths {
    ($callback:ident $($arguments:tt)*) => {
        $callback! { $($arguments)* d1 1 {
            [0]
        } }
        $callback! { $($arguments)* d5 5 {
            [4 3 2 1 0]
        } }
        $callback! { $($arguments)* d10 10 {
            [9 8 7] (6) [5 4 3 2 1 0]
        } }
        $callback! { $($arguments)* d20 20 {
            [19 18 17 16 15 14] (13) [12 11 10 9 8 7] (6) [5 4 3 2 1 0]
        } }
        $callback! { $($arguments)* d37 37 {
            [36 35] (34) [33 32 31 30 29 28] (27) [26 25 24 23 22 21] (20) [19 18 17 16 15 14] (13) [12 11 10
            9 8 7] (6) [5 4 3 2 1 0]
        } }
        $callback! { $($arguments)* d100 100 {
            [99 98] (97) [96 95 94 93 92 91] (90) [89 88 87 86 85 84] (83) [82 81 80 79 78 77] (76) [75 74 73
            72 71 70] (69) [68 67 66 65 64 63] (62) [61 60 59 58 57 56] (55) [54 53 52 51 50 49] (48) [47 46
            45 44 43 42] (41) [40 39 38 37 36 35] (34) [33 32 31 30 29 28] (27) [26 25 24 23 22 21] (20) [19
            18 17 16 15 14] (13) [12 11 10 9 8 7] (6) [5 4 3 2 1 0]
        } }
    };
}

/// The depths at which layers that form one type are compiled: the time of rustc grows too fast for more (see
/// `README.md`).
#[macro_export]
macro_rules! shallow_depths {
    ($callback:ident $($arguments:tt)*) => {
        $callback! { $($arguments)* d1 1 {
            [0]
        } }
        $callback! { $($arguments)* d5 5 {
            [4 3 2 1 0]
        } }
    };
}
