//! A node as data, before any token of it is emitted.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Generics, Ident, Type};

use super::flow::{Flow, FlowKind};
use crate::names;

/// A node as data, before any token of it is emitted.
pub(super) struct Node {
    /// How the traits' impls name it: `auth<T>`, `AccessLog`.
    pub(super) ty: TokenStream,
    pub(super) name: String,
    /// Of that name, where errors about the node as a whole stand.
    pub(super) span: Span,
    pub(super) generics: Generics,
    /// The same where no run is known: without what is asked of a function's parameters for one of its lifetimes.
    pub(super) bare: Generics,
    /// A function is named in a chain by itself, and has no way out: it needs less.
    pub(super) is_function: bool,
    /// For a function: the struct of the same name.
    pub(super) declaration: Option<TokenStream>,
    pub(super) stateless: bool,
    pub(super) promises: Promises,
    /// The first call in a hook that begins a task which nobody waits for, and how it is written.
    pub(super) spawns: Option<(Ident, String)>,
    pub(super) enter: Option<Hook>,
    pub(super) exit: Option<Hook>,
    /// The type parameter of `exit` that stands for the reply, with its bounds.
    pub(super) exit_reply: Option<syn::TypeParam>,
    pub(super) cancelled: Option<Hook>,
    pub(super) around: Option<Around>,
    pub(super) flow: Flow,
    /// It stands beside errors.
    pub(super) is_stub: bool,
    /// `enter` is awaited, and gives what borrows for a lifetime of the node's own type.
    pub(super) gives_for_longer: bool,
    /// rustc refuses the function: from which of its parameters the result borrows, nothing says.
    pub(super) is_refused: bool,
}

/// What the options of `#[node(..)]` say of it, which each chain is held to.
#[derive(Clone, Copy, Default)]
pub(super) struct Promises {
    /// It gives the reply, and nothing may come after it.
    pub(super) last: bool,
    /// It turns requests away, so nothing is taken before it.
    pub(super) rejects: bool,
    /// What it provides is of no use but to a later node.
    pub(super) wanted: bool,
    /// It stands in no block that may run again.
    pub(super) once: bool,
}

impl Promises {
    /// The one of this name.
    pub(super) fn named(&mut self, option: &syn::Path) -> Option<&mut bool> {
        let Self { last, rejects, wanted, once } = self;
        let all = [("last", last), ("rejects", rejects), ("wanted", wanted), ("once", once)];
        all.into_iter().find(|(name, _)| option.is_ident(name)).map(|(_, promise)| promise)
    }
}

/// A hook: what is called, and with what.
pub(super) struct Hook {
    pub(super) call: TokenStream,
    pub(super) is_async: bool,
    /// Its future borrows nothing.
    pub(super) is_owned: bool,
    pub(super) parameters: Vec<Parameter>,
}

#[derive(Clone)]
pub(super) struct Parameter {
    pub(super) ty: Type,
    /// How many more references there are before the type: of `&&T`, which is lent by a reference to the `&T` that is found, it is one.
    pub(super) behind: usize,
    pub(super) access: Access,
    pub(super) role: Role,
    /// It is what the node itself provided, by its look, lifetimes aside: that borrows for the run, whatever a hook says.
    pub(super) is_own: bool,
    /// Of the parameter's type, for errors about it.
    pub(super) span: Span,
}

impl Parameter {
    /// `&`, once for each reference that is made to what is lent.
    pub(super) fn references(&self) -> TokenStream {
        std::iter::repeat_n(quote!(&), self.behind).collect()
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Access {
    Lent,
    LentMut,
    /// Lent for the whole run, because what the node provides borrows from it.
    Kept,
    Taken,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    Scope,
    Reply,
    /// In `cancelled`: what the node itself provided.
    Own,
}

/// Where a hook stands, for its errors.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Function,
    Enter,
    Exit,
    Cancelled,
    Around,
    Again,
}

impl Place {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Function => "a node",
            Self::Enter => "`enter`",
            Self::Exit => "`exit`",
            Self::Cancelled => "`cancelled`",
            Self::Around => "`around`",
            Self::Again => "`again`",
        }
    }
}

/// What `#[node]` knows of `around` and `again`.
pub(super) struct Around {
    /// Whether it is lent what `enter` gave.
    pub(super) takes_entered: bool,
    /// What its block has to give, where it says so: the reply.
    pub(super) output: Option<Type>,
    /// What it returns, with [`output`] for the block's output where that is any.
    pub(super) out: Type,
    pub(super) kind: FlowKind,
    pub(super) gives_up: Option<TokenStream>,
    pub(super) again: Option<Again>,
    /// It stands beside errors, and does nothing.
    pub(super) is_stub: bool,
}

pub(super) struct Again {
    /// It returns a future in an `Option`: a pause may come first.
    pub(super) pauses: bool,
    pub(super) reply: Type,
    /// Its own type parameter, which stands for the reply, and what it asks of it.
    pub(super) parameter: Option<Ident>,
    pub(super) bounds: Vec<TokenStream>,
}

impl Around {
    /// One that does nothing, beside errors that stand already.
    pub(super) fn kept_alive() -> Self {
        let output = block_output();
        Self {
            takes_entered: false,
            output: None,
            out: syn::parse_quote!(#output),
            kind: FlowKind::Plain,
            gives_up: None,
            again: None,
            is_stub: true,
        }
    }

    /// What it gives up with.
    pub(super) const fn gives_up(&self) -> Option<&TokenStream> {
        self.gives_up.as_ref()
    }

    pub(super) fn wraps(&self, rt: &TokenStream) -> TokenStream {
        match self.again {
            None => quote!(#rt::describe::Wraps::Once),
            Some(_) => quote!(#rt::describe::Wraps::Again),
        }
    }
}

/// Stands for the block's output.
pub(super) fn block_output() -> Ident {
    names::single("ChainOutput")
}
