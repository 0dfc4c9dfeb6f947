//! The fields that a chain uses as nodes, and asks for the signatures of their hooks.
//!
//! A chain knows no macro by the text of a field's type: it imports the type under another name, and the macro of that
//! type comes along if there is one. In a block around that, the name is that of a macro that tells nothing.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Type, TypePath};

use super::near;
use crate::ast::{Chain, Form, ItemKind, NodeUse};
use crate::names;
use crate::nearby::{self, Around, names_what_is_unknown};
use crate::types;

/// The fields of a chain that it uses as nodes and whose types it imports under another name: their hooks may be called by
/// what is told of them, or tell what they give.
pub(crate) fn called_fields(chain: &Chain) -> Vec<usize> {
    if chain.form != Form::Item || chain.run.as_nodes.is_empty() {
        return Vec::new();
    }
    (0..chain.fields.len()).filter(|field| may_be_called(chain, *field)).collect()
}

fn may_be_called(chain: &Chain, field: usize) -> bool {
    let Some(ty) = named_type(chain, field).filter(|_| chain.run.as_nodes.contains(&field)) else { return false };
    let last = ty.path.segments.last().filter(|last| names::may_have_a_macro(&last.ident));
    let last = last.filter(|last| !has_hooks_elsewhere(chain, &last.ident));
    // Of a type that does not exist, rustc says so in better words than of an import.
    let ty = Type::Path(ty.clone());
    let last = last.filter(|_| !names_what_is_unknown(&chain.name, &ty));
    let last = last.filter(|_| !nearby::is_private_type(&chain.name, &ty));
    let is_plain = chain.observers.is_empty() && chain.send.is_none() && names::field_type(chain, field).is_some();
    let may_be_called = last.is_some() && (is_plain || has_arguments_of_the_chain(chain, field));
    // An alias has no macro.
    may_be_called && Around::of(&chain.name).and_then(|around| alias(&around, &ty)).is_none()
}

/// The path of a field's type, without arguments: it can be imported.
pub(crate) fn named_type(chain: &Chain, field: usize) -> Option<TypePath> {
    let Type::Path(ty) = types::ungrouped(&chain.fields[field].ty) else { return None };
    let mut ty = ty.clone();
    ty.path.segments.last_mut()?.arguments = syn::PathArguments::None;
    let is_name = ty.qself.is_none() && ty.path.segments.iter().all(|part| part.arguments.is_none());
    is_name.then_some(ty)
}

/// Whether an argument of this field's type is a parameter of the chain. Then what its hooks give may be a type of the parameter.
fn has_arguments_of_the_chain(chain: &Chain, field: usize) -> bool {
    let Some(last) = types::last_segment(&chain.fields[field].ty) else { return false };
    let arguments = types::type_arguments(last);
    let mut named = arguments.into_iter().filter_map(types::named);
    named.any(|argument| chain.generics.type_params().any(|parameter| parameter.ident == *argument))
}

/// Those of the others whose types may have such a macro: the chain looks for what their hooks need, where that is missing.
fn sought_fields(chain: &Chain) -> Vec<usize> {
    if chain.form != Form::Item || chain.run.as_nodes.is_empty() {
        return Vec::new();
    }
    let called = called_fields(chain);
    let may_be_sought = |field: &usize| !called.contains(field) && sought_type(chain, *field).is_some();
    (0..chain.fields.len()).filter(may_be_sought).collect()
}

/// Those of these fields whose macros are those of their types for certain: what is told in part is asked of the type.
pub(crate) fn sought_among(chain: &Chain, fields: &[usize]) -> Vec<usize> {
    fields.iter().copied().filter(|field| sought_type(chain, *field).is_some()).collect()
}

/// The path of the type of such a field's node, without arguments.
///
/// It has to be there for certain: of a type that does not exist, rustc would say so once more.
fn sought_type(chain: &Chain, field: usize) -> Option<TypePath> {
    if !chain.run.as_nodes.contains(&field) {
        return None;
    }
    let around = Around::of(&chain.name)?;
    sought(chain, &around, around.held(&chain.fields[field].ty)?)
}

/// The same for a type.
fn sought(chain: &Chain, around: &Around, ty: &Type) -> Option<TypePath> {
    let alias = alias(around, ty);
    let Type::Path(mut path) = types::ungrouped(around.held(alias.as_ref().unwrap_or(ty))?).clone() else {
        return None;
    };
    let (first, last) = (path.path.segments.first()?.ident.clone(), path.path.segments.last_mut()?);
    last.arguments = syn::PathArguments::None;
    let last = last.ident.clone();
    let is_parameter = chain.generics.type_params().any(|parameter| parameter.ident == first);
    let is_plain = path.qself.is_none() && path.path.segments.iter().all(|part| part.arguments.is_none());
    let is_sought = is_plain && !is_parameter && around.is_there(&path.path);
    (is_sought && names::may_have_a_macro(&last) && !has_hooks_elsewhere(chain, &last)).then_some(path)
}

