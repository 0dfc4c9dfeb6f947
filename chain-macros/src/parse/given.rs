//! `-> User` after a block or a branch: the type that it provides.

use quote::quote;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{LitStr, Token, Type};

use crate::ast::{Given, Item, ItemKind};
use crate::diagnostics::Code;
use crate::{names, types};

/// Reads the arrow and the type, if there are any.
pub(super) fn read(input: ParseStream<'_>) -> syn::Result<Option<Given>> {
    if !input.peek(Token![->]) {
        return Ok(None);
    }
    let arrow: Token![->] = input.parse()?;
    if input.is_empty() || input.peek(Token![=>]) {
        let what = "there is no type behind `->`\n  help: write what the block provides, `-> User`, or leave `->` out";
        return Err(Code::E418.on(arrow, what));
    }
    let ty: Type = input.parse()?;
    let text = written(input)?.unwrap_or_else(|| types::text(&ty));
    if names_a_node(&ty) {
        return Err(Code::E009.on(arrow, "`->` does not join nodes\n  help: write `=>`"));
    }
    if !input.is_empty() {
        let what = format!("expected `=>` after `-> {text}`\n  help: nodes and blocks are joined with `=>`");
        return Err(Code::E009.here(input, what));
    }
    if types::is_unit(&ty) {
        let what = "a block that provides nothing needs no `->`\n  help: leave `-> ()` out";
        return Err(Code::E418.on(&ty, what));
    }
    if types::has_no_size(&ty) {
        let what = format!("what a block provides has a size, and `{text}` has none");
        return Err(Code::E121.on(&ty, format_args!("{what}\n  help: write `-> &{text}`, or provide what owns it")));
    }
    if types::find_impl_trait(&ty).is_some() || matches!(types::ungrouped(&ty), Type::Infer(_)) {
        let what = format!("nodes find what the block provides by its type, and `{text}` does not say it");
        return Err(Code::E418.on(&ty, format_args!("{what}\n  help: name the type")));
    }
    let tokens = quote!(#arrow #ty);
    Ok(Some(Given { ty, text, tokens }))
}

/// The form in which a segment passes on the text of the type.
fn written(input: ParseStream<'_>) -> syn::Result<Option<String>> {
    if input.parse::<Option<Token![as]>>()?.is_none() {
        return Ok(None);
    }
    input.parse::<LitStr>().map(|text| Some(text.value()))
}

/// The signature of a node says already what the node provides.
pub(super) fn stands_behind_a_block(item: &Item) -> syn::Result<()> {
    match (&item.given, &item.kind, &item.otherwise) {
        (Some(given), ItemKind::Node(node), None) => {
            let (text, name) = (&given.text, names::unraw(node.name()));
            let what =
                format!("`-> {text}` stands behind a block, and `{name}` is a node, which provides what it returns");
            Err(Code::E418.on(&given.tokens, format_args!("{what}\n  help: leave it out")))
        }
        _ => Ok(()),
    }
}

/// The length of the arrow and the type. After a node, a type that may be another node is not read: that has an error
/// of its own.
pub(crate) fn extent(input: ParseStream<'_>, is_behind_braces: bool) -> syn::Result<()> {
    let ahead = input.fork();
    if ahead.parse::<Option<Token![->]>>()?.is_none() {
        return Ok(());
    }
    // `read` reports an arrow without a type.
    let lacks_it = ahead.is_empty() || ahead.peek(Token![=>]) || ahead.peek(Token![,]);
    if is_behind_braces && lacks_it {
        input.advance_to(&ahead);
        return Ok(());
    }
    match ahead.parse::<Type>() {
        Ok(ty) if is_behind_braces || !names_a_node(&ty) => {
            written(&ahead)?;
            input.advance_to(&ahead);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether it is a single name in small letters that is not one of Rust's own types.
fn names_a_node(ty: &Type) -> bool {
    const OWN: [&str; 17] = [
        "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
        "u128", "usize",
    ];
    let Type::Path(path) = types::ungrouped(ty) else { return false };
    path.qself.is_none()
        && path.path.get_ident().is_some_and(|name| {
            let name = names::unraw(name);
            name.starts_with(char::is_lowercase) && !OWN.contains(&name.as_str())
        })
}
