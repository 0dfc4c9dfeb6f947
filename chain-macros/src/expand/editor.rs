//! What an editor sees of a chain: the type, `run` with its signature, and each token of the user's once.
//!
//! rust-analyzer finds out what a token means by looking for its place in the expansion. In the expansion for rustc a
//! node's name stands in dozens of places, and rust-analyzer would show all of them. So it gets another expansion,
//! which names each node once, as a value:
//!
//! ```text
//! struct Gateway { log: AccessLog }
//! impl Gateway {
//!     async fn run(&self, request: Request) -> Response { let Self { log, .. } = self; self.log; auth; answer; loop {} }
//! }
//! ```
//!
//! The view is made of the tokens as they are written, and not of `ast`: a chain in which somebody types can seldom be
//! parsed. Nothing of it is ever run.
//!
//! All tokens that the user did not write stand at the place of `$crate`, which is in another file. The place of
//! `Span::call_site()` is the whole call: rust-analyzer would find such a token at each token of the user's.

use std::sync::LazyLock;

use proc_macro2::{Delimiter, Group, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;

use crate::ast::Chain;
use crate::diagnostics::Diagnostics;
use crate::rewrite::{self, Rewrite};
use crate::{again, check, extent, names, parse};

mod cut;
mod look;
mod public;
mod row;

use look::{begins_with, cfg_attributes, field_names, has_cfg, is_group, is_punct, is_word, own_attributes};
use public::{embedded, public};
use row::Row;

type Tokens = Vec<TokenTree>;

/// Whether the macros run in rust-analyzer's server: `rust-analyzer-proc-macro-srv`, or `rust-analyzer proc-macro`.
///
/// `cfg(rust_analyzer)` says the same, but only in what is emitted. rustc would have to parse both expansions, and
/// would warn of an unexpected `cfg` in each crate that declares a chain.
pub(crate) fn asks() -> bool {
    static ASKS: LazyLock<bool> = LazyLock::new(|| {
        let program = std::env::current_exe().ok();
        program.and_then(|path| path.file_name()?.to_str().map(is_an_editors)).unwrap_or(false)
    });
    *ASKS
}

pub(crate) fn is_an_editors(program: &str) -> bool {
    program.contains("rust-analyzer")
}

/// The chain or segment as an editor sees it, also where it has mistakes. The errors stand beside it.
pub(crate) fn view(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let Some((runtime, declaration)) = parse::declaration(tokens.clone(), &mut diagnostics) else {
        return diagnostics.verdict().unwrap_or_default();
    };
    let at = tokens.into_iter().next().map_or_else(Span::call_site, |group| group.span());
    let read = Read::of(&runtime, &declaration, diagnostics);
    let view = View { runtime, at };
    if again::is_segment(&declaration) {
        return view.segment(&declaration, read.errors);
    }
    match declaration.iter().position(|token| is_word(token, "struct")) {
        Some(at) => view.item(&declaration, at, &read),
        None => view.short(&declaration, &read),
    }
}

/// What the parser says of the declaration.
struct Read {
    /// `None` where not even the outline can be made out.
    chain: Option<Chain>,
    errors: Option<TokenStream>,
}

impl Read {
    fn of(runtime: &TokenStream, declaration: &[TokenTree], mut diagnostics: Diagnostics) -> Self {
        // Only rustc can resolve segments and `#[cfg]`. The rest of the chain tells what is public.
        let needs_rustc = again::expand(runtime, &TokenStream::new(), declaration).is_some();
        if again::is_segment(declaration) {
            if let Some(TokenTree::Group(body)) = declaration.last() {
                let plain = rewrite::row(&rewrite::tokens(body.stream()), &mut Plain);
                parse::block(&rewrite::like(body, plain), &mut diagnostics);
            }
            return Self { chain: None, errors: diagnostics.verdict().filter(|_| !needs_rustc) };
        }
        let plain = match needs_rustc {
            true => rewrite::body(declaration, &mut Plain),
            false => declaration.to_vec(),
        };
        let chain = parse::chain(runtime.clone(), plain, &mut diagnostics);
        if let Some(chain) = &chain {
            check::chain(chain, &mut diagnostics);
        }
        let errors = diagnostics.verdict().filter(|_| !needs_rustc);
        Self { chain, errors }
    }
}

/// Takes the segments out of a chain.
struct Plain;

impl Rewrite for Plain {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        let is_segment = !is_arm && rewrite::is_segment(item);
        is_segment.then(|| {
            let gone = Ident::new(rewrite::GONE, Span::call_site());
            rewrite::tokens(quote!(#[#gone]))
        })
    }
}

struct View {
    runtime: TokenStream,
    /// Where the tokens stand that the user did not write.
    at: Span,
}

impl View {
    /// `pub struct Gateway { .. } async fn(..) -> Reply { .. }`
    fn item(&self, declaration: &[TokenTree], keyword: usize, read: &Read) -> TokenStream {
        let at = self.at;
        let (attributes, vis) = declaration[..keyword].split_at(rewrite::attributes(&declaration[..keyword]));
        let (kept, own) = own_attributes(attributes);
        let behind = &declaration[keyword..];
        let is_end = |token: &TokenTree| is_group(token, Delimiter::Brace) || is_punct(token, ';');
        let end =
            extent::of_struct(behind).or_else(|| behind.iter().position(is_end)).map_or(behind.len(), |end| end + 1);
        let (structure, function) = behind.split_at(end);
        let fields = match structure.last() {
            Some(TokenTree::Group(group)) => field_names(&rewrite::tokens(group.stream())),
            _ => Vec::new(),
        };
        let cfg = names::shown_at(stream(cfg_attributes(attributes)), at);
        let (kept, structure, vis) = (stream(kept), stream(structure.to_vec()), stream(vis.to_vec()));
        let errors = &read.errors;
        let Some(TokenTree::Ident(name)) = behind.get(1) else { return quote!(#kept #vis #structure #errors) };
        let header = Header::of(name, &behind[1..end], at);
        let Header { generics, arguments, clause } = &header;
        let name = located(name, at);
        let run = self.run(function, &vis, &fields, &own);
        let body = function.iter().rev().find(|token| is_group(token, Delimiter::Brace));
        let place = match body {
            Some(TokenTree::Group(group)) => group.span_open(),
            _ => at,
        };
        let public = read.chain.as_ref().map(|chain| public(chain, &self.runtime, at, place));
        // Only rustc knows whether an input under `#[cfg]` is there.
        let is_settled = !function.iter().any(|token| is_group(token, Delimiter::Parenthesis) && has_cfg(token));
        let embedded = read.chain.as_ref().filter(|_| is_settled).map(|chain| {
            let embedded = embedded(chain, &self.runtime, at);
            quote!(#cfg #embedded)
        });
        let hushed = self.hushed();
        let view = quote_spanned! {at=>
            #hushed
            #cfg
            impl #generics #name #arguments #clause {
                #run
                #public
            }
        };
        quote!(#kept #vis #structure #view #embedded #errors)
    }

    /// `run`, as visible as the chain's type.
    fn run(&self, function: &[TokenTree], vis: &TokenStream, fields: &[String], own: &[TokenTree]) -> TokenStream {
        let at = self.at;
        let (attributes, rest) = function.split_at(rewrite::attributes(function));
        let (kept, own_of_run) = own_attributes(attributes);
        let Some(keyword) = rest.iter().position(|token| is_word(token, "fn")) else { return TokenStream::new() };
        let known = extent::of_fn(rest);
        let by_look = || rest.iter().position(|token| is_group(token, Delimiter::Parenthesis));
        let Some(inputs_at) = known.map(|(inputs, _)| inputs).or_else(by_look).filter(|at| *at > keyword) else {
            return TokenStream::new();
        };
        let body_by_look = || rest.iter().rposition(|token| is_group(token, Delimiter::Brace));
        let body_at = known.and_then(|(_, body)| body).or_else(body_by_look).filter(|body| *body > inputs_at);
        let reply = stream(rest[inputs_at + 1..body_at.unwrap_or(rest.len())].to_vec());
        let head = stream(rest[..=keyword].to_vec());
        let name = Ident::new("run", rest[keyword].span());
        let generics = stream(rest[keyword + 1..inputs_at].to_vec());
        let inputs = match &rest[inputs_at] {
            TokenTree::Group(group) => group.stream(),
            _ => TokenStream::new(),
        };
        let mut braces = Group::new(Delimiter::Brace, TokenStream::new());
        braces.set_span(at);
        if let Some(TokenTree::Group(group)) = body_at.map(|at| &rest[at]) {
            braces = group.clone();
        }
        let body = rewrite::tokens(braces.stream());
        let is_documented = attributes.iter().any(|token| begins_with(token, "doc"));
        // This text stands before the row. rust-analyzer compares by offset, so it stays the same while somebody types
        // in the row.
        let docs = (!is_documented).then(|| {
            let mut line = Literal::string(&format!("Runs a request through `{}`.", row::outline(&body)));
            line.set_span(at);
            quote_spanned!(at=> #[doc = #line])
        });
        let row = Row { fields, at };
        let observers = row.named_by_attributes(&[own, &own_of_run].concat());
        let statements = row.statements(&body);
        let locals = row.locals();
        let body = rewrite::like(&braces, rewrite::tokens(quote_spanned!(at=> #locals #observers #statements loop {})));
        let (kept, vis) = (stream(kept), names::shown_at(vis.clone(), at));
        quote_spanned! {at=>
            #docs
            #kept
            #vis #head #name #generics (&self, #inputs) #reply #body
        }
    }

    /// `pub segment front<S: Store>(log: AccessLog) { .. }`: a module, which `..front` names, and the segment's nodes
    /// after it.
    fn segment(&self, declaration: &[TokenTree], errors: Option<TokenStream>) -> TokenStream {
        let at = self.at;
        let (attributes, rest) = declaration.split_at(rewrite::attributes(declaration));
        let word = rest.iter().position(|token| is_word(token, "segment")).unwrap_or_default();
        let (vis, kept) = (stream(rest[..word].to_vec()), stream(own_attributes(attributes).0));
        let name = &rest[word + 1];
        let behind = &rest[word + 2..];
        let inputs_at = behind.iter().position(|token| is_group(token, Delimiter::Parenthesis));
        let body_at = behind.iter().rposition(|token| is_group(token, Delimiter::Brace));
        let header = &behind[..inputs_at.or(body_at).unwrap_or(behind.len())];
        let generics = header.iter().position(|token| is_word(token, "where")).map_or(header, |at| &header[..at]);
        let generics = stream(generics.to_vec());
        let inner = |at: Option<usize>| match at.map(|at| &behind[at]) {
            Some(TokenTree::Group(group)) => group.stream(),
            _ => TokenStream::new(),
        };
        let fields = inner(inputs_at);
        let statements = Row { fields: &[], at }.statements(&rewrite::tokens(inner(body_at)));
        let hushed = self.hushed();
        let module = quote_spanned!(at=> mod #name {});
        let nodes = quote_spanned! {at=>
            #hushed
            const _: () = {
                fn nodes #generics (#fields) { #statements }
            };
        };
        quote!(#kept #vis #module #nodes #errors)
    }

    /// `auth => limit: RateLimit = RateLimit::per_second(100) => proxy`: an expression.
    fn short(&self, declaration: &[TokenTree], read: &Read) -> TokenStream {
        let (at, rt) = (self.at, &self.runtime);
        let row = Row { fields: &[], at };
        let with_state = row.with_state(declaration);
        let fields = with_state.iter().map(|(name, ty, _)| quote_spanned!(at=> #name: #ty,));
        let values = with_state.iter().map(|(name, _, value)| {
            let name = located(name, at);
            quote_spanned!(at=> #name: #value,)
        });
        let names: Vec<_> = with_state.iter().map(|(name, ..)| name.to_string()).collect();
        let row = Row { fields: &names, at };
        let (locals, statements) = (row.locals(), row.statements(declaration));
        // Go to definition on `run` leads to the first arrow.
        let arrow = rewrite::arrow(declaration).map_or(at, |arrow| declaration[arrow].span());
        let run = Ident::new("run", arrow);
        // The arrow keeps its color, since a token like it stands there as well.
        let mut equals = Punct::new('=', Spacing::Alone);
        equals.set_span(arrow);
        let public = read.chain.as_ref().map(|chain| public(chain, rt, at, arrow));
        let embedded = read.chain.as_ref().map(|chain| embedded(chain, rt, at));
        let (errors, hushed) = (&read.errors, self.hushed());
        let name = Ident::new("Chain", at);
        quote_spanned! {at=>
            {
                struct #name { #(#fields)* }
                #hushed
                impl #name {
                    /// Runs a request through the chain.
                    async fn #run(&self, context: &mut #rt::Context) -> #rt::Ending {
                        #locals
                        #statements
                        let _ #equals ();
                        loop {}
                    }
                    #public
                }
                #embedded
                #errors
                #name { #(#values)* }
            }
        }
    }

    /// For the lints that rust-analyzer has itself.
    fn hushed(&self) -> TokenStream {
        quote_spanned!(self.at=> #[allow(warnings, unused, nonstandard_style, clippy::all)])
    }
}

/// The generics of a chain's type, for the `impl` blocks.
#[derive(Default)]
struct Header {
    generics: TokenStream,
    arguments: TokenStream,
    clause: TokenStream,
}

impl Header {
    fn of(name: &Ident, structure: &[TokenTree], at: Span) -> Self {
        let header = structure[..structure.len() - 1].to_vec();
        let Ok(parsed) = syn::parse2::<syn::ItemStruct>({
            let header = stream(header);
            quote!(struct #header {})
        }) else {
            return Self::default();
        };
        debug_assert_eq!(parsed.ident, *name);
        let (generics, arguments, clause) = parsed.generics.split_for_impl();
        let moved = |tokens: TokenStream| names::shown_at(tokens, at);
        Self {
            generics: moved(generics.into_token_stream()),
            arguments: moved(arguments.into_token_stream()),
            clause: moved(clause.into_token_stream()),
        }
    }
}

fn stream(tokens: Tokens) -> TokenStream {
    tokens.into_iter().collect()
}

/// A name, shown at another place.
fn located(name: &Ident, at: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(name.span().located_at(at));
    name
}
