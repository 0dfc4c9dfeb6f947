//! Signatures that rustc refuses: of what is emitted for them, it would say the same again, or something else. A type that does
//! not exist, a lifetime that nothing declares, `_` in the place of a type, a type without the lifetimes that it has.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::visit::{self, Visit};
use syn::{Generics, ItemImpl, Signature, Type};

use super::signature::Node;
use super::{Options, block, read};
use crate::diagnostics::Diagnostics;
use crate::nearby;
use crate::types;

/// If a type in the item's signatures does not exist: what sees to it that there is an error. That is rustc's, about the type,
/// and then it looks no further at this constant.
pub(super) fn without_a_type(parsed: &syn::Result<syn::Item>, node: &Node, seen: &nearby::Seen) -> Option<TokenStream> {
    let named = match parsed {
        // These are no Rust in any case.
        Ok(syn::Item::Fn(function)) if node.is_untold() && is_refused_function(&function.sig) => {
            return Some(TokenStream::new());
        }
        Ok(syn::Item::Impl(block)) if is_refused(block) => {
            nearby::note_block(&block::name(block)?);
            return Some(TokenStream::new());
        }
        Ok(syn::Item::Fn(function)) if node.names_no_type(seen) => called(&function.sig, &TokenStream::new()),
        Ok(syn::Item::Impl(block)) if block::names_no_type(block) => match block.generics.params.is_empty() {
            true => {
                let ty = &block.self_ty;
                let hooks = block::hooks(block).map(|hook| called(hook, &quote!(<#ty>::)));
                quote!(let _: fn(#ty); #(#hooks)*)
            }
            false => {
                let types = block::written(block);
                // A lifetime may be left out in a parameter, and `!` may not be one.
                let types = types.iter().filter(|ty| !matches!(ty, syn::Type::Never(_)));
                quote!(#(let _: fn(#types);)*)
            }
        },
        Ok(syn::Item::Impl(block)) => {
            nearby::note_bounds(block);
            return None;
        }
        _ => return None,
    };
    let has_a_placeholder = match parsed {
        Ok(syn::Item::Fn(function)) => has_a_placeholder(&function.sig),
        Ok(syn::Item::Impl(block)) => block::hooks(block).any(has_a_placeholder),
        _ => false,
    };
    if has_a_placeholder {
        return Some(TokenStream::new());
    }
    Some(quote! {
        const _: () = {
            #named
            ::core::panic!("`#[node]` found no declaration of a type in this signature: name the type by a path, `self::Name`")
        };
    })
}

/// The node as it is read without what it returns, which rustc refuses.
pub(super) fn node(parsed: &mut syn::Result<syn::Item>, tokens: &[TokenTree], options: &Options) -> Option<Node> {
    let hooks = match parsed {
        Ok(syn::Item::Fn(function)) => vec![&mut function.sig],
        Ok(syn::Item::Impl(block)) => block::hooks_mut(block).collect(),
        _ => Vec::new(),
    };
    for hook in hooks.into_iter().filter(|hook| has_a_placeholder(hook)) {
        hook.output = syn::ReturnType::Default;
    }
    let mut said = Diagnostics::new();
    let node = read(parsed, tokens, options, &mut said);
    said.verdict();
    Some(Node { is_refused: true, ..node? })
}

/// A local that is a function, by its name behind this path. With a type in its signature that does not exist, rustc looks no
/// further at what the local is a part of. It says nothing about the type here, which may need other words here.
fn called(signature: &syn::Signature, path: &TokenStream) -> TokenStream {
    let (name, parameters) = (&signature.ident, signature.inputs.iter().map(|_| quote!(_)));
    quote!(let _: fn(#(#parameters),*) -> _ = #path #name;)
}

/// Whether a signature names a lifetime that neither it nor the block around it declares.
fn has_an_undeclared_lifetime(signature: &Signature, around: Option<&Generics>) -> bool {
    let mut find = Find { declared: Vec::new(), is_found: false };
    around.into_iter().for_each(|generics| find.declare(generics));
    find.visit_signature(signature);
    find.is_found
}

/// Whether `_` stands for a type in a signature.
fn has_a_placeholder(signature: &Signature) -> bool {
    struct Find(bool);
    impl<'ast> Visit<'ast> for Find {
        fn visit_type_infer(&mut self, _: &'ast syn::TypeInfer) {
            self.0 = true;
        }
        fn visit_expr(&mut self, _: &'ast syn::Expr) {}
    }
    let mut find = Find(false);
    find.visit_signature(signature);
    find.0
}

/// Whether rustc refuses a block of hooks for one of these.
fn is_refused(block: &ItemImpl) -> bool {
    let last = match types::ungrouped(&block.self_ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    };
    last.is_some_and(|last| last.arguments.is_none() && nearby::lifetimes_of(&last.ident) > 0)
        || last.is_some_and(|last| nearby::is_misapplied(&last.ident, &block.self_ty))
        || block::hooks(block).any(|hook| has_an_undeclared_lifetime(hook, Some(&block.generics)))
        || last.is_some_and(|last| lacks_a_type(&last.ident, &block.generics, block::hooks(block)))
}

/// Whether rustc refuses a function for one of these.
fn is_refused_function(signature: &Signature) -> bool {
    has_an_undeclared_lifetime(signature, None)
        || lacks_a_type(&signature.ident, &signature.generics, std::iter::once(signature))
}

/// Whether one of these signatures names a type of a parameter that the parameter does not have.
fn lacks_a_type<'s>(name: &Ident, generics: &Generics, signatures: impl Iterator<Item = &'s Signature>) -> bool {
    struct Find<'f>(&'f Ident, &'f Generics, bool);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_type(&mut self, ty: &'ast Type) {
            let Self(name, generics, is_found) = self;
            let is_of = |own: &Ident| generics.type_params().any(|parameter| parameter.ident == *own);
            let is_of_a_parameter = matches!(ty, Type::Path(path) if path.path.segments.len() == 2)
                && types::parameter(ty).is_some_and(is_of);
            *is_found |= is_of_a_parameter && nearby::lacks_a_type_of(name, generics, ty);
            visit::visit_type(self, ty);
        }
    }
    let mut find = Find(name, generics, false);
    if generics.type_params().next().is_some() {
        signatures.for_each(|signature| find.visit_signature(signature));
    }
    find.2
}

struct Find {
    declared: Vec<Ident>,
    is_found: bool,
}

impl Find {
    fn declare(&mut self, generics: &Generics) {
        self.declared.extend(generics.lifetimes().map(|own| own.lifetime.ident.clone()));
    }

    /// Looks at something that declares lifetimes by `for<..>`.
    fn within(&mut self, bound: Option<&syn::BoundLifetimes>, look: impl FnOnce(&mut Self)) {
        let before = self.declared.len();
        let declared = bound.into_iter().flat_map(|bound| &bound.lifetimes);
        self.declared.extend(declared.filter_map(|own| match own {
            syn::GenericParam::Lifetime(own) => Some(own.lifetime.ident.clone()),
            _ => None,
        }));
        look(self);
        self.declared.truncate(before);
    }
}

impl<'ast> Visit<'ast> for Find {
    fn visit_signature(&mut self, signature: &'ast Signature) {
        self.declare(&signature.generics);
        visit::visit_signature(self, signature);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
        let name = &lifetime.ident;
        self.is_found |= name != "static" && name != "_" && !self.declared.contains(name);
    }

    fn visit_type_bare_fn(&mut self, function: &'ast syn::TypeBareFn) {
        self.within(function.lifetimes.as_ref(), |find| visit::visit_type_bare_fn(find, function));
    }

    fn visit_trait_bound(&mut self, bound: &'ast syn::TraitBound) {
        self.within(bound.lifetimes.as_ref(), |find| visit::visit_trait_bound(find, bound));
    }

    fn visit_predicate_type(&mut self, predicate: &'ast syn::PredicateType) {
        self.within(predicate.lifetimes.as_ref(), |find| visit::visit_predicate_type(find, predicate));
    }

    // A constant may have lifetimes and labels of its own.
    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

#[cfg(test)]
mod tests {
    use super::{has_a_placeholder, has_an_undeclared_lifetime};

    #[test]
    fn a_lifetime_is_declared_by_the_function_the_block_or_a_for() {
        let generics: syn::Generics = syn::parse_quote!(<'run, T>);
        let is_undeclared = |signature: &str| {
            has_an_undeclared_lifetime(&syn::parse_str(signature).expect("a signature"), Some(&generics))
        };
        for wrong in ["fn a(r: &'r u8)", "fn a<'b>(r: Token<'r>) -> &'b u8", "fn a(f: for<'r> fn(&'r u8), g: &'r u8)"] {
            assert!(is_undeclared(wrong), "{wrong}");
        }
        for right in [
            "fn a<'r>(r: &'r u8) -> Token<'r>",
            "fn a(r: &'run u8, s: &'static str, t: Token<'_>)",
            "fn a(f: for<'r> fn(&'r u8) -> &'r u8, g: &dyn for<'s> Fn(&'s u8))",
            "fn a<F>(f: F) where for<'r> F: Fn(&'r u8), F: for<'s> Fn(&'s u8)",
        ] {
            assert!(!is_undeclared(right), "{right}");
        }
    }

    #[test]
    fn a_placeholder_stands_for_a_type() {
        let has_one = |signature: &str| has_a_placeholder(&syn::parse_str(signature).expect("a signature"));
        assert!(has_one("fn a(r: &_)") && has_one("fn a() -> Result<_, No>"));
        assert!(!has_one("fn a(_: Token<'_>) -> [u8; { let _ = 1; 2 }]"));
    }
}
