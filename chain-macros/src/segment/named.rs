//! Names in a segment that are no nodes, as the file shows.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::parse::Parser;

use super::paths::{located, stream};
use super::{Tokens, kept_alive, read};
use crate::check;
use crate::diagnostics::{Code, Diagnostics};
use crate::names::unraw;
use crate::nearby::{self, Called};
use crate::rewrite::{self, Rewrite};

/// Reports names that are no nodes. The segment then expands to this, and its chains have no errors of their own.
pub(crate) fn without_nodes(declaration: &[TokenTree], diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    let segment = read.parse2(stream(declaration.to_vec())).ok()?;
    let mut names = Names { fields: segment.fields.iter().map(|(name, _)| name).collect(), found: Vec::new() };
    rewrite::row(&rewrite::tokens(segment.body.stream()), &mut names);
    let before = diagnostics.count();
    for name in &names.found {
        let text = unraw(name);
        match nearby::called(name) {
            Called::Perhaps => {}
            Called::Plain => check::unmarked(name, None, diagnostics),
            Called::Nowhere(like) => {
                let ty = nearby::type_called(name);
                let help = match (like, ty) {
                    (_, Some(ty)) => format!(
                        "a node with state is a field of the chains that take the segment in: write `segment {}({text}: {ty})`",
                        segment.name
                    ),
                    (Some(like), None) => format!("write `{like}`"),
                    (None, None) => format!(
                        "write `#[node] fn {text}(..)`, or import it with `use`; a node with state is a field: `segment {}({text}: Type)`",
                        segment.name
                    ),
                };
                diagnostics.error(Code::E301, name, format_args!("there is no node called `{text}` here"), help);
            }
        }
    }
    (diagnostics.count() > before).then(|| kept_alive(&located(&segment.vis), &segment.name))
}

/// The nodes that a row names without a path.
struct Names<'a> {
    fields: Vec<&'a Ident>,
    found: Vec<Ident>,
}

impl Rewrite for Names<'_> {
    fn item(&mut self, _: &[TokenTree], _: bool) -> Option<Tokens> {
        None
    }

    fn path(&mut self, path: &[TokenTree], is_segment: bool) -> Tokens {
        if let ([TokenTree::Ident(name)], false) = (path, is_segment)
            && !self.fields.contains(&name)
            && !self.found.contains(name)
        {
            self.found.push(name.clone());
        }
        path.to_vec()
    }
}
