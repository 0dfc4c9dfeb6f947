//! What is not visible where it has to be, where the file shows that.

use proc_macro2::Ident;

use super::scan::{Declared, File, Import, Kind};
use super::{Around, file_of, least_visible};
use crate::names;

/// Whether the function of this path, `module::function`, is private in a module beside the chain.
pub(crate) fn is_private(chain: &Ident, module: &Ident, function: &Ident) -> bool {
    let Some(Around { file, scope, .. }) = Around::of(chain) else { return false };
    file.is_private(scope, &names::unraw(module), &names::unraw(function))
}

/// Whether the function of this path, `module::function`, in a module beside the chain, has no attribute that could be `#[node]`.
pub(crate) fn is_unmarked_in(chain: &Ident, module: &Ident, function: &Ident) -> bool {
    let Some(Around { file, scope, .. }) = Around::of(chain) else { return false };
    file.is_unmarked_in(scope, &names::unraw(module), &names::unraw(function))
}

/// The module beside the chain from which it imports this function, if the function has no such attribute.
pub(crate) fn imported_unmarked(chain: &Ident, function: &Ident) -> Option<String> {
    let Around { file, scope, .. } = Around::of(chain)?;
    let function = names::unraw(function);
    let path = file.imported_as(scope, &function)?;
    let (module, of) = path.strip_prefix("self::").unwrap_or(&path).split_once("::")?;
    (of == function && file.is_unmarked_in(scope, module, &function)).then(|| module.to_owned())
}

/// Whether this function beside a segment is certainly private to their module, where the segment is visible further out.
pub(crate) fn is_private_beside(segment: &Ident, function: &Ident) -> bool {
    let Some(Around { file, scope, .. }) = Around::of(segment) else { return false };
    // A file may be the crate's own, where what is private is visible in the whole crate.
    scope != 0 && file.is_private_in(scope, &names::unraw(function))
}

/// Whether the type of this path, `module::Type`, is private in a module beside the chain.
pub(crate) fn is_private_type(chain: &Ident, ty: &syn::Type) -> bool {
    let syn::Type::Path(path) = crate::types::ungrouped(ty) else { return false };
    let parts: Vec<_> = path.path.segments.iter().map(|part| names::unraw(&part.ident)).collect();
    let ([module, name], None) = (parts.as_slice(), &path.qself) else { return false };
    let Some(Around { file, scope, .. }) = Around::of(chain) else { return false };
    let is_hidden = |inner: usize| {
        let declared = file.type_in(inner, name).filter(|ty| ty.is_certain && !ty.is_alias);
        declared.is_some_and(|ty| file.visibility(ty).is_empty()) && file.imports_of(inner, name).all(Import::is_of_all)
    };
    file.module_beside(scope, module).is_some_and(is_hidden)
}

/// Whether this segment beside another one has no `pub`, where the other one is visible further out.
pub(crate) fn is_segment_private(segment: &Ident, inner: &Ident) -> bool {
    let Some(Around { file, scope, .. }) = Around::of(segment) else { return false };
    let inner = names::unraw(inner);
    scope != 0 && file.declares_a_private_segment(scope, &inner)
}

/// Visible around the module.
const BESIDE: [&str; 2] = ["pub(crate)", "pub(super)"];

/// One of these types that is less visible than this one, if both are declared in the scope of the `impl` block in which this
/// name stands.
///
/// How visible the first one is, comes with it.
pub(crate) fn less_visible<'t>(own: &Ident, types: &[&'t Ident]) -> Option<(&'t Ident, String)> {
    if !file_of(own)?.1.has.hidden_types {
        return None;
    }
    let Around { file, scope, .. } = Around::here(own)?;
    let declared = file.type_in(scope, &names::unraw(own)).filter(|ty| ty.is_certain && !ty.is_alias)?;
    let (visibility, is_inner) = (file.visibility(declared), file.groups[scope].parent.is_some());
    let less = types.iter().copied().find(|ty| match least_visible(own, &[ty]) {
        // In a module in this file, a private type is visible nowhere else.
        Some(vis) => visibility == "pub" || (is_inner && vis.is_empty() && BESIDE.contains(&visibility)),
        None => false,
    });
    Some((less?, visibility.to_owned()))
}

impl File {
    /// The only module of this name in this scope.
    pub(super) fn module_beside(&self, scope: usize, module: &str) -> Option<usize> {
        let is_it = |group: &usize| {
            let group = &self.groups[*group];
            group.kind == Kind::Module && group.parent == Some(scope) && self.is_module_called(group, module)
        };
        let mut modules = (0..self.groups.len()).filter(is_it);
        modules.next().filter(|_| modules.next().is_none())
    }

