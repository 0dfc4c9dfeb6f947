//! Reads the commonest of what users write: paths, types and functions without anything special in them.
//!
//! syn asks at each word whether it is one of some fifty keywords, and asks again for each thing that may stand there.
//! Cargo builds macros without optimization, so this was a third of a macro's time. This module knows one way to read
//! some tokens, and says `None` if it is not theirs: then syn reads them. What it does read is what syn reads, to the
//! last token (`tests/simple.rs`).

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::token::{And, Bracket, Gt, Lt, Paren, PathSep};
use syn::{
    AngleBracketedGenericArguments, Attribute, Block, FnArg, GenericArgument, Generics, ItemFn, Lifetime, Pat,
    PatIdent, PatType, Path, PathArguments, PathSegment, ReturnType, Signature, Token, Type, TypePath, TypeReference,
    TypeSlice, TypeTuple, Visibility, token,
};

/// The tokens that are left.
struct Reader<'t>(&'t [TokenTree]);

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<&'t TokenTree> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn sign(&mut self, sign: char) -> Option<&'t proc_macro2::Punct> {
        match self.0.first()? {
            TokenTree::Punct(punct) if punct.as_char() == sign => {
                self.0 = &self.0[1..];
                Some(punct)
            }
            _ => None,
        }
    }

    /// A sign of two characters.
    fn signs(&mut self, first: char, second: char) -> Option<[proc_macro2::Span; 2]> {
        match self.0 {
            [TokenTree::Punct(one), TokenTree::Punct(two), rest @ ..]
                if one.as_char() == first && two.as_char() == second && one.spacing() == Spacing::Joint =>
            {
                self.0 = rest;
                Some([one.span(), two.span()])
            }
            _ => None,
        }
    }

    /// A word that is none of Rust's.
    fn name(&mut self) -> Option<Ident> {
        match self.0.first()? {
            TokenTree::Ident(name) if !is_keyword(&name.to_string()) => {
                self.0 = &self.0[1..];
                Some(name.clone())
            }
            _ => None,
        }
    }

    fn word(&mut self, word: &str) -> Option<&'t Ident> {
        match self.0.first()? {
            TokenTree::Ident(found) if found == word => {
                self.0 = &self.0[1..];
                Some(found)
            }
            _ => None,
        }
    }

    fn group(&mut self, delimiter: Delimiter) -> Option<&'t Group> {
        match self.next()? {
            TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
            _ => None,
        }
    }

    fn lifetime(&mut self) -> Option<Lifetime> {
        let apostrophe = self.sign('\'')?.span();
        match self.next()? {
            TokenTree::Ident(ident) => Some(Lifetime { apostrophe, ident: ident.clone() }),
            _ => None,
        }
    }

    /// `nodes::auth`, or with arguments `store::Map<u64, &'r Config>`.
    fn path(&mut self, with_arguments: bool) -> Option<Path> {
        let mut segments = Punctuated::new();
        loop {
            let mut segment = PathSegment::from(self.name()?);
            if with_arguments && let Some(open) = self.sign('<') {
                segment.arguments = PathArguments::AngleBracketed(self.arguments(Lt(open.span()))?);
            }
            segments.push_value(segment);
            match self.signs(':', ':') {
                Some(spans) => segments.push_punct(PathSep { spans }),
                None => return Some(Path { leading_colon: None, segments }),
            }
        }
    }

    /// The rest of `<u64, &'r Config>`.
    fn arguments(&mut self, lt_token: Lt) -> Option<AngleBracketedGenericArguments> {
        let mut args = Punctuated::new();
        loop {
            args.push_value(match self.0.first()? {
                TokenTree::Punct(sign) if sign.as_char() == '\'' => GenericArgument::Lifetime(self.lifetime()?),
                _ => GenericArgument::Type(self.ty()?),
            });
            if let Some(close) = self.sign('>') {
                let gt_token = Gt(close.span());
                return Some(AngleBracketedGenericArguments { colon2_token: None, lt_token, args, gt_token });
            }
            args.push_punct(Token![,](self.sign(',')?.span()));
        }
    }

    fn ty(&mut self) -> Option<Type> {
        if let [TokenTree::Group(group), rest @ ..] = self.0 {
            self.0 = rest;
            return grouped(group);
        }
        let Some(and) = self.sign('&') else {
            return Some(Type::Path(TypePath { qself: None, path: self.path(true)? }));
        };
        let lifetime = match self.0.first()? {
            TokenTree::Punct(sign) if sign.as_char() == '\'' => Some(self.lifetime()?),
            _ => None,
        };
        let mutability = self.word("mut").map(|word| Token![mut](word.span()));
        Some(Type::Reference(TypeReference {
            and_token: And(and.span()),
            lifetime,
            mutability,
            elem: Box::new(self.ty()?),
        }))
    }

    /// All that is left, with a comma behind each, which the last one may leave out.
    fn separated<T>(&mut self, one: fn(&mut Self) -> Option<T>) -> Option<Punctuated<T, Token![,]>> {
        let mut all = Punctuated::new();
        while !self.0.is_empty() {
            all.push_value(one(self)?);
            if !self.0.is_empty() {
                all.push_punct(Token![,](self.sign(',')?.span()));
            }
        }
        Some(all)
    }

    /// `user: &User`
    fn parameter(&mut self) -> Option<FnArg> {
        let mutability = self.word("mut").map(|word| Token![mut](word.span()));
        let ident = self.name()?;
        let colon_token = Token![:](self.sign(':')?.span());
        let pat = Pat::Ident(PatIdent { attrs: Vec::new(), by_ref: None, mutability, ident, subpat: None });
        Some(FnArg::Typed(PatType { attrs: Vec::new(), pat: Box::new(pat), colon_token, ty: Box::new(self.ty()?) }))
    }
}

