//! What is found in a file.

use super::{File, Kind};

fn functions(text: &str) -> Vec<(String, usize, bool)> {
    let file = File::read(text.to_owned());
    let scope = |at: usize| file.groups.iter().position(|group| group.functions.contains(&at)).expect("it has a scope");
    let found = file.functions.iter().enumerate();
    found.map(|(at, found)| (found.name.clone(), scope(at), found.is_certain)).collect()
}

#[test]
fn a_function_is_found_in_its_scope_whatever_stands_around_it() {
    let text = r####"
        // fn comment() {
        /* fn comment() { /* nested { */ } */
        const A: &str = "fn string() {\" "; const B: char = '{'; const C: &str = r#"fn raw() { ""#; const D: u8 = b'\'';
        #[inline] fn first<'a>(a: &'a str) -> fn(u8) -> u8 { fn inner() {} todo!("{") }
        #[node] async fn second() {}
        impl Log { fn method() {} }
    "####;
    let found = functions(text);
    let names: Vec<_> = found.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["first", "inner", "second", "method"]);
    assert_eq!((found[0].1, found[2].1), (0, 0));
    assert_ne!(found[1].1, 0);
    assert_eq!((found[0].2, found[2].2), (true, false));
}

#[test]
fn a_group_is_what_its_header_says() {
    let text = "mod a { impl B { } } chain! { struct C; } other! { } fn f() { } macro_rules! m { }";
    let file = File::read(text.to_owned());
    let braces = file.groups.iter().filter(|group| text[group.opens..].starts_with('{'));
    let kinds: Vec<_> = braces.map(|group| &group.kind).collect();
    assert_eq!(kinds, [&Kind::Module, &Kind::Methods, &Kind::Chain, &Kind::Macro, &Kind::Other, &Kind::Macro]);
}

#[test]
fn a_type_is_its_own_or_another_name() {
    let file = File::read("struct A; type B = A; enum C { D }".to_owned());
    let found: Vec<_> = file.types.iter().map(|ty| (ty.name.as_str(), ty.is_alias)).collect();
    assert_eq!(found, [("A", false), ("B", true), ("C", false)]);
}

#[test]
fn the_block_of_a_type_has_its_name() {
    let file = File::read("impl A { fn a() { } } impl Clone for B { } impl<T> C<T> { }".to_owned());
    let of: Vec<_> = file.groups.iter().map(|group| group.of.as_str()).filter(|of| !of.is_empty()).collect();
    assert_eq!(of, ["A", "B", ","]);
}

#[test]
fn a_function_without_a_result_shows_its_parameters() {
    let file = File::read("fn a(b: &B) {} fn c() -> u8 { 1 } fn d<T: Fn(u8)>(t: T) {}".to_owned());
    let found = file.functions.iter().map(|function| file.parameters_without_a_result(function.at));
    assert_eq!(found.collect::<Vec<_>>(), [Some("(b: &B".to_owned()), None, None]);
}

#[test]
fn an_import_may_bring_what_it_names() {
    let file = File::read("use a::{b, c::{d as e}}; use f::*; fn g() {}".to_owned());
    assert!(file.imports[0].may_bring("e") && file.imports[0].may_bring("b"));
    assert!(!file.imports[0].may_bring("z"));
    assert!(file.imports[1].may_bring("z"));
}
