//! The handshake: a chain asks the functions in it for their signatures.
//!
//! `#[node]` puts a macro by example beside a function, with the function's name. That macro appends the function's
//! signature to the tokens that it is given, and calls the next macro with all of them. The body of `run` calls the
//! macro of the first function. The last one calls `__planned!`, with the declaration and all signatures. An imported
//! name brings its macro along. A name that is no node is one error, at that name.
//!
//! ```text
//! auth! { { [locals] [declaration] } [limit] [answer] [$crate::__planned] }
//! limit! { { [locals] [declaration] [later Fails "auth" "User" "Refused" lent "Request"] } [answer] [$crate::__planned] }
//! ```

use std::rc::Rc;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};

use crate::ast::{Chain, Locals, NodeUse};
use crate::names;
use crate::nearby::{self, Around};
use crate::rewrite;
use crate::told::Answer;
pub(crate) use crate::told::{Access, Exit, Hooks, Kind, Of, Told, Untold};
use crate::types;

mod fields;

use fields::{asked_field, asked_fields, asked_types, sought_among};
pub(crate) use fields::{called_fields, imported_field, imported_fields, imports, named_type};

/// Whether this path has a macro that can be asked: it looks like a function's name.
pub(crate) fn is_function(path: &syn::TypePath) -> bool {
    let parts = &path.path.segments;
    let is_plain = path.qself.is_none() && parts.iter().rev().skip(1).all(|part| part.arguments.is_none());
    is_plain && parts.last().is_some_and(|last| names::has_macro(&last.ident))
}

/// The path of its macro.
pub(crate) fn path_of(path: &syn::TypePath) -> TokenStream {
    let mut path = path.path.clone();
    if let Some(last) = path.segments.last_mut() {
        last.arguments = syn::PathArguments::None;
    }
    path.into_token_stream()
}

/// The same as text. Most paths are a name, which is read in less time than tokens are.
fn path_text(path: &syn::TypePath) -> String {
    match path.path.get_ident() {
        Some(name) => name.to_string(),
        None => path_of(path).to_string(),
    }
}

fn is_asked(node: &NodeUse) -> bool {
    node.field.is_none() && is_function(&node.path)
}

/// The paths of the functions in a chain, each once.
fn functions(chain: &mut Chain) -> Vec<(String, TokenStream)> {
    let mut found: Vec<(String, TokenStream)> = Vec::new();
    let mut names_types = false;
    chain.run.body.visit(&mut |node| {
        if is_asked(node) {
            let text = path_text(&node.path);
            if found.iter().all(|(other, _)| *other != text) {
                found.push((text, path_of(&node.path)));
            }
        } else {
            names_types |= node.field.is_none();
        }
    });
    chain.run.names_types = names_types;
    found
}

/// The number of macros that call one another in a row: rustc stops at 128.
const IN_A_ROW: usize = 60;