/// `()`, `(Parts, Body)` or `[u8]`.
fn grouped(group: &Group) -> Option<Type> {
    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut reader = Reader(&inside);
    match group.delimiter() {
        Delimiter::Parenthesis => {
            let elems = reader.separated(Reader::ty)?;
            // One type alone is no tuple.
            let is_tuple = elems.len() != 1 || elems.trailing_punct();
            let paren_token = Paren { span: group.delim_span() };
            is_tuple.then_some(Type::Tuple(TypeTuple { paren_token, elems }))
        }
        Delimiter::Bracket => {
            let elem = Box::new(reader.ty()?);
            let bracket_token = Bracket { span: group.delim_span() };
            reader.0.is_empty().then_some(Type::Slice(TypeSlice { bracket_token, elem }))
        }
        _ => None,
    }
}

/// The nodes of a row that has nothing but nodes and arrows: `auth => nodes::log`.
pub(crate) fn row(tokens: &[TokenTree]) -> Option<Vec<TypePath>> {
    let (mut reader, mut nodes) = (Reader(tokens), Vec::new());
    loop {
        nodes.push(TypePath { qself: None, path: reader.path(false)? });
        if reader.0.is_empty() {
            return Some(nodes);
        }
        reader.signs('=', '>')?;
    }
}

/// Where the fields of a struct stand, or its `;`, if it has a name and no parameters.
pub(crate) fn of_struct(tokens: &[TokenTree]) -> Option<usize> {
    let mut reader = Reader(tokens);
    reader.word("struct")?;
    reader.name()?;
    let is_end = match reader.next()? {
        TokenTree::Group(fields) => fields.delimiter() == Delimiter::Brace,
        TokenTree::Punct(sign) => sign.as_char() == ';',
        _ => false,
    };
    is_end.then_some(2)
}

