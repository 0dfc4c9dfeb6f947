//! The signature of a function as data, and the tokens in which its own macro tells it.

use std::iter::Peekable;
use std::rc::Rc;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::types;

/// A function's signature, as its own macro tells it.
#[derive(Clone)]
pub(crate) struct Told {
    /// The function's name.
    pub(crate) name: String,
    pub(crate) is_async: bool,
    /// Its future borrows nothing.
    pub(crate) is_owned: bool,
    pub(crate) kind: Kind,
    /// The type that it provides, as written; empty if it provides nothing.
    pub(crate) provides: String,
    /// The type with which it breaks, as written; empty if it cannot break.
    pub(crate) breaks: String,
    /// How it wants each parameter, and the parameter's type as written. If a chain only looks for them (see
    /// [`Told::is_in_part`]), the text is empty for those for which it does not.
    pub(crate) parameters: Vec<(Access, String)>,
    /// For a node with hooks; all of the above is then about `enter`.
    pub(crate) hooks: Option<Hooks>,
}

/// What is told of a node with hooks, beside its `enter`.
#[derive(Clone)]
pub(crate) struct Hooks {
    /// All of it is told, so that the hooks can be called by what is told. Otherwise a chain only looks for what they need.
    pub(crate) is_whole: bool,
    /// It has an `enter`.
    pub(crate) enters: bool,
    pub(crate) exit: Option<Exit>,
    /// The types of the fields that `cancelled` asks for; empty texts for its other parameters.
    pub(crate) cancelled: Vec<String>,
    /// Stands for all that is told. The traits of the hooks have it, so that a signature that was told by the macro of
    /// another type fits none.
    pub(crate) shape: u64,
}

/// The signature of `exit`.
#[derive(Clone)]
pub(crate) struct Exit {
    pub(crate) is_async: bool,
    pub(crate) parameters: Vec<(Of, Access, String)>,
}

/// What a parameter of `exit` is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Of {
    /// Something in the scope.
    Scope,
    /// The chain's reply.
    Reply,
}

/// The way in which a function's result is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A value.
    Gives,
    /// `Result<T, E>`
    Fails,
    /// `ControlFlow<R, T>`
    Breaks,
}

/// The text of a type that a node keeps a borrow of, in what it gives.
pub(crate) fn to_keep(text: &str) -> String {
    format!("'{text}")
}

/// Whether this is such a text, and what the type is written like.
pub(crate) fn kept(text: &str) -> (bool, &str) {
    text.strip_prefix('\'').map_or((false, text), |text| (true, text))
}

/// Stands in a text for an argument of the node's type: the chain knows which type that is.
pub(crate) fn argument(at: usize) -> String {
    format!("{ARGUMENT}{at}_")
}

const ARGUMENT: &str = "ChainArgument";

/// How a function wants a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Access {
    Lent,
    LentMut,
    Taken,
}

