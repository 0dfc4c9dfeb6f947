//! The lifetimes for which the result of a hook borrows.

use syn::{FnArg, Generics, Ident, Signature, Type};

use crate::types;

/// The lifetimes for which the result of a hook borrows.
pub(super) struct Kept {
    pub(super) named: Vec<Ident>,
    pub(super) elided: bool,
    /// The lifetimes after a `&mut`: there, a lifetime is exactly that of the run, and cannot be shorter.
    pub(super) written_through: Vec<Ident>,
}

impl Kept {
    pub(super) fn keeps(&self, lifetime: Option<&syn::Lifetime>) -> bool {
        match lifetime {
            Some(lifetime) if lifetime.ident == "_" => self.elided,
            Some(lifetime) => self.named.contains(&lifetime.ident),
            None => self.elided,
        }
    }

    pub(super) fn is_written_through(&self, lifetime: Option<&syn::Lifetime>) -> bool {
        lifetime.is_some_and(|lifetime| self.written_through.contains(&lifetime.ident))
    }
}

pub(super) fn lifetimes_kept(signature: &Signature) -> Kept {
    use syn::visit::{self, Visit};
    #[derive(Default)]
    struct Collect {
        named: Vec<Ident>,
        elided: bool,
    }
    impl<'ast> Visit<'ast> for Collect {
        fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
            if lifetime.ident == "_" {
                self.elided = true;
            } else if lifetime.ident != "static" {
                self.named.push(lifetime.ident.clone());
            }
        }
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            self.elided |= reference.lifetime.is_none();
            visit::visit_type_reference(self, reference);
        }
        // A lifetime that is elided in these is bound by them.
        fn visit_type_bare_fn(&mut self, function: &'ast syn::TypeBareFn) {
            let elided = self.elided;
            visit::visit_type_bare_fn(self, function);
            self.elided = elided;
        }
        fn visit_parenthesized_generic_arguments(&mut self, arguments: &'ast syn::ParenthesizedGenericArguments) {
            let elided = self.elided;
            visit::visit_parenthesized_generic_arguments(self, arguments);
            self.elided = elided;
        }
    }
    let mut output = Collect::default();
    output.visit_return_type(&signature.output);
    // With `&self`, an elided lifetime of the output is that of `self`, which lives as long as the run.
    output.elided &= signature.receiver().is_none();
    let mut behind_mut = Collect::default();
    for argument in &signature.inputs {
        if let FnArg::Typed(argument) = argument
            && let Type::Reference(reference) = types::ungrouped(&argument.ty)
            && reference.mutability.is_some()
        {
            behind_mut.visit_type(&reference.elem);
        }
    }
    outlive(&signature.generics, &mut output.named);
    outlive(&signature.generics, &mut behind_mut.named);
    Kept { named: output.named, elided: output.elided, written_through: behind_mut.named }
}

/// Adds the lifetimes that last at least as long as one of these.
fn outlive(generics: &Generics, named: &mut Vec<Ident>) {
    let declared = generics.lifetimes().map(|parameter| (&parameter.lifetime, &parameter.bounds));
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clause = clause.filter_map(|predicate| match predicate {
        syn::WherePredicate::Lifetime(predicate) => Some((&predicate.lifetime, &predicate.bounds)),
        _ => None,
    });
    let bounds: Vec<_> = declared.chain(clause).collect();
    loop {
        let before = named.len();
        for (lifetime, bounds) in &bounds {
            let outlives = bounds.iter().any(|bound| named.contains(&bound.ident));
            if outlives && !named.contains(&lifetime.ident) {
                named.push(lifetime.ident.clone());
            }
        }
        if named.len() == before {
            return;
        }
    }
}

/// Whether one of these lifetimes is in a type.
pub(super) fn mentions(ty: &Type, generics: &Generics) -> bool {
    use syn::visit::Visit;
    struct Find<'a>(&'a Generics, bool);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
            self.1 |= self.0.lifetimes().any(|parameter| parameter.lifetime == *lifetime);
        }
    }
    let mut find = Find(generics, false);
    find.visit_type(ty);
    find.1
}