/// Where the inputs of a chain's `fn` stand, and its body: `async fn<'r>(request: &'r Request) -> Reply { auth }`.
pub(crate) fn of_fn(tokens: &[TokenTree]) -> Option<(usize, usize)> {
    let mut reader = Reader(tokens);
    reader.word("async");
    reader.word("fn")?;
    if reader.sign('<').is_some() {
        reader.lifetime()?;
        reader.sign('>')?;
    }
    let inputs = tokens.len() - reader.0.len();
    reader.group(Delimiter::Parenthesis)?;
    if reader.signs('-', '>').is_some() {
        reader.ty()?;
    }
    let body = tokens.len() - reader.0.len();
    reader.group(Delimiter::Brace)?;
    Some((inputs, body))
}

/// A function without parameters in `<..>`, and with no words before `fn` but `pub` and `async`. Its block is empty,
/// whatever stands in it.
pub(crate) fn function(tokens: &[TokenTree]) -> Option<ItemFn> {
    let mut reader = Reader(tokens);
    while reader.sign('#').is_some() {
        reader.group(Delimiter::Bracket)?;
    }
    let (attributes, tokens) = tokens.split_at(tokens.len() - reader.0.len());
    let attrs = match attributes {
        [] => Vec::new(),
        some => Attribute::parse_outer.parse2(some.iter().cloned().collect()).ok()?,
    };
    let vis = match reader.word("pub") {
        // `pub(crate)`
        Some(_) if matches!(reader.0.first(), Some(TokenTree::Group(_))) => {
            let restricted: TokenStream = tokens[..2].iter().cloned().collect();
            reader.next();
            syn::parse2(restricted).ok()?
        }
        Some(word) => Visibility::Public(Token![pub](word.span())),
        None => Visibility::Inherited,
    };
    let asyncness = reader.word("async").map(|word| Token![async](word.span()));
    let fn_token = Token![fn](reader.word("fn")?.span());
    let ident = reader.name()?;
    let parentheses = reader.group(Delimiter::Parenthesis)?;
    let inside: Vec<TokenTree> = parentheses.stream().into_iter().collect();
    let inputs = Reader(&inside).separated(Reader::parameter)?;
    let output = match reader.signs('-', '>') {
        Some(spans) => ReturnType::Type(Token![->](spans), Box::new(reader.ty()?)),
        None => ReturnType::Default,
    };
    let body = reader.group(Delimiter::Brace)?;
    if !reader.0.is_empty() {
        return None;
    }
    let sig = Signature {
        constness: None,
        asyncness,
        unsafety: None,
        abi: None,
        fn_token,
        ident,
        generics: Generics::default(),
        paren_token: Paren { span: parentheses.delim_span() },
        inputs,
        variadic: None,
        output,
    };
    let block = Block { brace_token: token::Brace { span: body.delim_span() }, stmts: Vec::new() };
    Some(ItemFn { attrs, vis, sig, block: Box::new(block) })
}

/// Whether a word is one of Rust's, or one that syn takes for one. These are patterns of bytes: rustc makes a tree of
/// them, where texts would be compared one after another.
fn is_keyword(word: &str) -> bool {
    matches!(
        word.as_bytes(),
        b"_" | b"abstract"
            | b"as"
            | b"async"
            | b"await"
            | b"become"
            | b"box"
            | b"break"
            | b"const"
            | b"continue"
            | b"crate"
            | b"do"
            | b"dyn"
            | b"else"
            | b"enum"
            | b"extern"
            | b"false"
            | b"final"
            | b"fn"
            | b"for"
            | b"if"
            | b"impl"
            | b"in"
            | b"let"
            | b"loop"
            | b"macro"
            | b"match"
            | b"mod"
            | b"move"
            | b"mut"
            | b"override"
            | b"priv"
            | b"pub"
            | b"ref"
            | b"return"
            | b"Self"
            | b"self"
            | b"static"
            | b"struct"
            | b"super"
            | b"trait"
            | b"true"
            | b"try"
            | b"type"
            | b"typeof"
            | b"unsafe"
            | b"unsized"
            | b"use"
            | b"virtual"
            | b"where"
            | b"while"
            | b"yield"
    )
}
