//! What a file says for certain of a type: how visible it is, whether it may be a node, and what it never becomes.

use std::path::Path;

use proc_macro2::Ident;

use super::nowhere::may_be_included;
use super::scan::Group;
use super::{Around, Kind, OWN};
use crate::ast::Chain;
use crate::names;
use crate::types;

/// How visible the least visible one of these types is, if one of them is declared beside this function, and is not `pub`.
pub(crate) fn least_visible(function: &Ident, types: &[&Ident]) -> Option<String> {
    let Around { file, scope, .. } = Around::here(function)?;
    let declared = types.iter().filter_map(|ty| file.type_in(scope, &names::unraw(ty)));
    let all = declared.filter(|ty| !ty.is_alias && !ty.may_be_absent).map(|ty| file.visibility(ty));
    let rank = |vis: &&str| ["", "pub(crate)"].iter().position(|known| known == vis);
    all.filter(|vis| rank(vis).is_some()).min_by_key(rank).map(str::to_owned)
}

/// Whether the file does not show that the type of this field is a node: nothing in it makes the type one. The type is
/// declared there, or is one of Rust's own. (A node may be written by hand, and another file may make the type a node.)
pub(crate) fn may_be_no_node(chain: &Chain, ty: &syn::Type) -> bool {
    let Some(ty) = types::named(types::held(ty)) else { return false };
    let Some(around) = Around::of(&chain.name) else { return false };
    let name = names::unraw(ty);
    match around.declared(&name) {
        Some(Some(declared)) => declared.is_certain && !declared.is_alias && !around.file.has_a_node_anywhere(&name),
        Some(None) => false,
        None => OWN.contains(&name.as_str()),
    }
}

/// The type of this field, if it has a hook in an `impl` block without `#[node]`, and nothing can make it a node.
pub(crate) fn is_unmarked(chain: &Chain, ty: &syn::Type) -> Option<String> {
    const HOOKS: [&str; 4] = ["enter", "exit", "around", "cancelled"];
    let name = names::unraw(types::named(types::held(ty))?);
    let around = Around::of(&chain.name)?;
    let file = &around.file;
    around.declared(&name)?.filter(|ty| ty.is_certain && !ty.is_alias)?;
    let of_it = |group: &&Group| group.kind == Kind::Methods && group.of == name;
    let is_hook = |at: &usize| HOOKS.contains(&file.functions[*at].name.as_str());
    let has_a_hook = file.groups.iter().filter(of_it).flat_map(|group| &group.functions).any(is_hook);
    let has_macros = file.groups.iter().any(|group| group.kind == Kind::Module && group.has_a_macro);
    let is_certain = has_a_hook && !has_macros && !file.has_a_node_anywhere(&name) && file.is_whole();
    (is_certain && !file.has_impl_by_hand(&name) && around.shows_all()).then_some(name)
}

/// Whether a file is that of a crate's root.
fn is_root(path: &str) -> bool {
    let name = Path::new(path).file_stem().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    let of_crate = || std::env::var("CARGO_CRATE_NAME").is_ok_and(|of_crate| of_crate == name.replace('-', "_"));
    name == "main" || name == "lib" || of_crate()
}

impl Around {
    /// What a name stands for that is declared beside the chain as `type Name = ..;`.
    pub(crate) fn alias(&self, name: &str) -> Option<String> {
        let declared = self.file.type_in(self.scope, name).filter(|ty| ty.is_certain && ty.is_alias)?;
        self.file.stands_for(declared.at)
    }

    /// Whether a type beside the chain is declared as another name.
    pub(crate) fn has_aliases(&self) -> bool {
        self.file.groups[self.scope].types.iter().any(|at| self.file.types[*at].is_alias)
    }

    /// Whether nothing in the file declares or imports this name.
    pub(crate) fn is_unknown(&self, name: &str) -> bool {
        let is_name = name.chars().all(|sign| sign.is_alphanumeric() || sign == '_');
        is_name && self.is_declared(name).is_none() && !OWN.contains(&name)
    }

    /// The type of this field of an enum's variant, as it is written, if the enum is declared here.
    pub(crate) fn field_of_variant(&self, of: &str, variant: &str, field: &str) -> Option<String> {
        let declared = self.file.type_in(self.scope, of).filter(|ty| ty.is_certain && !ty.is_alias)?;
        let syn::Item::Enum(declared) = syn::parse_str(self.file.declaration(declared.at)?).ok()? else { return None };
        let is_it = |at: usize, name: &Option<Ident>| match name {
            Some(name) => names::unraw(name) == field,
            None => at.to_string() == field,
        };
        let variant = declared.variants.iter().find(|other| names::unraw(&other.ident) == variant)?;
        let certain =
            |attributes: &[syn::Attribute]| attributes.iter().all(|attribute| attribute.path().is_ident("doc"));
        let mut fields = variant.fields.iter().enumerate();
        let (_, found) = fields.find(|(at, field)| is_it(*at, &field.ident))?;
        let is_certain = declared.generics.params.is_empty()
            && certain(&variant.attrs)
            && variant.fields.iter().all(|field| certain(&field.attrs));
        is_certain.then(|| types::text(&found.ty))
    }

    /// Whether a value of this type certainly cannot become the reply `()`. The type is one of Rust's own, or all of the
    /// impls for it stand in this file.
    pub(crate) fn is_no_nothing(&self, name: &str) -> bool {
        match self.declared(name) {
            None => OWN.contains(&name),
            Some(Some(ty)) => {
                let file = &self.file;
                let is_private = file.type_in(self.scope, name).is_some() && file.visibility(ty).is_empty();
                let has_items = |group: &&Group| matches!(group.kind, Kind::Module | Kind::Methods);
                let has_macros = file.groups.iter().filter(has_items).any(|group| group.has_a_macro);
                let is_known = ty.is_certain && !ty.is_alias && !has_macros && file.is_whole();
                is_known
                    && (is_private || is_root(&self.path) || file.functions_in(0, "main").next().is_some())
                    && !file.may_reply_with_nothing()
                    && !may_be_included(Path::new(&self.path))
            }
            Some(None) => false,
        }
    }
}