/// What the name of a type stands for, if it is an alias beside the chain.
fn alias(around: &Around, ty: &Type) -> Option<Type> {
    syn::parse_str(&around.alias(&names::unraw(types::named(ty)?))?).ok()
}

/// The types that the row names, as they are written there, with their paths: they are asked for in the same way.
pub(crate) fn asked_types(chain: &Chain) -> Vec<(String, TypePath)> {
    let mut asked: Vec<(String, TypePath)> = Vec::new();
    if !chain.run.names_types {
        return asked;
    }
    for item in chain.run.body.items() {
        let ItemKind::Node(node @ NodeUse { field: None, path, .. }) = &item.kind else { continue };
        if chain.form != Form::Item || !names::begins_like_a_type(&names::unraw(node.name())) {
            continue;
        }
        let text = types::text(path);
        if asked.iter().any(|(other, _)| *other == text) {
            continue;
        }
        let path = Around::of(&chain.name).and_then(|around| sought(chain, &around, &Type::Path(path.clone())));
        asked.extend(path.map(|path| (text, path)));
    }
    asked
}

/// Both.
pub(crate) fn asked_fields(chain: &Chain) -> Vec<usize> {
    [called_fields(chain), sought_fields(chain)].concat()
}

/// Whether the macro of this type's name may be that of another type: the type has the name of one around it, and its
/// hooks are in another module, where nobody finds its own macro.
fn has_hooks_elsewhere(chain: &Chain, ty: &Ident) -> bool {
    nearby::may_be_own(ty) && Around::of(&chain.name).is_some_and(|around| around.has_hooks_elsewhere(ty))
}

/// The name of the macro of this type, if the macro has one that only the chain and `#[node]` know.
fn own_hooks(chain: &Chain, ty: &TypePath) -> Option<TokenStream> {
    let (outer, name, away) = near(&ty.to_token_stream())?;
    let own = Around::of(&chain.name)?.own_hooks(&name, away)?;
    Some(quote!(#outer #own))
}

/// The name under which the type of a field is imported.
pub(crate) fn imported_field(chain: &Chain, field: usize) -> Ident {
    names::imported_field(chain, field, &nearby::place_among_namesakes(&chain.name))
}

/// The name of that type's macro.
pub(super) fn asked_field(chain: &Chain, field: usize) -> Ident {
    names::asked_field(chain, field, &nearby::place_among_namesakes(&chain.name))
}

/// The same for a type that the row names.
pub(super) fn asked_type(chain: &Chain, at: usize) -> Ident {
    names::asked_type(chain, at, &nearby::place_among_namesakes(&chain.name))
}

/// The fields whose types are imported under another name, so that their macros come along.
pub(crate) fn imported_fields(chain: &Chain) -> Vec<usize> {
    let mut fields = called_fields(chain);
    fields.retain(|field| named_type(chain, *field).and_then(|ty| own_hooks(chain, &ty)).is_none());
    fields
}

/// The imports that bring along the macros of the types of fields: those around the body of `run` that stand for a macro
/// where there is none, and those in a block in there.
///
/// The macros are called in a block of their own. rustc looks for an imported name in each block around the import, and
/// a macro that is not expanded yet could declare it.
pub(crate) fn imports(chain: &Chain) -> Option<(TokenStream, TokenStream)> {
    let (fields, sought) = (asked_fields(chain), sought_fields(chain));
    let runtime = &chain.runtime;
    let names: Vec<_> = fields.iter().map(|field| asked_field(chain, *field)).collect();
    let imports = fields.iter().zip(&names).map(|(field, name)| {
        let cfg = chain.fields[*field].cfg();
        let is_sought = sought.contains(field);
        let ty = if is_sought { sought_type(chain, *field) } else { named_type(chain, *field) };
        let ty = match ty.as_ref().and_then(|ty| own_hooks(chain, ty)) {
            Some(own) => own,
            None if is_sought => ty.into_token_stream(),
            None => imported_field(chain, *field).into_token_stream(),
        };
        quote!(#(#cfg)* #[allow(deprecated, unused_imports)] use #ty as #name;)
    });
    let imports: TokenStream = imports.collect();
    let types = asked_types(chain);
    let own: Vec<_> = (0..types.len()).map(|at| asked_type(chain, at)).collect();
    let of_types = types.iter().zip(&own).map(|((_, ty), name)| {
        let ty = own_hooks(chain, ty).unwrap_or_else(|| ty.to_token_stream());
        quote!(#[allow(deprecated, unused_imports)] use #ty as #name;)
    });
    let of_types: TokenStream = of_types.collect();
    let instead = quote!(#(use #runtime::__tells_nothing as #names;)* #(use #runtime::__tells_nothing as #own;)*);
    (!fields.is_empty() || !types.is_empty()).then(|| (instead, quote!(#imports #of_types)))
}
