//! Names of nodes in other scripts, and names that are written with `r#` in one place and without it in another.
#![allow(dead_code, non_camel_case_types)]

use links::{chain, node};

struct 名前(String);
struct 許可(usize);

#[node]
fn 認証(行: &str) -> Result<名前, String> {
    if 行.is_empty() { Err("誰".to_owned()) } else { Ok(名前(行.to_owned())) }
}

#[node]
fn تحقق(名: &名前) -> 許可 {
    許可(名.0.len())
}

#[node]
fn 挨拶(名: &名前, 許: &許可) -> String {
    format!("{} {}", 名.0, 許.0)
}

#[test]
fn a_function_may_have_a_name_without_small_letters() {
    chain! {
        struct 鎖;

        fn(行: &str) -> String {
            認証 => تحقق => 挨拶
        }
    }
    assert_eq!(鎖.run("四つ"), "四つ 6");
    assert_eq!(鎖.run(""), "誰");
    assert_eq!(鎖::NODES[1].name, "تحقق");
}

#[derive(Default)]
struct 記録(std::cell::Cell<u32>);

#[node]
impl 記録 {
    fn enter(&self) {}
    fn exit(&self) {
        self.0.set(self.0.get() + 1);
    }
}

struct 印;

#[node(stateless)]
impl 印 {
    fn enter(&self) -> u16 {
        3
    }
}

#[node]
fn 終わり(値: &u16) -> u16 {
    *値
}

#[test]
fn a_type_may_have_a_name_without_small_letters() {
    chain! {
        struct 鎖 {
            記録: 記録,
        }

        fn() -> u16 {
            記録 => 印 => 終わり
        }
    }
    let 鎖 = 鎖 { 記録: 記録::default() };
    assert_eq!(鎖.run(), 3);
    assert_eq!(鎖.記録.0.get(), 1);
}

struct Level(u32);

#[node]
fn r#audit(line: &str) -> Level {
    Level(line.len() as u32)
}

#[node]
fn double(level: &Level) -> u32 {
    level.0 * 2
}

#[test]
fn a_raw_name_and_a_plain_one_are_one_name() {
    chain! {
        struct Plain;

        fn(line: &str) -> u32 {
            audit => r#double
        }
    }
    chain! {
        struct Raw;

        fn(line: &str) -> u32 {
            r#audit => double
        }
    }
    assert_eq!(Plain.run("four"), 8);
    assert_eq!(Raw.run("four"), 8);
    assert_eq!(Raw::NODES[0].name, "audit");
}

/// In the edition of that crate, `gen` is no keyword.
#[test]
fn a_node_of_another_edition_whose_name_is_a_keyword_here() {
    #[node]
    fn count(count: &chain_hygiene_2021::Count) -> u32 {
        count.0
    }
    chain! {
        struct Counting;

        fn(line: &str) -> u32 {
            chain_hygiene_2021::r#gen => count
        }
    }
    assert_eq!(Counting.run("four"), 4);
}
