//! A node's name is a macro's name as well. Where another macro or another node of that name is in scope, the node is named by a path.
#![allow(dead_code)]

use links::{chain, node};

mod prelude {
    #[links::node]
    pub(crate) fn last() -> u8 {
        1
    }
    #[links::node]
    pub(crate) fn seen(_value: &u8) {}
}

macro_rules! audit {
    ($value:expr) => {
        $value + 1
    };
}

#[node]
fn last() -> u8 {
    1
}

mod tests {
    use super::*;

    mod stand_ins {
        #[links::node]
        pub(super) fn last() -> u8 {
            2
        }
    }

    #[test]
    fn a_stand_in_beside_the_node_behind_a_glob() {
        chain! {
            struct Gateway;
            fn() -> u8 { stand_ins::last }
        }
        assert_eq!(Gateway.run(), 2);
        assert_eq!(Gateway::NODES[0].name, "last");
    }

    mod imported {
        use super::*;
        use stand_ins::last;

        #[test]
        fn a_stand_in_that_is_imported_by_its_name() {
            chain! {
                struct Gateway;
                fn() -> u8 { last }
            }
            assert_eq!(Gateway.run(), 2);
        }
    }
}

mod beside_a_prelude {
    use super::prelude::*;

    mod own {
        #[links::node]
        pub(super) fn last() -> u8 {
            3
        }
    }
    use own::last;

    links::chain! {
        pub(super) struct Gateway;
        fn(value: u8) -> u8 { seen => last }
    }
}

#[test]
fn a_node_beside_one_of_a_prelude() {
    assert_eq!(beside_a_prelude::Gateway.run(0), 3);
}

#[test]
fn a_node_in_a_function_stands_in_a_module() {
    mod stand_ins {
        #[links::node]
        pub(super) fn last() -> u8 {
            4
        }
    }
    use stand_ins::last;

    chain! {
        struct Gateway;
        fn() -> u8 { stand_ins::last }
    }
    chain! {
        struct Imported;
        fn() -> u8 { last }
    }
    assert_eq!((Gateway.run(), Imported.run()), (4, 4));
}

#[test]
fn a_node_with_the_name_of_a_variable_is_named_by_a_path() {
    fn doubled(last: u8) -> u8 {
        chain! {
            struct Gateway;
            fn() -> u8 { self::last }
        }
        Gateway.run() + last
    }
    assert_eq!(doubled(6), 7);
}

mod nodes {
    #[links::node]
    pub(super) fn audit() -> u16 {
        5
    }
    #[links::node]
    pub(super) fn end(value: &u16) -> u8 {
        *value as u8
    }
}

#[test]
fn a_node_with_the_name_of_a_macro_stands_in_a_module() {
    chain! {
        struct Gateway;
        fn() -> u8 { nodes::audit => nodes::end }
    }
    assert_eq!(Gateway.run(), audit!(4));
}
