//! What is certainly there: a type that the file declares, or imports by its name.

use syn::{Path, Type};

use super::Around;
use super::scan::{File, Group, Import, Kind};
use crate::names;
use crate::types;

impl Around {
    /// Whether there is certainly a type at this path. If an import of it is wrong, rustc says so at the import, and nowhere
    /// else.
    pub(crate) fn is_there(&self, path: &Path) -> bool {
        let names: Vec<_> = path.segments.iter().map(|segment| names::unraw(&segment.ident)).collect();
        match names.as_slice() {
            _ if path.leading_colon.is_some() => false,
            [name] => self.file.has_type(self.scope, name),
            [module, name] => self.file.has_type_of_module(self.scope, module, name),
            _ => false,
        }
    }

    /// The type in the pointers and the `Option` that hold a field's node, if these are std's.
    pub(crate) fn held<'t>(&self, ty: &'t Type) -> Option<&'t Type> {
        let mut ty = types::referent(ty);
        while let Some(within) = types::held_once(ty) {
            let Type::Path(holder) = types::ungrouped(ty) else { return None };
            if !self.file.is_of_std(self.scope, &holder.path) {
                return None;
            }
            ty = types::referent(within);
        }
        Some(ty)
    }
}

impl File {
    fn has_type(&self, scope: usize, name: &str) -> bool {
        if self.has_a_macro_called(name) {
            return false;
        }
        for group in self.outer(scope) {
            if let Some(declared) = self.type_in(group, name) {
                return declared.is_certain;
            }
            if self.imports_of(group, name).any(|import| !import.is_of_all()) {
                // A macro of the name may come by a glob, and the type by its name.
                return !self.imports_of(group, name).any(Import::is_of_all);
            }
            if self.has_a_chain(group, name) {
                return true;
            }
            if self.groups[group].kind == Kind::Module {
                return false;
            }
        }
        false
    }

    /// Whether a macro by example has this name: it may be the one that is called.
    fn has_a_macro_called(&self, name: &str) -> bool {
        self.imports.iter().any(|import| import.root().is_none() && import.may_bring(name))
    }

    /// Whether this group has a chain of this name, and nothing else in the file may be called like it: a macro beside a
    /// chain takes no precedence over another one.
    fn has_a_chain(&self, group: usize, name: &str) -> bool {
        let is_beside = |chain: &Group| chain.kind == Kind::Chain && chain.parent == Some(group);
        let declares = |chain: usize| self.type_in(chain, name).is_some_and(|declared| !declared.may_be_absent);
        let mut chains = (0..self.groups.len()).filter(|at| is_beside(&self.groups[*at]));
        let is_lone = self.types.iter().filter(|ty| ty.name == name).count() == 1;
        is_lone && !self.imports.iter().any(Import::is_of_all) && chains.any(declares)
    }

    /// The same for a type in a module in this scope.
    fn has_type_of_module(&self, scope: usize, module: &str, name: &str) -> bool {
        let Some(only) = self.module_beside(scope, module) else { return false };
        let declared = self.type_in(only, name);
        !self.may_be_another_module(scope, module)
            && !self.has_a_macro_called(name)
            && declared.is_some_and(|declared| declared.is_certain)
    }

    /// Whether this is one of std's types that hold another one.
    fn is_of_std(&self, scope: usize, path: &Path) -> bool {
        const CRATES: [&str; 3] = ["std", "core", "alloc"];
        let names: Vec<_> = path.segments.iter().map(|segment| names::unraw(&segment.ident)).collect();
        let [name] = names.as_slice() else { return names.first().is_some_and(|first| CRATES.contains(&&**first)) };
        let is_named = |import: &&Import| !import.is_of_all();
        let is_std = |import: &Import| import.root().is_some_and(|root| CRATES.contains(&root));
        for group in self.outer(scope) {
            let mut brings = self.imports_of(group, name).filter(is_named).peekable();
            if brings.peek().is_some() || self.type_in(group, name).is_some() {
                return self.type_in(group, name).is_none() && brings.all(is_std);
            }
            let goes_on = self.imports_of(group, name).any(Import::is_of_outer);
            if self.groups[group].kind == Kind::Module && !goes_on {
                break;
            }
        }
        // These two are in sight everywhere.
        matches!(name.as_str(), "Box" | "Option")
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{Around, File};

    fn around(text: &str) -> Around {
        Around { file: Rc::new(File::read(text.to_owned())), scope: 0, path: String::new() }
    }

    #[test]
    fn a_type_is_there_if_the_file_declares_or_imports_it_by_its_name() {
        let is_there = |text: &str, path: &str| around(text).is_there(&syn::parse_str(path).expect("a path"));
        for (text, path) in [
            ("struct Log;", "Log"),
            ("use a::Log;", "Log"),
            ("use a::{b, Other as Log};", "Log"),
            ("use a::*; enum Log {}", "Log"),
            ("mod m { pub struct Log; }", "m::Log"),
            ("chain! { #[node] struct Log; fn() {} }", "Log"),
        ] {
            assert!(is_there(text, path), "{text} {path}");
        }
        for (text, path) in [
            ("", "Log"),
            ("use a::*;", "Log"),
            ("#[cfg(unix)] struct Log;", "Log"),
            ("mod m { struct Log; }", "Log"),
            ("mod m;", "m::Log"),
            ("mod m { use a::Log; }", "m::Log"),
            ("struct Log;", "self::Log"),
            ("struct Log;", "::m::Log"),
            ("use a::Log; use b::*;", "Log"),
            ("macro_rules! Log { () => {} } struct Log;", "Log"),
            ("use a::*; chain! { #[node] struct Log; fn() {} }", "Log"),
            ("fn f() { chain! { #[node] struct Log; fn() {} } } chain! { #[node] struct Log; fn() {} }", "Log"),
        ] {
            assert!(!is_there(text, path), "{text} {path}");
        }
    }

    #[test]
    fn what_holds_a_node_is_of_std() {
        let held = |text: &str, ty: &str| {
            let ty = syn::parse_str(ty).expect("a type");
            around(text).held(&ty).map(crate::types::text)
        };
        for (text, ty) in [
            ("use std::sync::Arc;", "Arc<Log>"),
            ("use std::{io, sync::{Arc, Mutex}};", "&'static Arc<Log>"),
            ("", "Box<Log>"),
            ("", "Option<std::sync::Arc<Log>>"),
            ("use alloc::rc::Rc;", "Option<Rc<Log>>"),
        ] {
            assert_eq!(held(text, ty).as_deref(), Some("Log"), "{text} {ty}");
        }
        for (text, ty) in [
            ("use mine::Arc;", "Arc<Log>"),
            ("struct Arc<T>(T);", "Arc<Log>"),
            ("use mine::*;", "Arc<Log>"),
            ("struct Box<T>(T);", "Box<Log>"),
            ("", "mine::Arc<Log>"),
        ] {
            assert_eq!(held(text, ty), None, "{text} {ty}");
        }
    }
}
