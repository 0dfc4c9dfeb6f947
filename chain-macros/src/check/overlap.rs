//! Two types of a chain with parameters that could be one: `Buffer<N>` and `Buffer<4>`. rustc would find that two impls overlap.
//!
//! This is judged only where rustc certainly finds it: the texts are read beside the chain, and nothing is asked of the parameter that
//! could tell the two apart.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, GenericArgument, Ident, PathArguments, Type};

use crate::ast::{Block, Chain, Item, ItemKind};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::unraw;
use crate::nearby::Around;
use crate::types;

/// Something with a type.
struct Thing {
    what: String,
    ty: Type,
    at: TokenStream,
}

impl Thing {
    fn new(what: String, ty: &Type, at: &dyn ToTokens) -> Self {
        Self { what, ty: types::referent(ty).clone(), at: at.to_token_stream() }
    }
}

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let own: Vec<&Ident> = parameters(chain).collect();
    if own.is_empty() {
        return;
    }
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.is_lent(*index));
    let fields =
        fields.map(|(_, field)| Thing::new(format!("the field `{}`", unraw(&field.name)), &field.ty, &field.ty));
    let inputs = chain.run.inputs.iter();
    let inputs = inputs.map(|input| Thing::new(format!("the input `{}`", unraw(&input.name)), &input.ty, &input.ty));
    let mut there: Vec<_> = fields.chain(inputs).collect();
    let of_all = there.len();
    let around = Around::of(&chain.name);
    around.iter().for_each(|around| provided(&chain.run.body, around, &mut there));
    for (at, thing) in there.iter().enumerate() {
        let may_be = |other: &&Thing| {
            !types::same_text(&other.ty, &thing.ty)
                && Overlap { own: &own, bound: Vec::new() }.types(&other.ty, &thing.ty)
        };
        if let Some(other) = there[..at.min(of_all)].iter().find(may_be) {
            let (one, ty, of) = (types::text(&thing.ty), types::text(&other.ty), &other.what);
            diagnostics.error(
                Code::E112,
                &thing.at,
                format_args!("{} is a `{one}`, which may be the `{ty}` that {of} is", thing.what),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
    }
}

/// The parameters of the chain that may be anything.
fn parameters(chain: &Chain) -> impl Iterator<Item = &Ident> {
    let is_free = |own: &&Ident| {
        let asked = types::bounds_of(own, &chain.generics);
        asked.is_some_and(|asked| asked.into_iter().flatten().all(types::is_harmless))
    };
    let types = chain.generics.type_params().map(|parameter| &parameter.ident).filter(is_free);
    types.chain(chain.generics.const_params().map(|parameter| &parameter.ident))
}

/// What the functions beside the chain provide.
fn provided(row: &Block, around: &Around, there: &mut Vec<Thing>) {
    for (at, item) in row.items.iter().enumerate() {
        if let ItemKind::Node(node) = &item.kind
            && at + 1 < row.items.len()
            && is_sure(item)
            && around.has_node(node)
            && let Some(told) = node.told.as_ref().filter(|told| !told.provides.is_empty())
            && let Ok(ty) = syn::parse_str(&told.provides)
        {
            there.push(Thing::new(format!("what `{}` provides", unraw(node.name())), &ty, node.name()));
        }
        super::told::blocks(item).for_each(|block| provided(block, around, there));
    }
}

fn is_sure(item: &Item) -> bool {
    !item.modifiers.has_conditions && item.modifiers.open.is_none() && item.modifiers.cancel.is_none()
}

/// Whether two types may be one. Each of them has parameters of its own, under the same names.
struct Overlap<'a> {
    own: &'a [&'a Ident],
    /// What the parameters stand for so far: the first type's, then the second one's.
    bound: Vec<(bool, String, String)>,
}

