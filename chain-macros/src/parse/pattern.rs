//! A pattern, in which bindings may have types: `Route::Api(api: Api)`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseBuffer, ParseStream};
use syn::{Attribute, ExprPath, Ident, LitInt, Pat, Token, Type, bracketed, parenthesized, token};

use crate::ast::Binding;
use crate::diagnostics::Code;

/// What was found in a pattern, apart from the pattern itself.
#[derive(Default)]
pub(crate) struct Typed {
    pub(crate) bindings: Vec<Binding>,
    /// Errors about types in it. The rest of the pattern is read all the same.
    pub(crate) errors: Vec<syn::Error>,
}

/// Reads a pattern with all its alternatives, and returns it for rustc, without the types of its bindings.
///
/// Groups, paths and bindings are read here, since they may contain a type. syn reads everything else.
pub(crate) fn read(input: ParseStream<'_>, typed: &mut Typed) -> syn::Result<TokenStream> {
    let mut out = TokenStream::new();
    input.parse::<Option<Token![|]>>()?.to_tokens(&mut out);
    loop {
        out.extend(one(input, typed)?);
        if !input.peek(Token![|]) || input.peek(Token![||]) {
            return Ok(out);
        }
        input.parse::<Token![|]>()?.to_tokens(&mut out);
    }
}

/// One alternative, and the type after it.
fn one(input: ParseStream<'_>, typed: &mut Typed) -> syn::Result<TokenStream> {
    let (pattern, name) = single(input, typed)?;
    if !input.peek(Token![:]) || input.peek(Token![::]) {
        return Ok(pattern);
    }
    input.parse::<Token![:]>()?;
    let Some(name) = name else {
        input.parse::<Type>()?;
        typed.errors.push(Code::E405.on(
            &pattern,
            "only a name can have a type here\n  help: write `name: Type` for what a node shall find, and patterns without types around it",
        ));
        return Ok(pattern);
    };
    let ends = input.is_empty()
        || input.peek(Token![,])
        || input.peek(Token![|])
        || input.peek(Token![=])
        || input.peek(Token![if]);
    let ty = if ends {
        let what = format!("`{name}` has no type behind its `:`\n  help: write `{name}: Type`");
        typed.errors.push(Code::E405.on(&name, what));
        // It has a type now, so nothing asks for one again.
        syn::parse_quote!(())
    } else {
        input.parse()?
    };
    // Each alternative of `A(x: T) | B(x: T)` binds it.
    if !typed.bindings.iter().any(|binding| binding.name == name) {
        typed.bindings.push(Binding { name, ty });
    }
    Ok(pattern)
}

