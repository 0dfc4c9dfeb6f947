//! `#[cfg(..)]` on a hook, a parameter or a type parameter, or after `#[node]`: an attribute macro is given all of
//! these items, and only rustc can decide. So the item is emitted twice, with the first of them and without it, each
//! time under `#[cfg]` and with its `#[node]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, GenericParam, Generics, ImplItem, Item, Signature};

/// The expansion of a node with such an attribute; `None` if it has none.
pub(super) fn expand(
    runtime: &TokenStream,
    options: &TokenStream,
    item: &TokenStream,
    parsed: &Item,
) -> Option<TokenStream> {
    if !has_attributes(parsed) {
        return None;
    }
    let mut with = parsed.clone();
    let (predicate, is_all) = take(&mut with, false)?;
    let mut without = parsed.clone();
    take(&mut without, true);
    let options = (!options.is_empty()).then(|| quote!((#options)));
    let with = with_body(with, item);
    let with = quote!(#[cfg(#predicate)] #[#runtime::node #options] #with);
    if is_all {
        return Some(with);
    }
    let without = with_body(without, item);
    Some(quote!(#with #[cfg(not(#predicate))] #[#runtime::node #options] #without))
}

/// Whether a function or something in its signature has an attribute. Another item may have some.
fn has_attributes(item: &Item) -> bool {
    let Item::Fn(function) = item else { return true };
    let of_an_argument = |argument: &FnArg| match argument {
        FnArg::Receiver(receiver) => !receiver.attrs.is_empty(),
        FnArg::Typed(argument) => !argument.attrs.is_empty(),
    };
    let signature = &function.sig;
    !(function.attrs.is_empty() && signature.generics.params.is_empty()) || signature.inputs.iter().any(of_an_argument)
}

/// Puts back a function's body, which was not parsed.
fn with_body(parsed: Item, item: &TokenStream) -> TokenStream {
    if !matches!(parsed, Item::Fn(_)) {
        return parsed.into_token_stream();
    }
    let is_body = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let mut tokens: Vec<_> = parsed.into_token_stream().into_iter().collect();
    if let (Some(empty), Some(body)) = (tokens.last_mut(), item.clone().into_iter().last().filter(is_body)) {
        *empty = body;
    }
    tokens.into_iter().collect()
}

/// Takes out the first `#[cfg(..)]`, or the part of the item under it; `true` if that is the whole item.
fn take(item: &mut Item, with_what_it_is_on: bool) -> Option<(TokenStream, bool)> {
    let in_it = |predicate| (predicate, false);
    match item {
        Item::Fn(function) => match take_attribute(&mut function.attrs) {
            Some(predicate) => Some((predicate, true)),
            None => take_of_signature(&mut function.sig, with_what_it_is_on).map(in_it),
        },
        Item::Impl(block) => {
            if let Some(predicate) = take_attribute(&mut block.attrs) {
                return Some((predicate, true));
            }
            if let Some(predicate) = take_of_generics(&mut block.generics, with_what_it_is_on) {
                return Some(in_it(predicate));
            }
            for at in 0..block.items.len() {
                let ImplItem::Fn(method) = &mut block.items[at] else { continue };
                if let Some(predicate) = take_attribute(&mut method.attrs) {
                    if with_what_it_is_on {
                        block.items.remove(at);
                    }
                    return Some(in_it(predicate));
                }
                if let Some(predicate) = take_of_signature(&mut method.sig, with_what_it_is_on) {
                    return Some(in_it(predicate));
                }
            }
            None
        }
        _ => None,
    }
}

fn take_of_signature(signature: &mut Signature, with_what_it_is_on: bool) -> Option<TokenStream> {
    let attributes = |argument: &mut FnArg| match argument {
        FnArg::Receiver(receiver) => take_attribute(&mut receiver.attrs),
        FnArg::Typed(argument) => take_attribute(&mut argument.attrs),
    };
    take_of_generics(&mut signature.generics, with_what_it_is_on)
        .or_else(|| take_of_list(&mut signature.inputs, attributes, with_what_it_is_on))
}

fn take_of_generics(generics: &mut Generics, with_what_it_is_on: bool) -> Option<TokenStream> {
    let attributes = |parameter: &mut GenericParam| match parameter {
        GenericParam::Lifetime(parameter) => take_attribute(&mut parameter.attrs),
        GenericParam::Type(parameter) => take_attribute(&mut parameter.attrs),
        GenericParam::Const(parameter) => take_attribute(&mut parameter.attrs),
    };
    take_of_list(&mut generics.params, attributes, with_what_it_is_on)
}

fn take_of_list<T, P: Default>(
    list: &mut Punctuated<T, P>,
    mut attributes: impl FnMut(&mut T) -> Option<TokenStream>,
    with_what_it_is_on: bool,
) -> Option<TokenStream> {
    let found = list.iter_mut().enumerate().find_map(|(at, one)| Some((at, attributes(one)?)));
    let (found_at, predicate) = found?;
    if with_what_it_is_on {
        let rest = std::mem::take(list).into_iter().enumerate().filter(|(at, _)| *at != found_at);
        *list = rest.map(|(_, one)| one).collect();
    }
    Some(predicate)
}

fn take_attribute(attributes: &mut Vec<Attribute>) -> Option<TokenStream> {
    let at = attributes.iter().position(|attribute| attribute.path().is_ident("cfg"))?;
    let attribute = attributes.remove(at);
    attribute.meta.require_list().ok().map(|list| list.tokens.clone())
}
