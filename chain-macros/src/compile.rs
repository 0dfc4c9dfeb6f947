//! The pipeline, on one screen.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::ast::Chain;
use crate::diagnostics::{Code, Diagnostics};
use crate::node;
use crate::{again, check, expand, handshake, parse, plan, segment};

/// Compiles one `chain!`: parse, check, plan, expand. Each phase gathers all of its errors before the next begins.
/// After an error the chain's type is kept alive, so that nothing else in the user's crate is reported.
pub(crate) fn chain(tokens: TokenStream) -> TokenStream {
    if expand::editor::asks() {
        return expand::editor::view(tokens);
    }
    chain_with(tokens, Diagnostics::new())
}

/// Compiles a chain in which the nodes of a segment have been put.
pub(crate) fn splice(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    match again::splice(tokens, &mut diagnostics) {
        Some(chain) => chain_with(chain, diagnostics),
        None => diagnostics.verdict().unwrap_or_default(),
    }
}

/// Compiles a chain with the errors that are known already.
fn chain_with(tokens: TokenStream, mut diagnostics: Diagnostics) -> TokenStream {
    let mut asking = TokenStream::new();
    let chain = match parse::declaration(tokens, &mut diagnostics) {
        None => None,
        Some((runtime, declaration)) => {
            let (needs, declaration) = again::needs(declaration);
            if let Some(expanded) = again::expand(&runtime, &needs, &declaration) {
                let errors = diagnostics.verdict();
                return quote!(#expanded #errors);
            }
            if again::is_segment(&declaration) {
                if let Some(segment) = segment::without_nodes(&declaration, &mut diagnostics) {
                    let errors = diagnostics.verdict();
                    return quote!(#segment #errors);
                }
                let functions = segment::functions(declaration.clone());
                let all: TokenStream = declaration.iter().cloned().collect();
                let asked = handshake::ask_for_segment(&runtime, &functions, &all);
                let segment = asked.or_else(|| segment::declare(&runtime, declaration, &[], &mut diagnostics));
                let errors = diagnostics.verdict();
                return quote!(#segment #errors);
            }
            let all = declaration.iter().cloned();
            asking = needs.clone().into_iter().chain(all).collect();
            let chain = parse::chain(runtime, declaration, &mut diagnostics);
            let (needs, bounds) = again::needed(needs);
            chain.map(|chain| Chain { needs, bounds, ..chain })
        }
    };
    if let Some(chain) = &chain {
        if check::is_declared_twice(chain, &mut diagnostics) {
            return diagnostics.verdict().unwrap_or_default();
        }
        if check::has_a_struct(chain, &mut diagnostics) {
            let errors = diagnostics.verdict();
            return expand::beside(chain, &errors.unwrap_or_default());
        }
        check::chain(chain, &mut diagnostics);
    }
    let block = |chain: &Chain| expand::as_block(chain);
    let as_node = chain.as_ref().and_then(|chain| node::of_chain(chain, block, &mut diagnostics));
    match (chain, diagnostics.verdict()) {
        (Some(mut chain), None) => {
            let node = as_node.map(|node| node.expand(&chain.runtime));
            let chain = match handshake::ask(&mut chain, &asking) {
                Some(asked) => expand::asking(&chain, &asked),
                None => expand::chain(&plan::plan(&chain)),
            };
            quote!(#chain #node)
        }
        (Some(chain), Some(errors)) => {
            let node = as_node.map(|node| node.kept_alive(&chain.runtime));
            let chain = expand::kept_alive(&chain, &errors);
            quote!(#chain #node)
        }
        (None, errors) => errors.unwrap_or_default(),
    }
}

/// A chain or a segment with the signatures of its functions.
enum Planned {
    Chain(Box<Chain>),
    Segment(TokenStream),
}

/// Goes on with a chain whose functions have told their signatures, and returns the body of its `run`. For a segment it
/// returns the whole expansion.
pub(crate) fn planned(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let planned = handshake::answered(tokens).and_then(|answered| {
        let (runtime, declaration) = parse::declaration(answered.declaration.clone(), &mut diagnostics)?;
        if again::is_segment(&declaration) {
            let told = answered.told(segment::functions(declaration.clone()));
            return segment::declare(&runtime, declaration, &told, &mut diagnostics).map(Planned::Segment);
        }
        let (needs, declaration) = again::needs(declaration);
        let chain = parse::chain(runtime, declaration, &mut diagnostics)?;
        let (needs, bounds) = again::needed(needs);
        let mut chain = Chain { needs, bounds, ..chain };
        if answered.is_broken() {
            diagnostics.known();
        }
        handshake::note(&mut chain, answered);
        check::told(&chain, &mut diagnostics);
        Some(Planned::Chain(Box::new(chain)))
    });
    if planned.is_none() {
        diagnostics.error_at(Code::E002, Span::call_site(), "`__planned!` is for `chain!` alone", "write `chain!`");
    }
    match (planned, diagnostics.verdict()) {
        (Some(Planned::Chain(chain)), None) => expand::body(&plan::plan(&chain)),
        (Some(Planned::Chain(chain)), Some(errors)) => expand::broken_body(&chain, &errors),
        (Some(Planned::Segment(segment)), errors) => quote!(#segment #errors),
        (_, errors) => errors.unwrap_or_default(),
    }
}