/// A pattern without alternatives, and its name, if it is a plain name.
fn single(input: ParseStream<'_>, typed: &mut Typed) -> syn::Result<(TokenStream, Option<Ident>)> {
    let mut out = TokenStream::new();
    if input.peek(token::Paren) {
        let inner;
        let around = parenthesized!(inner in input);
        let inner = list(&inner, typed)?;
        around.surround(&mut out, |out| out.extend(inner));
        return Ok((out, None));
    }
    if input.peek(token::Bracket) {
        let inner;
        let around = bracketed!(inner in input);
        let inner = list(&inner, typed)?;
        around.surround(&mut out, |out| out.extend(inner));
        return Ok((out, None));
    }
    if input.peek(Token![&]) {
        input.parse::<Token![&]>()?.to_tokens(&mut out);
        input.parse::<Option<Token![mut]>>()?.to_tokens(&mut out);
        out.extend(single(input, typed)?.0);
        return Ok((out, None));
    }
    let ahead = input.fork();
    if let Ok(path) = ahead.parse::<ExprPath>() {
        if ahead.peek(token::Paren) {
            input.advance_to(&ahead);
            let (inner, _) = single(input, typed)?;
            return Ok((quote!(#path #inner), None));
        }
        if ahead.peek(token::Brace) {
            input.advance_to(&ahead);
            let inner;
            let around = syn::braced!(inner in input);
            let inner = fields(&inner, typed)?;
            path.to_tokens(&mut out);
            around.surround(&mut out, |out| out.extend(inner));
            return Ok((out, None));
        }
    }
    let is_path = input.peek(Ident) && (input.peek2(Token![::]) || input.peek2(Token![!]) || input.peek2(Token![..]));
    let is_name = (input.peek(Ident) && !is_path) || input.peek(Token![ref]) || input.peek(Token![mut]);
    if !is_name {
        return Ok((Pat::parse_single(input)?.to_token_stream(), None));
    }
    let by_ref = input.parse::<Option<Token![ref]>>()?;
    let is_mut = input.parse::<Option<Token![mut]>>()?;
    let name: Ident = input.parse()?;
    out.extend(quote!(#by_ref #is_mut #name));
    if input.peek(Token![@]) {
        input.parse::<Token![@]>()?.to_tokens(&mut out);
        out.extend(single(input, typed)?.0);
    }
    Ok((out, by_ref.is_none().then_some(name)))
}

/// The content of parentheses or brackets.
fn list(input: &ParseBuffer<'_>, typed: &mut Typed) -> syn::Result<TokenStream> {
    let mut out = TokenStream::new();
    while !input.is_empty() {
        match certain_type(input) {
            Some(ty) => {
                typed.errors.push(type_for_binding(&ty, None));
                out.extend(quote!(_));
            }
            None => out.extend(read(input, typed)?),
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?.to_tokens(&mut out);
        }
    }
    Ok(out)
}

/// The content of the braces of a struct's pattern. There the name before the first `:` is the field.
fn fields(input: &ParseBuffer<'_>, typed: &mut Typed) -> syn::Result<TokenStream> {
    let mut out = TokenStream::new();
    while !input.is_empty() {
        for attribute in input.call(Attribute::parse_outer)? {
            attribute.to_tokens(&mut out);
        }
        let is_member = input.peek(Ident::peek_any) || input.peek(LitInt);
        if is_member && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            let member = input.parse::<syn::Member>()?;
            let colon = input.parse::<Token![:]>()?;
            if let Some(ty) = certain_type(input) {
                typed.errors.push(type_for_binding(&ty, Some(&member)));
                out.extend(quote!(#member #colon _));
                input.parse::<Option<Token![,]>>()?.to_tokens(&mut out);
                continue;
            }
            let bound = typed.bindings.len();
            let pattern = read(input, typed)?;
            // For `name: name: Type` rustc is given `name`, so that it does not report a repeated name.
            let is_short = typed.bindings.len() > bound && pattern.to_string() == member.to_token_stream().to_string();
            let member = (!is_short).then(|| quote!(#member #colon));
            out.extend(quote!(#member #pattern));
        } else {
            out.extend(single(input, typed)?.0);
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?.to_tokens(&mut out);
        }
    }
    Ok(out)
}

/// Reads a type in the place of a binding, where it can be nothing else: it has arguments or a lifetime, or is one of
/// Rust's own, in small letters. Other names may be constants and variants, or bindings.
fn certain_type(input: ParseStream<'_>) -> Option<Type> {
    let ahead = input.fork();
    let ty = ahead.parse::<Type>().ok().filter(|_| ahead.is_empty() || ahead.peek(Token![,]))?;
    let is_certain = match &ty {
        Type::Path(path) => match path.path.get_ident() {
            Some(name) => PRIMITIVES.iter().any(|primitive| name == primitive),
            None => matches!(path.path.segments.last()?.arguments, syn::PathArguments::AngleBracketed(_)),
        },
        Type::Reference(reference) => reference.lifetime.is_some(),
        _ => false,
    };
    is_certain.then(|| input.advance_to(&ahead))?;
    Some(ty)
}

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16", "u32", "u64", "u8",
    "usize",
];

fn type_for_binding(ty: &Type, member: Option<&syn::Member>) -> syn::Error {
    let text = crate::types::text(ty);
    let write = match member {
        Some(syn::Member::Named(name)) => format!("{name}: {name}: {text}"),
        Some(syn::Member::Unnamed(index)) => format!("{}: name: {text}", index.index),
        None => format!("name: {text}"),
    };
    let what = format!("`{text}` is a type, and a pattern binds a name, which may have a type behind it");
    Code::E405.on(ty, format!("{what}\n  help: write `{write}`"))
}

/// The names that a pattern binds.
pub(crate) fn bound(pattern: &Pat) -> Vec<Ident> {
    use syn::visit::Visit;
    struct Bound(Vec<Ident>);
    impl<'ast> Visit<'ast> for Bound {
        fn visit_pat_ident(&mut self, found: &'ast syn::PatIdent) {
            self.0.push(found.ident.clone());
            syn::visit::visit_pat_ident(self, found);
        }
    }
    let mut bound = Bound(Vec::new());
    bound.visit_pat(pattern);
    bound.0
}

/// The field of a struct's pattern that this name stands for.
pub(crate) fn member_of(pattern: &Pat, name: &Ident) -> Option<String> {
    use syn::visit::Visit;
    struct Member<'a>(&'a Ident, Option<String>);
    impl<'ast> Visit<'ast> for Member<'_> {
        fn visit_field_pat(&mut self, field: &'ast syn::FieldPat) {
            if matches!(&*field.pat, Pat::Ident(found) if found.ident == *self.0) {
                self.1 = Some(field.member.to_token_stream().to_string());
            }
            syn::visit::visit_field_pat(self, field);
        }
    }
    let mut member = Member(name, None);
    member.visit_pat(pattern);
    member.1
}
