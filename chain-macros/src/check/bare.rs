//! A type in the place of a binding: `Route::Api { user: User }` for `Route::Api { user: user: User }`.
//!
//! To rustc such a `User` may be a constant or a variant, so this is reported only where a node in the arm asks for that
//! type, and nothing else in the chain could give it: there is an error in any case.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::visit::Visit;
use syn::{Ident, Pat, Path};

use super::told::{asks, nodes};
use crate::ast::{Arm, Block, Branch, Chain, Item, ItemKind};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::unraw;
use crate::nearby::Around;
use crate::types;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let items = chain.run.body.items();
    let is_told = |item: &&Item| nodes(item).all(|node| node.told.is_some() || node.hooks.is_some());
    if !items.iter().all(is_told) {
        return;
    }
    let there = there(chain, &items);
    for item in items {
        let ItemKind::Branch(Branch { arms, .. }) = &item.kind else { continue };
        for arm in arms {
            for Bare { path, member } in bare(arm) {
                let Some(ty) = path.segments.last().map(|last| unraw(&last.ident)) else { continue };
                let is_there = there.iter().any(|there| last_name(there) == ty);
                if !is_there && is_asked_for(&arm.body, &ty) && !may_be_a_variant(chain, &ty) {
                    report(&path, &ty, member, diagnostics);
                }
            }
        }
    }
}

fn may_be_a_variant(chain: &Chain, name: &str) -> bool {
    Around::of(&chain.name).is_some_and(|around| around.may_import_variants(name))
}

fn report(path: &Path, ty: &str, member: Option<String>, diagnostics: &mut Diagnostics) {
    let text = types::text(path);
    let name = member.as_ref().map_or_else(|| ty.to_lowercase(), Clone::clone);
    let member = member.map(|member| format!("{member}: ")).unwrap_or_default();
    diagnostics.error(
        Code::E405,
        path,
        format_args!("`{text}` is a type, and a pattern binds a name, which may have a type behind it"),
        format_args!("write `{member}{name}: {text}`"),
    );
}

/// The types of all things that a chain has, as they are written.
fn there(chain: &Chain, items: &[&Item]) -> Vec<String> {
    let inputs = chain.run.inputs.iter().map(|input| &input.ty);
    let fields = chain.fields.iter().map(|field| &field.ty);
    let bindings = items.iter().flat_map(|item| match &item.kind {
        ItemKind::Branch(branch) => branch.arms.as_slice(),
        _ => &[],
    });
    let bindings = bindings.flat_map(|arm| &arm.bindings).map(|binding| &binding.ty);
    let written = inputs.chain(fields).chain(bindings).map(|ty| types::text(types::referent(ty)));
    let nodes = items.iter().flat_map(|item| nodes(item));
    let provided = nodes.filter_map(|node| Some(node.tells()?.provides.clone()));
    let given = items.iter().filter_map(|item| Some(item.given.as_ref()?.text.clone()));
    written.chain(provided).chain(given).collect()
}

fn is_asked_for(block: &Block, ty: &str) -> bool {
    block.items.iter().any(|item| asks(item, &|text| last_name(text) == ty))
}

fn last_name(text: &str) -> &str {
    text.rsplit("::").next().unwrap_or(text)
}

/// A name in the form of a type, or a path.
struct Bare {
    path: Path,
    /// The field of a struct's pattern that it stands for.
    member: Option<String>,
}

fn bare(arm: &Arm) -> Vec<Bare> {
    // The guard stands behind the pattern.
    let read = |input: ParseStream<'_>| {
        let pattern = Pat::parse_multi_with_leading_vert(input);
        input.parse::<TokenStream>()?;
        pattern
    };
    let Ok(pattern) = read.parse2(arm.pattern.clone()) else { return Vec::new() };
    let mut found = Found { typed: arm.bindings.iter().map(|binding| &binding.name).collect(), bare: Vec::new() };
    found.visit_pat(&pattern);
    found.bare
}

struct Found<'a> {
    typed: Vec<&'a Ident>,
    bare: Vec<Bare>,
}

impl Found<'_> {
    fn path_of(&self, pattern: &Pat) -> Option<Path> {
        let path: Path = match pattern {
            Pat::Ident(name) if name.by_ref.is_none() && name.mutability.is_none() && name.subpat.is_none() => {
                name.ident.clone().into()
            }
            Pat::Path(path) if path.qself.is_none() => path.path.clone(),
            _ => return None,
        };
        let begins_large = |part: &&syn::PathSegment| unraw(&part.ident).starts_with(char::is_uppercase);
        // `Role::Admin` is a variant.
        if path.segments.iter().rev().skip(1).any(|part| begins_large(&part)) {
            return None;
        }
        let last = path.segments.last().filter(begins_large)?;
        (!self.typed.contains(&&last.ident)).then_some(path)
    }
}

impl<'ast> Visit<'ast> for Found<'_> {
    fn visit_field_pat(&mut self, field: &'ast syn::FieldPat) {
        match self.path_of(&field.pat) {
            Some(path) => {
                let member = field.member.to_token_stream().to_string();
                self.bare.push(Bare { path, member: Some(member) });
            }
            None => syn::visit::visit_field_pat(self, field),
        }
    }

    fn visit_pat(&mut self, pattern: &'ast Pat) {
        match self.path_of(pattern) {
            Some(path) => self.bare.push(Bare { path, member: None }),
            None => syn::visit::visit_pat(self, pattern),
        }
    }
}