/// The tokens with which the body of `run` asks, if there is a function to ask. The answer is the body.
pub(crate) fn ask(chain: &mut Chain, declaration: &TokenStream) -> Option<TokenStream> {
    let mut asked = functions(chain);
    // The names stand in the chain's file. In most files none of them has another name.
    if nearby::may_be_own(&chain.name) {
        by_own_names(&mut asked);
    }
    let fields = asked_fields(chain);
    asked.extend(fields.iter().map(|field| (String::new(), asked_field(chain, *field).into_token_stream())));
    let types = 0..asked_types(chain).len();
    asked.extend(types.map(|at| (String::new(), fields::asked_type(chain, at).into_token_stream())));
    let Locals { this, inputs, lifetime } = &chain.run.locals;
    in_turn(&chain.runtime, &chain.name, &asked, &quote!(#lifetime #this #(#inputs)*), declaration)
}

/// Names the macros by the names that only `#[node]` and `chain!` know, where they have such.
fn by_own_names(asked: &mut [(String, TokenStream)]) {
    for (_, path) in asked {
        let own = near(path).and_then(|(outer, name, away)| {
            let own = Around::of(&name)?.own_function(&name, away)?;
            Some(quote!(#outer #own))
        });
        if let Some(own) = own {
            *path = own;
        }
    }
}

/// The parts of `auth`, `self::auth` or `super::auth`, and how many modules away it is, if something may stand in for it.
fn near(path: &TokenStream) -> Option<(TokenStream, Ident, Option<usize>)> {
    let mut tokens = path.clone().into_iter().peekable();
    let begins_with_a_name = matches!(tokens.peek(), Some(TokenTree::Ident(_)));
    let parts = tokens.filter_map(|token| match token {
        TokenTree::Ident(part) => Some(part),
        _ => None,
    });
    let mut parts: Vec<_> = parts.collect();
    let name = parts.pop().filter(|name| begins_with_a_name && nearby::may_be_own(name))?;
    let is_outer = |(at, part): (usize, &Ident)| part == "super" || (part == "self" && at == 0);
    let away = parts.iter().filter(|part| *part == "super").count();
    let is_near = parts.iter().enumerate().all(is_outer);
    is_near.then(|| (quote!(#(#parts ::)*), name, (!parts.is_empty()).then_some(away)))
}

/// The same for a segment. The answer is the segment's expansion.
pub(crate) fn ask_for_segment(
    runtime: &TokenStream,
    functions: &[(String, TokenStream)],
    declaration: &TokenStream,
) -> Option<TokenStream> {
    let mut functions = functions.to_vec();
    by_own_names(&mut functions);
    let segment = Ident::new("segment", proc_macro2::Span::call_site());
    in_turn(runtime, &segment, &functions, &TokenStream::new(), declaration)
}

/// Calls these macros, one after the other.
fn in_turn(
    runtime: &TokenStream,
    name: &Ident,
    functions: &[(String, TokenStream)],
    locals: &TokenStream,
    declaration: &TokenStream,
) -> Option<TokenStream> {
    let paths: Vec<_> = functions.iter().map(|(_, path)| path.clone()).collect();
    let in_a_row = |begin: &TokenStream, paths: &[TokenStream], end: TokenStream| {
        let (first, rest) = paths.split_first()?;
        Some(quote!(#first ! { { #begin } #([#rest])* #end }))
    };
    let begin = quote!([#locals] [(#runtime) #declaration]);
    let end = quote!([#runtime::__planned]);
    if paths.len() <= IN_A_ROW {
        return in_a_row(&begin, &paths, end);
    }
    // Each part is asked by itself. A macro keeps the answers until all parts are asked.
    let name = names::unraw(name);
    let parts: Vec<_> = paths.chunks(IN_A_ROW).collect();
    let kept: Vec<_> = (0..parts.len()).map(|part| format_ident!("__told_to_{name}_{part}")).collect();
    let dollar = names::dollar();
    let asked = parts
        .iter()
        .zip(&kept)
        .map(|(part, kept)| in_a_row(&TokenStream::new(), part, quote!([#runtime::__keep] #kept (#dollar))));
    let kept: Vec<_> = kept.iter().map(ToTokens::to_token_stream).collect();
    let all = in_a_row(&begin, &kept, end);
    Some(quote!(#(#asked)* #all))
}

/// The tokens that `__planned!` is given.
pub(crate) struct Answered {
    /// The names of a chain. A segment has none.
    locals: Option<Locals>,
    pub(crate) declaration: TokenStream,
    told: Vec<Answer>,
}

impl Answered {
    /// Whether there is an error about any of the nodes.
    pub(crate) fn is_broken(&self) -> bool {
        self.told.iter().any(|told| matches!(told, Answer::Broken))
    }

    /// The signatures of these functions, which stand in the order in which they were asked.
    pub(crate) fn told(self, functions: Vec<(String, TokenStream)>) -> Vec<(String, Option<Told>)> {
        let told = self.told.into_iter().map(|told| match told {
            Answer::Told(told) => Some(told),
            _ => None,
        });
        functions.into_iter().map(|(text, _)| text).zip(told).collect()
    }
}

/// Takes the tokens apart.
pub(crate) fn answered(tokens: TokenStream) -> Option<Answered> {
    let Some(TokenTree::Group(all)) = tokens.into_iter().next() else { return None };
    let mut groups = all.stream().into_iter().filter_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(group.stream()),
        _ => None,
    });
    let locals = locals(&rewrite::tokens(groups.next()?));
    Some(Answered { locals, declaration: groups.next()?, told: groups.map(Answer::read).collect() })
}

fn locals(tokens: &[TokenTree]) -> Option<Locals> {
    let (lifetime, names) = tokens.split_at_checked(2)?;
    let lifetime = syn::parse2(lifetime.iter().cloned().collect()).ok()?;
    let mut names = names.iter().filter_map(|token| match token {
        TokenTree::Ident(name) => Some(name.clone()),
        _ => None,
    });
    Some(Locals { lifetime, this: names.next()?, inputs: names.collect() })
}

/// Stores the signatures in the nodes.
pub(crate) fn note(chain: &mut Chain, answered: Answered) {
    if let Some(locals) = &answered.locals {
        chain.run.locals = locals.clone();
    }
    let (mut asked, fields, called) = (functions(chain), asked_fields(chain), called_fields(chain));
    let functions = asked.len();
    let untold = answered.told.iter().map(|answer| match answer {
        Answer::Untold(untold) => untold.clone(),
        _ => Untold::default(),
    });
    let untold: Vec<_> = untold.collect();
    let named = asked_types(chain);
    asked.extend(fields.iter().map(|_| (String::new(), TokenStream::new())));
    asked.extend(named.iter().map(|(text, _)| (text.clone(), TokenStream::new())));
    let told = answered.told(asked).into_iter();
    let mut told: Vec<_> = told.map(|(text, told)| (text, told.map(Rc::new))).collect();
    let mut hooks = told.split_off(functions);
    let is_in_part = untold.iter().skip(functions).any(|untold| untold.sought.is_some());
    let sought = if is_in_part { sought_among(chain, &fields) } else { Vec::new() };
    let of_types = hooks.split_off(fields.len());
    let open: Vec<_> = fields.iter().copied().filter(|field| is_open(chain, &chain.fields[*field].ty)).collect();
    let is_open_text = |text: &str| syn::parse_str(text).is_ok_and(|ty| is_open(chain, &ty));
    let open_types: Vec<_> = named.iter().map(|(text, _)| is_open_text(text)).collect();
    chain.run.body.visit(&mut |node| {
        if is_asked(node) {
            let text = path_text(&node.path);
            let at = told.iter().position(|(other, _)| *other == text);
            node.told = at.and_then(|at| told[at].1.clone());
            node.untold = at.and_then(|at| untold.get(at)).cloned().unwrap_or_default();
        } else if let Some(field) = node.field {
            let Some(at) = fields.iter().position(|other| *other == field) else { return };
            let hooks = hooks.get(at).and_then(|(_, told)| told.clone()).filter(|told| told.hooks.is_some());
            match called.contains(&field) {
                true => node.hooks = hooks,
                false => node.sought = hooks,
            }
            let told = untold.get(functions + at).cloned().unwrap_or_default();
            node.untold = Untold {
                open: told.open,
                sought: told.sought.filter(|_| sought.contains(&field) && (!told.is_limited || open.contains(&field))),
                ..Untold::default()
            };
        } else if !of_types.is_empty() {
            let text = types::text(&node.path);
            let at = of_types.iter().position(|(other, _)| *other == text);
            node.sought = at.and_then(|at| of_types[at].1.clone()).filter(|told| told.hooks.is_some());
            let untold = at.and_then(|at| untold.get(functions + fields.len() + at));
            let is_of_its_block = |untold: &&Untold| !untold.is_limited || at.is_some_and(|at| open_types[at]);
            node.untold.sought = untold.filter(is_of_its_block).and_then(|untold| untold.sought.clone());
        }
    });
}

/// Whether the arguments of a node's type are parameters of the chain. Then it has the hooks of the block that is for all types
/// with certain bounds, and not those of a block for one type that lacks them.
fn is_open(chain: &Chain, ty: &syn::Type) -> bool {
    let arguments = types::last_segment(types::held(ty)).map(types::type_arguments).unwrap_or_default();
    let is_own = |name: &Ident| chain.generics.type_params().any(|own| own.ident == *name);
    arguments.into_iter().all(|argument| types::named(argument).is_some_and(is_own))
}