impl Kind {
    const ALL: [(&'static str, Self); 3] = [("Gives", Self::Gives), ("Fails", Self::Fails), ("Breaks", Self::Breaks)];

    /// Its name in the runtime, and in the tokens that a macro appends.
    pub(crate) fn name(self) -> &'static str {
        named(&Self::ALL, self)
    }
}

impl Access {
    const ALL: [(&'static str, Self); 3] = [("lent", Self::Lent), ("lent_mut", Self::LentMut), ("taken", Self::Taken)];

    /// Its name in the tokens that a macro appends.
    pub(crate) fn name(self) -> &'static str {
        named(&Self::ALL, self)
    }
}

fn named<T: Copy + PartialEq>(all: &[(&'static str, T)], one: T) -> &'static str {
    all.iter().find(|(_, other)| *other == one).map_or("", |(name, _)| name)
}

fn by_name<T: Copy>(all: &[(&'static str, T)], name: &Ident) -> Option<T> {
    all.iter().find(|(other, _)| name == other).map(|(_, one)| *one)
}

/// What a node's macro answers.
pub(crate) enum Answer {
    /// The signature.
    Told(Told),
    /// There is an error about the node.
    Broken,
    /// The node is found through its traits.
    Untold(Untold),
}

/// What a node tells whose signature is not told.
#[derive(Clone, Default)]
pub(crate) struct Untold {
    /// Nothing comes after it.
    pub(crate) is_last: bool,
    /// It has type parameters, which a chain has to name.
    pub(crate) is_generic: bool,
    /// What it gives needs the bounds of its type parameters.
    pub(crate) is_bounded: bool,
    /// For hooks: bounds of its type parameters may leave other arguments to another block of hooks.
    pub(crate) is_limited: bool,
    /// What it gives is one of its type parameters or a type of one.
    pub(crate) open: Option<Open>,
    /// What it asks for, where a chain may look for it.
    pub(crate) sought: Option<Rc<Told>>,
}

/// The result of a node that is one of its type parameters or a type of one.
#[derive(Clone)]
pub(crate) struct Open {
    /// The place of the parameter among the function's, or among the arguments of the type with hooks.
    pub(crate) parameter: usize,
    /// The result as written.
    pub(crate) text: String,
    /// The path of the only trait that is asked of the parameter, or nothing.
    pub(crate) of: String,
}

impl Open {
    pub(crate) fn new(parameter: usize, text: &str, ty: &syn::Type, generics: &syn::Generics) -> Self {
        Self { parameter, text: text.to_owned(), of: types::trait_of(ty, generics).unwrap_or_default() }
    }
}

impl Untold {
    /// Whether anything is told of a node that is no function with type parameters.
    pub(crate) fn is_of_hooks(&self) -> bool {
        (self.open.is_some() || self.sought.is_some()) && !self.is_generic
    }

    /// The tokens that [`Answer::read`] reads.
    pub(crate) fn tokens(&self) -> TokenStream {
        let open = self.open.as_ref().map(|Open { parameter, text, of }| quote!(#parameter #text #of));
        let sought = self.sought.as_ref().map(|told| told.tokens());
        match self {
            Self { is_last: true, .. } => quote!([last #sought]),
            Self { is_bounded: true, .. } => quote!([bounded #open #sought]),
            Self { is_generic: true, .. } => quote!([generic #open #sought]),
            _ if self.is_of_hooks() && self.is_limited => quote!([limits #open #sought]),
            _ if self.is_of_hooks() => quote!([opens #open #sought]),
            Self { .. } => quote!([]),
        }
    }
}

impl Answer {
    pub(crate) fn read(told: TokenStream) -> Self {
        let mut tokens = told.into_iter();
        let Some(first) = word(&mut tokens) else { return Self::Untold(Untold::default()) };
        let (is_last, is_bounded) = (first == "last", first == "bounded");
        let is_generic = is_bounded || first == "generic";
        let is_limited = first == "limits";
        if is_last || is_generic || is_limited || first == "opens" {
            let mut tokens = tokens.peekable();
            let open = open(&mut tokens);
            let sought = tokens.next().and_then(|token| match token {
                TokenTree::Group(told) => match Self::read(told.stream()) {
                    Self::Told(told) => Some(Rc::new(told)),
                    _ => None,
                },
                _ => None,
            });
            return Self::Untold(Untold { is_last, is_generic, is_bounded, is_limited, open, sought });
        }
        if first == "broken" {
            return Self::Broken;
        }
        Told::read(&first, &mut tokens).map_or_else(|| Self::Untold(Untold::default()), Self::Told)
    }
}

fn open(tokens: &mut Peekable<impl Iterator<Item = TokenTree>>) -> Option<Open> {
    let TokenTree::Literal(parameter) = tokens.next_if(|token| matches!(token, TokenTree::Literal(_)))? else {
        return None;
    };
    let parameter = parameter.to_string().trim_end_matches("usize").parse().ok()?;
    Some(Open { parameter, text: text(tokens)?, of: text(tokens)? })
}

impl Told {
    /// The tokens that the macro appends.
    pub(crate) fn tokens(&self) -> TokenStream {
        let Self { name, is_async, is_owned, kind, provides, breaks, parameters, hooks } = self;
        let pace = match (is_async, is_owned) {
            (false, _) => "now",
            (true, false) => "later",
            (true, true) => "apart",
        };
        let pace = format_ident!("{pace}");
        let kind = format_ident!("{}", kind.name());
        // Tokens within tokens would take more time.
        let accesses = parameters.iter().map(|(access, _)| format_ident!("{}", access.name()));
        let types = parameters.iter().map(|(_, ty)| ty);
        let hooks = hooks.as_ref().map(Hooks::tokens);
        quote!([#pace #kind #name #provides #breaks #(#accesses #types)* #hooks])
    }

    /// The tokens for a node about which there is an error.
    pub(crate) fn broken() -> TokenStream {
        quote!([broken])
    }

    /// The same for a node with hooks, with a number for all of it.
    pub(crate) fn with_a_shape(mut self) -> Self {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.tokens().to_string().hash(&mut hasher);
        if let Some(hooks) = &mut self.hooks {
            hooks.shape = hasher.finish();
        }
        self
    }

    /// Whether a chain only looks for what the hooks need.
    pub(crate) fn is_in_part(&self) -> bool {
        self.hooks.as_ref().is_some_and(|hooks| !hooks.is_whole)
    }

    /// The same for a node whose type has these arguments.
    pub(crate) fn with_arguments(self: Rc<Self>, arguments: impl Fn() -> Vec<String>) -> Rc<Self> {
        let mut told = Self::clone(&self);
        let exits = told.hooks.iter_mut().flat_map(|hooks| &mut hooks.exit).flat_map(|exit| &mut exit.parameters);
        let texts = told.parameters.iter_mut().map(|(_, text)| text).chain(exits.map(|(.., text)| text));
        let texts = texts.chain([&mut told.provides]).filter(|text| text.contains(ARGUMENT));
        let texts: Vec<_> = texts.collect();
        if texts.is_empty() {
            return self;
        }
        let arguments = arguments();
        for text in texts {
            for (at, own) in arguments.iter().enumerate() {
                *text = text.replace(&argument(at), own);
            }
        }
        Rc::new(told)
    }

    /// The parameter that takes a value of the type that the function provides, if there is only one.
    pub(crate) fn gives_back(&self) -> Option<usize> {
        let is_it = |(_, (access, text)): &(usize, &(Access, String))| {
            *access == Access::Taken && *text == self.provides && !text.is_empty()
        };
        let mut all = self.parameters.iter().enumerate().filter(is_it);
        let (first, _) = all.next()?;
        all.next().is_none().then_some(first)
    }

    /// Reads what stands behind the first word.
    fn read(pace: &Ident, tokens: &mut impl Iterator<Item = TokenTree>) -> Option<Self> {
        let (is_async, is_owned) = (pace != "now", pace == "apart");
        let kind = by_name(&Kind::ALL, &word(tokens)?)?;
        let mut text = || text(tokens);
        let (name, provides, breaks) = (text()?, text()?, text()?);
        let (mut parameters, mut hooks) = (Vec::new(), None);
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(access) => {
                    parameters.push((by_name(&Access::ALL, &access)?, self::text(tokens)?));
                }
                TokenTree::Group(of) => hooks = Some(Hooks::read(of.stream())?),
                _ => return None,
            }
        }
        Some(Self { name, is_async, is_owned, kind, provides, breaks, parameters, hooks })
    }
}

impl Hooks {
    /// Whether `cancelled` asks for a field of the chain.
    pub(crate) fn asks_for_fields(&self) -> bool {
        self.cancelled.iter().any(|text| !text.is_empty())
    }

    fn tokens(&self) -> TokenStream {
        let Self { is_whole, enters, exit, cancelled, shape } = self;
        let enters = format_ident!("{}", if *enters { "enters" } else { "absent" });
        let partly = (!is_whole).then(|| quote!(partly [#(#cancelled)*]));
        let exit = exit.as_ref().map(|exit| {
            let pace = format_ident!("{}", if exit.is_async { "later" } else { "now" });
            let parameters = exit.parameters.iter().map(|(of, access, ty)| {
                let access = format_ident!("{}", access.name());
                let of = format_ident!("{}", if *of == Of::Reply { "reply" } else { "scope" });
                quote!(#of #access #ty)
            });
            quote!(#pace #(#parameters)*)
        });
        quote!((#enters #shape #partly #exit))
    }

    fn read(told: TokenStream) -> Option<Self> {
        let mut tokens = told.into_iter();
        let enters = word(&mut tokens)? == "enters";
        let TokenTree::Literal(shape) = tokens.next()? else { return None };
        let shape = shape.to_string().trim_end_matches("u64").parse().ok()?;
        let mut next = word(&mut tokens);
        let is_whole = next.as_ref().is_none_or(|word| word != "partly");
        let mut cancelled = Vec::new();
        if !is_whole {
            let TokenTree::Group(texts) = tokens.next()? else { return None };
            let mut texts = texts.stream().into_iter();
            cancelled.extend(std::iter::from_fn(|| text(&mut texts)));
            next = word(&mut tokens);
        }
        let Some(pace) = next else { return Some(Self { is_whole, enters, exit: None, cancelled, shape }) };
        let mut parameters = Vec::new();
        while let Some(of) = word(&mut tokens) {
            let of = if of == "reply" { Of::Reply } else { Of::Scope };
            let access = by_name(&Access::ALL, &word(&mut tokens)?)?;
            parameters.push((of, access, text(&mut tokens)?));
        }
        Some(Self { is_whole, enters, exit: Some(Exit { is_async: pace == "later", parameters }), cancelled, shape })
    }
}

fn word(tokens: &mut impl Iterator<Item = TokenTree>) -> Option<Ident> {
    match tokens.next()? {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    }
}

fn text(tokens: &mut impl Iterator<Item = TokenTree>) -> Option<String> {
    match tokens.next()? {
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let text = text.strip_prefix('"')?.strip_suffix('"')?;
            Some(if text.contains('\\') { text.replace("\\\"", "\"").replace("\\\\", "\\") } else { text.to_owned() })
        }
        _ => None,
    }
}