impl Overlap<'_> {
    fn types(mut self, one: &Type, other: &Type) -> bool {
        self.same(one, other) && !self.bound.is_empty()
    }

    fn same(&mut self, one: &Type, other: &Type) -> bool {
        let (Type::Path(first), Type::Path(second)) = (types::ungrouped(one), types::ungrouped(other)) else {
            return types::same_text(one, other);
        };
        let (a, b) = (&first.path.segments, &second.path.segments);
        let is_named = first.qself.is_none() && second.qself.is_none() && a.len() == b.len();
        is_named
            && a.iter().zip(b).all(|(a, b)| {
                a.ident == b.ident
                    && match (&a.arguments, &b.arguments) {
                        (PathArguments::None, PathArguments::None) => true,
                        (PathArguments::AngleBracketed(a), PathArguments::AngleBracketed(b)) => {
                            a.args.len() == b.args.len()
                                && a.args.iter().zip(&b.args).all(|(a, b)| self.arguments(a, b))
                        }
                        _ => false,
                    }
            })
    }

    fn arguments(&mut self, one: &GenericArgument, other: &GenericArgument) -> bool {
        let [first, second] = [one, other].map(|argument| name(argument).filter(|name| self.own.contains(name)));
        match (first, second) {
            // Parameters of one name are two in rustc's eyes.
            (Some(first), Some(second)) => {
                if first != second {
                    self.bound.push((false, first.to_string(), second.to_string()));
                }
                true
            }
            (Some(own), None) => self.stands_for(false, own, other),
            (None, Some(own)) => self.stands_for(true, own, one),
            (None, None) => match (one, other) {
                (GenericArgument::Lifetime(_), GenericArgument::Lifetime(_)) => true,
                (GenericArgument::Type(one), GenericArgument::Type(other)) => self.same(one, other),
                _ => types::text(one) == types::text(other),
            },
        }
    }

    fn stands_for(&mut self, is_second: bool, own: &Ident, what: &GenericArgument) -> bool {
        let (own, text) = (own.to_string(), types::text(what));
        match self.bound.iter().find(|(second, name, _)| *second == is_second && *name == own) {
            Some((.., other)) => *other == text,
            None => {
                self.bound.push((is_second, own, text));
                true
            }
        }
    }
}

/// The name that an argument is.
fn name(argument: &GenericArgument) -> Option<&Ident> {
    match argument {
        GenericArgument::Type(ty) => types::named(ty),
        GenericArgument::Const(Expr::Path(path)) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Overlap;

    fn overlap(one: &str, other: &str) -> bool {
        let own: Vec<syn::Ident> = ["T", "N"].map(|name| syn::parse_str(name).expect("a name")).into();
        let [one, other] = [one, other].map(|text| syn::parse_str::<syn::Type>(text).expect("a type"));
        Overlap { own: &own.iter().collect::<Vec<_>>(), bound: Vec::new() }.types(&one, &other)
    }

    #[test]
    fn two_types_may_be_one() {
        for (one, other) in [
            ("Buffer<N>", "Buffer<4>"),
            ("Buffer<SIZE>", "Buffer<N>"),
            ("State<T>", "State<Vec<u8>>"),
            ("State<T>", "State<N>"),
            ("Pair<T, u8>", "Pair<u16, T>"),
            ("a::Map<u8, Vec<T>>", "a::Map<u8, Vec<String>>"),
        ] {
            assert!(overlap(one, other), "{one} {other}");
        }
    }

    #[test]
    fn or_not() {
        for (one, other) in [
            ("Buffer<4>", "Buffer<8>"),
            ("State<T>", "Other<u8>"),
            ("Pair<T, T>", "Pair<u8, u16>"),
            ("Pair<T, u8>", "Pair<u16, u32>"),
            ("a::State<T>", "b::State<u8>"),
            ("State<T>", "State"),
            ("<T as A>::Row", "Row"),
        ] {
            assert!(!overlap(one, other), "{one} {other}");
        }
    }
}
