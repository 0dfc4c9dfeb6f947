//! The short form.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Generics, Ident, Token, Type, TypePath, Visibility};

use super::item::name_fields;
use super::pieces::{item_use, joined};
use crate::ast::{Block, Chain, Field, Form, Input, Item, ItemKind, Locals, NodeUse, Run};
use crate::diagnostics::{Code, Diagnostics};
use crate::names;
use crate::types;

/// `auth => limit: RateLimit = RateLimit::per_second(100) => proxy`
pub(super) fn short(runtime: TokenStream, tokens: Vec<TokenTree>, diagnostics: &mut Diagnostics) -> Option<Chain> {
    let is_empty = tokens.is_empty();
    let mut fields: Vec<Field> = Vec::new();
    let mut items = Vec::new();
    for tokens in joined(tokens.into_iter().collect(), diagnostics) {
        let read = (|input: ParseStream<'_>| short_node(input, diagnostics)).parse2(tokens);
        match diagnostics.ok(read) {
            Some(ShortNode::Named(item)) => items.push(*item),
            Some(ShortNode::WithState(field)) => {
                if fields.iter().any(|other| other.name == field.name) {
                    diagnostics.error(
                        Code::E016,
                        &field.name,
                        format_args!("two nodes of this chain are called `{}`", field.name),
                        "give one another name",
                    );
                    continue;
                }
                let path = TypePath { qself: None, path: field.name.clone().into() };
                fields.push(*field);
                items.push(Item::plain(ItemKind::Node(NodeUse::of(path))));
            }
            None => {}
        }
    }
    let name = names::single("Chain");
    let lifetime = names::run_lifetime();
    let input = Input {
        attrs: Vec::new(),
        name: Ident::new("context", Span::mixed_site()),
        ty: syn::parse2(quote!(&#lifetime mut #runtime::Context)).expect("a type"),
    };
    let mut chain = Chain {
        form: Form::Short,
        attrs: Vec::new(),
        vis: Visibility::Inherited,
        name,
        generics: Generics::default(),
        is_unit: false,
        fields,
        observers: Vec::new(),
        budget: None,
        send: None,
        denies_spawn: false,
        no_alloc: None,
        as_node: None,
        run: Run {
            attrs: Vec::new(),
            is_async: true,
            locals: Locals::new(std::slice::from_ref(&input)),
            inputs: vec![input],
            lifetime: Some(lifetime),
            reply: syn::parse2(quote!(#runtime::Ending)).expect("a type"),
            body: Block { items, span: Span::call_site(), is_empty },
            as_nodes: Vec::new(),
            names_types: false,
        },
        runtime,
        needs: Vec::new(),
        bounds: Vec::new(),
        checked_with: Vec::new(),
    };
    name_fields(&mut chain);
    Some(chain)
}

pub(super) enum ShortNode {
    Named(Box<Item>),
    WithState(Box<Field>),
}

pub(super) fn short_node(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<ShortNode> {
    if !(input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::])) {
        return item_use(input, diagnostics).map(|item| ShortNode::Named(Box::new(item)));
    }
    let name: Ident = input.parse()?;
    input.parse::<Token![:]>()?;
    let ty: Type = input.parse()?;
    if !input.peek(Token![=]) {
        return Err(Code::E015.on(
            &name,
            format!("the node `{name}` has a type, but no value\n  help: write `{name}: {} = value`", types::text(&ty)),
        ));
    }
    input.parse::<Token![=]>()?;
    let value = types::kept_together(input.parse()?);
    if !input.is_empty() {
        return Err(Code::E009.here(input, "expected `=>`"));
    }
    let field = Field { attrs: Vec::new(), vis: Visibility::Inherited, name, ty, value: Some(value) };
    Ok(ShortNode::WithState(Box::new(field)))
}
