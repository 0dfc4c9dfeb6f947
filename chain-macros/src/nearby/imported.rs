//! What imports lead to. A segment that a module imports for itself is taken in from where it stands, since nothing can be
//! handed on under a name that is private.

use proc_macro2::Ident;
use syn::{ItemUse, Path, UseTree};

use super::Around;
use super::scan::{File, Import, Kind};
use crate::names;

/// The path, beside the name of the segment that takes it in, of a segment with this name, if its module imports it.
pub(crate) fn where_imported(at: &Ident, name: &Ident) -> Option<Path> {
    let Around { file, scope, .. } = Around::of(at)?;
    let path = file.where_imported(scope, &names::unraw(name))?;
    let mut path = syn::parse_str::<Path>(&path).ok()?;
    path.segments.iter_mut().for_each(|part| part.ident.set_span(name.span()));
    Some(path)
}

impl Around {
    /// Whether the file imports variants of this name, or all of a type.
    pub(crate) fn may_import_variants(&self, name: &str) -> bool {
        self.file.imports.iter().any(|import| import.is_of_a_type() && import.may_bring(name))
    }
}

impl File {
    fn where_imported(&self, scope: usize, name: &str) -> Option<String> {
        let is_module = |group: &usize| self.groups[*group].kind == Kind::Module;
        if !is_module(&scope) || self.declares_segment(scope, name) {
            return None;
        }
        let mut imports = self.imports_of(scope, name);
        let import = imports.next().filter(|_| imports.next().is_none())?;
        if import.is_of_outer() {
            let outer = self.groups[scope].parent.filter(is_module)?;
            return self.declares_segment(outer, name).then(|| format!("super::{name}"));
        }
        let path = self.path_of(import, name)?;
        let first = path.split("::").next().unwrap_or_default();
        let is_local = ["crate", "self", "super", ""].contains(&first);
        // A name alone is that of a module here, or of another crate.
        let is_beside = is_local || self.declares_after("mod ", first);
        Some(if is_beside { path } else { format!("::{path}") })
    }

    /// The path by which this `use` names something, if nothing else can see the name.
    fn path_of(&self, import: &Import, name: &str) -> Option<String> {
        let before = self.before(import.ends);
        let begins = before.rfind("use ")?;
        if before[..begins].trim_end().ends_with(['b', ')']) {
            return None;
        }
        let item: ItemUse = syn::parse_str(&format!("{};", &before[begins..])).ok()?;
        let mut path = if item.leading_colon.is_some() { vec![String::new()] } else { Vec::new() };
        leads_to(&item.tree, name, &mut path).then(|| path.join("::"))
    }

    fn declares_segment(&self, scope: usize, name: &str) -> bool {
        let chains = self.groups.iter().filter(|group| group.kind == Kind::Chain && group.parent == Some(scope));
        let words = |text: &str| {
            text.split(|sign: char| !(sign.is_alphanumeric() || sign == '_')).map(str::to_owned).collect::<Vec<_>>()
        };
        chains
            .map(|group| words(self.within(group)))
            .any(|words| words.windows(2).any(|two| two[0] == "segment" && two[1] == name))
    }
}

/// Adds the rest of the path to this name.
fn leads_to(tree: &UseTree, name: &str, path: &mut Vec<String>) -> bool {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            leads_to(&part.tree, name, path) || {
                path.pop();
                false
            }
        }
        UseTree::Name(last) if names::unraw(&last.ident) == name => {
            path.push(last.ident.to_string());
            true
        }
        UseTree::Rename(last) if names::unraw(&last.rename) == name => {
            path.push(last.ident.to_string());
            true
        }
        UseTree::Group(group) => group.items.iter().any(|tree| leads_to(tree, name, path)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn an_import_of_a_module_leads_to_the_segment() {
        let path = |text: &str| {
            let file = File::read(text.to_owned());
            let scope = file.groups.iter().rposition(|group| group.kind == super::Kind::Module).unwrap_or_default();
            file.where_imported(scope, "front")
        };
        let outer = "chain! { pub segment front { auth } } ";
        for (text, found) in [
            ("mod s { use super::front; }", Some("super::front")),
            ("mod s { use super::{chain, a::{b, front}, User}; }", Some("super::a::front")),
            ("mod s { use crate::all::other as front; }", Some("crate::all::other")),
            ("mod s { use super::*; }", Some("super::front")),
            ("mod s { use nodes::front; }", Some("::nodes::front")),
            ("mod s { use inner::front; mod inner; }", Some("inner::front")),
            ("mod s { use super::*; chain! { segment front { auth } } }", None),
            ("mod s { pub use super::front; }", None),
            ("mod s { pub(crate) use super::front; }", None),
            ("mod s { use other::*; }", None),
            ("mod s { }", None),
        ] {
            assert_eq!(path(&format!("{outer}{text}")).as_deref(), found, "{text}");
        }
        assert_eq!(path("mod s { use super::*; }"), None);
    }
}
