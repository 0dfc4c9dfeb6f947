//! A binding whose type is not that of the variant's field. rustc would also report what is missing because of that.
//!
//! The node is a function that gives an `enum` of this file, and both types are certainly different.

use syn::parse::{ParseStream, Parser};
use syn::{Member, Pat};

use crate::ast::{Arm, Branch, Chain, ItemKind};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::unraw;
use crate::nearby::Around;
use crate::types;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let branches = chain.run.body.items().into_iter().filter_map(|item| match &item.kind {
        ItemKind::Branch(branch) => Some(branch),
        _ => None,
    });
    let mut around = None;
    for branch in branches.filter(|branch| branch.arms.iter().any(|arm| !arm.bindings.is_empty())) {
        let Some(around) = around.get_or_insert_with(|| Around::of(&chain.name)) else { return };
        branch.arms.iter().for_each(|arm| of_arm(branch, arm, around, diagnostics));
    }
}

fn of_arm(branch: &Branch, arm: &Arm, around: &Around, diagnostics: &mut Diagnostics) {
    let told = branch.node.told.as_ref();
    let Some(given) = told.filter(|told| around.is_type(&told.provides)).map(|told| &told.provides) else { return };
    let is_there = around.has_node(&branch.node);
    // The guard stands behind the pattern.
    let read = |input: ParseStream<'_>| {
        let pattern = Pat::parse_single(input);
        input.parse::<proc_macro2::TokenStream>()?;
        pattern
    };
    let Ok(pattern) = read.parse2(arm.pattern.clone()) else { return };
    let (path, fields): (_, Vec<(Member, &Pat)>) = match &pattern {
        Pat::TupleStruct(pattern) if !pattern.elems.iter().any(|field| matches!(field, Pat::Rest(_))) => {
            (&pattern.path, pattern.elems.iter().enumerate().map(|(at, field)| (Member::from(at), field)).collect())
        }
        Pat::Struct(pattern) => {
            (&pattern.path, pattern.fields.iter().map(|field| (field.member.clone(), &*field.pat)).collect())
        }
        _ => return,
    };
    let parts: Vec<_> = path.segments.iter().map(|part| unraw(&part.ident)).collect();
    let [of, variant] = parts.as_slice() else { return };
    if !is_there || of != given {
        return;
    }
    for (member, field) in fields {
        let Pat::Ident(name) = field else { continue };
        let Some(binding) = arm.bindings.iter().find(|binding| binding.name == name.ident) else { continue };
        let member = match &member {
            Member::Named(name) => unraw(name),
            Member::Unnamed(at) => at.index.to_string(),
        };
        let Some(declared) = around.field_of_variant(of, variant, &member) else { continue };
        let written = types::text(&binding.ty);
        if declared != written && around.is_one_type(&declared) && around.is_one_type(&written) {
            let name = unraw(&binding.name);
            diagnostics.error(
                Code::E419,
                &binding.ty,
                format_args!("`{name}` is a `{declared}` in `{of}::{variant}`, and not a `{written}`"),
                format_args!("write `{name}: {declared}`"),
            );
        }
    }
}