    fn is_private(&self, scope: usize, module: &str, function: &str) -> bool {
        let Some(only) = self.module_beside(scope, module) else { return false };
        // A `#[cfg]` may take the module away, and something else may have its name then.
        let is_lone = !self.may_be_another_module(scope, module);
        is_lone && self.is_private_in(only, function)
    }

    fn is_unmarked_in(&self, scope: usize, module: &str, function: &str) -> bool {
        let Some(only) = self.module_beside(scope, module) else { return false };
        let mut functions = self.functions_in(only, function);
        let is_plain = match (functions.next(), functions.next()) {
            (Some(only), None) => only.is_certain && !only.may_be_absent,
            _ => false,
        };
        // A node that is written by hand may be a type of that name.
        let is_other = self.type_in(only, function).is_some() || self.groups[only].has_a_macro;
        is_plain && !is_other && !self.may_be_another_module(scope, module)
    }

    /// Whether the only function of this name in this scope has an attribute, and is private.
    fn is_private_in(&self, scope: usize, function: &str) -> bool {
        let mut functions = self.functions_in(scope, function);
        match (functions.next(), functions.next()) {
            (Some(only), None) => !only.is_certain && !only.may_be_absent && !self.is_visible(only),
            _ => false,
        }
    }

    /// Whether the function whose name is here has a `pub`.
    fn is_visible(&self, function: &Declared) -> bool {
        let mut before = self.before(function.at);
        while let Some(shorter) =
            ["fn", "async", "const", "unsafe"].iter().find_map(|word| before.strip_suffix(word)).map(str::trim_end)
        {
            before = shorter;
        }
        // A comment may stand between.
        !before.ends_with(['{', '}', ';', ']'])
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn a_function_without_the_attribute_is_no_node() {
        let is_unmarked = |text: &str| File::read(text.to_owned()).is_unmarked_in(0, "nodes", "answer");
        for text in
            ["mod nodes { pub fn answer() {} }", "mod nodes { /// It answers.\n #[inline] pub async fn answer() {} }"]
        {
            assert!(is_unmarked(text), "{text}");
        }
        for text in [
            "mod nodes { #[node] pub fn answer() {} }",
            "mod nodes { #[cfg(unix)] pub fn answer() {} }",
            "mod nodes { pub fn answer() {} pub struct answer; }",
            "mod nodes { pub fn answer() {} declare! {} }",
            "mod nodes { pub use a::answer; }",
            "#[cfg(unix)] mod nodes { pub fn answer() {} } #[cfg(windows)] mod nodes;",
        ] {
            assert!(!is_unmarked(text), "{text}");
        }
    }

    #[test]
    fn a_function_without_pub_is_private_in_its_module() {
        let is_private = |text: &str| File::read(text.to_owned()).is_private(0, "nodes", "answer");
        for text in [
            "mod nodes { #[node] fn answer() {} } chain! {}",
            "pub mod nodes { #[node(last)] async fn answer() {} pub fn other() {} }",
            "use all::*;\n\nmod nodes { #[node] fn answer() {} }",
            "use all::*;\npub(crate) mod nodes { #[node] fn answer() {} }",
            "mod nodes { #[node]\nconst unsafe fn answer() {} }",
        ] {
            assert!(is_private(text), "{text}");
        }
        for text in [
            "mod nodes { #[node] pub fn answer() {} }",
            "mod nodes { #[node] pub // all\n fn answer() {} }",
            "mod nodes { #[node] pub(super) async fn answer() {} }",
            "mod nodes { #[cfg(unix)] #[node] fn answer() {} }",
            "mod nodes { #[node] fn other() {} pub use a::answer; }",
            "mod nodes { mod inner { #[node] fn answer() {} } pub use a::answer; }",
            "#[cfg(unix)] mod nodes { #[node] fn answer() {} } #[cfg(windows)] mod nodes;",
            "#[cfg(unix)] mod nodes { #[node] fn answer() {} } #[cfg(windows)] use a::nodes;",
            "use all::*;\n#[cfg(unix)] mod nodes { #[node] fn answer() {} }",
            "use all::*;\n#[cfg(unix)]\nmod nodes { #[node] fn answer() {} }",
            "use all::{nodes, *};\n#[cfg(unix)]\nmod nodes { #[node] fn answer() {} }",
            "#[cfg(unix)] mod nodes { #[node] fn answer() {} } declare! { mod nodes; }",
            "mod outer { mod nodes { #[node] fn answer() {} } }",
        ] {
            assert!(!is_private(text), "{text}");
        }
    }
}
