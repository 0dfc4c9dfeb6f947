//! Functions and types that are declared where their name may also come from around: mostly those that stand in for the
//! tested ones, in a module of tests with `use super::*`.
//!
//! To rustc the one that is declared takes precedence. But a macro that `#[node]` declares does not: together with the one
//! from around, it is ambiguous. So such a macro gets a second name, which nothing else has, and the chain calls it by
//! that name. Both look at the same file to know it.

use proc_macro2::{Ident, Span};
use quote::format_ident;

use super::scan::{Declared, File, Group, Import, Kind};
use super::{Around, file_of};
use crate::names;
use crate::types;

/// What is declared.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Function,
    Hooks,
}

impl File {
    /// The only function or type of this name in this scope, if it is certainly there.
    fn only(&self, what: What, scope: usize, name: &str) -> Option<&Declared> {
        let group = &self.groups[scope];
        let (all, declared) = match what {
            What::Function => (&self.functions, &group.functions),
            What::Hooks => (&self.types, &group.types),
        };
        let mut all = declared.iter().map(|at| &all[*at]).filter(|declared| declared.name == name);
        all.next().filter(|only| all.next().is_none() && !only.may_be_absent && !only.is_alias)
    }

    /// Whether something else of this name may be in sight where this scope declares it.
    fn may_come_from_around(&self, scope: usize, name: &str) -> bool {
        let is_module = |group: &usize| self.groups[*group].kind == Kind::Module;
        let mut is_outer = false;
        for group in self.outer(scope) {
            let brings = self.imports_of(group, name).any(|import| is_outer || import.is_of_all());
            let declares = || {
                let mut functions = self.functions_in(group, name);
                functions.next().is_some() || self.type_in(group, name).is_some()
            };
            if brings || (is_outer && declares()) {
                return true;
            }
            if is_module(&group) {
                return false;
            }
            is_outer = true;
        }
        false
    }

    /// The scope that declares this name, as it is seen from here.
    fn owner(&self, what: What, scope: usize, name: &str) -> Option<usize> {
        for group in self.outer(scope) {
            if self.only(what, group, name).is_some() {
                return Some(group);
            }
            let is_declared = self.functions_in(group, name).next().is_some() || self.type_in(group, name).is_some();
            let is_module = |group: usize| self.groups[group].kind == Kind::Module;
            let mut brings = self.imports_of(group, name).peekable();
            let is_imported = brings.peek().is_some();
            // `use super::*` brings what the module around has.
            let goes_on = is_module(group)
                && is_imported
                && brings.all(Import::is_of_outer)
                && self.groups[group].parent.is_some_and(is_module);
            if is_declared || ((is_module(group) || is_imported) && !goes_on) {
                return None;
            }
        }
        None
    }

    /// Whether an `impl` block of this type in this scope has `#[node]` right before it.
    fn has_a_node(&self, scope: usize, name: &str) -> bool {
        let mut blocks = self.groups.iter().filter(|group| group.of == name && group.parent == Some(scope));
        blocks.any(|group| self.is_a_node(group)) || self.has_a_generic_node(scope, name)
    }

    /// The same for a type with parameters, of which it is the only block: its arguments are the block's own parameters.
    fn has_a_generic_node(&self, scope: usize, name: &str) -> bool {
        let is_it = |group: &&Group| group.kind == Kind::Methods && group.parent == Some(scope);
        self.groups.iter().filter(is_it).any(|group| {
            let before = self.before(group.opens);
            let Some(begins) = before.rfind("impl<").filter(|begins| before[*begins..].contains(name)) else {
                return false;
            };
            let block = syn::parse_str::<syn::ItemImpl>(&format!("{} {{}}", &before[begins..]));
            self.is_marked(begins)
                && block.is_ok_and(|block| {
                    let last = types::last_segment(&block.self_ty).filter(|last| names::unraw(&last.ident) == name);
                    last.is_some_and(|last| types::are_parameters(last, &block.generics))
                })
        })
    }

    /// The same for all scopes.
    pub(super) fn has_a_node_anywhere(&self, name: &str) -> bool {
        self.groups.iter().filter(|group| group.of == name).any(|group| self.is_a_node(group))
    }

    /// The second name of a macro that is declared in this scope.
    fn own(&self, what: What, file: &str, scope: usize, name: &str, at: Span) -> Option<Ident> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        self.only(what, scope, name)?;
        let is_own = self.may_come_from_around(scope, name) && (what == What::Function || self.has_a_node(scope, name));
        is_own.then(|| {
            let mut hasher = DefaultHasher::new();
            (file, self.groups[scope].opens).hash(&mut hasher);
            format_ident!("__chain_own_{name}_{:x}", hasher.finish(), span = at)
        })
    }
}

impl Around {
    /// The second name of what is called so here, or by its path in a module around this one, which is so many modules away.
    fn own(&self, what: What, name: &Ident, away: Option<usize>) -> Option<Ident> {
        let at = Span::call_site().located_at(name.span());
        let name = names::unraw(name);
        let is_module = |group: &usize| self.file.groups[*group].kind == Kind::Module;
        let scope = match away {
            None => self.file.owner(what, self.scope, &name)?,
            Some(away) => self.file.outer(self.scope).filter(is_module).nth(away)?,
        };
        self.file.own(what, &self.path, scope, &name, at)
    }

    /// The second name of this function's macro.
    pub(crate) fn own_function(&self, name: &Ident, away: Option<usize>) -> Option<Ident> {
        self.own(What::Function, name, away)
    }

    /// The second name of the macro of this type with hooks.
    pub(crate) fn own_hooks(&self, ty: &Ident, away: Option<usize>) -> Option<Ident> {
        self.own(What::Hooks, ty, away)
    }

    /// Whether the hooks of this type, which has the name of one around it, stand in another scope than the type.
    pub(crate) fn has_hooks_elsewhere(&self, ty: &Ident) -> bool {
        let name = names::unraw(ty);
        let owner = self.file.owner(What::Hooks, self.scope, &name);
        owner.is_some_and(|owner| self.file.may_come_from_around(owner, &name) && !self.file.has_a_node(owner, &name))
    }
}

/// Whether something in the file in which this name stands may have such a second name.
pub(crate) fn may_be_own(name: &Ident) -> bool {
    file_of(name).is_some_and(|(_, file)| file.may_stand_in)
}

/// The second name of the macro that `#[node]` makes for the function or the `impl` block of this name.
pub(crate) fn own(name: &Ident) -> Option<Ident> {
    let what = if names::begins_like_a_type(&names::unraw(name)) { What::Hooks } else { What::Function };
    if !may_be_own(name) {
        return None;
    }
    let Around { file, scope, path } = Around::here(name)?;
    file.own(what, &path, scope, &names::unraw(name), Span::call_site())
}

/// Tells apart the chains of one name in modules that import all of one another: empty for a chain whose module imports single
/// names.
pub(crate) fn place_among_namesakes(chain: &Ident) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let Some(Around { file, scope, path }) = Around::of(chain) else { return String::new() };
    let is_module = |group: &usize| file.groups[*group].kind == Kind::Module;
    let Some(module) = file.outer(scope).find(is_module) else { return String::new() };
    if !file.imports_of(module, &names::unraw(chain)).any(Import::is_of_all) {
        return String::new();
    }
    let mut hasher = DefaultHasher::new();
    (path, file.outer(module).filter(is_module).count()).hash(&mut hasher);
    format!("_{:x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::{File, What};

    fn is_own(what: What, name: &str, text: &str) -> bool {
        let file = File::read(text.to_owned());
        let scope = file.groups.iter().rposition(|group| group.kind == super::Kind::Chain).unwrap_or_default();
        let outer = file.groups[scope].parent.unwrap_or_default();
        let owner = file.owner(what, outer, name);
        owner.is_some_and(|owner| file.own(what, "", owner, name, proc_macro2::Span::call_site()).is_some())
    }

    #[test]
    fn a_function_that_stands_in_has_a_macro_of_its_own() {
        for text in [
            "mod tests { use super::*; #[node] fn a() {} chain! {} }",
            "mod tests { use super::*; chain! {} #[node] fn a() {} }",
            "mod tests { use super::*; #[node] fn a() {} fn it() { chain! {} } }",
            "use all::*; fn it() { #[node] fn a() {} chain! {} }",
            "mod tests { use super::*; #[node] fn a() {} mod deeper { use super::*; chain! {} } }",
            "#[node] fn a() {} fn it() { #[node] fn a() {} chain! {} }",
            "use all::a; fn it() { #[node] fn a() {} chain! {} }",
        ] {
            assert!(is_own(What::Function, "a", text), "{text}");
        }
        for text in [
            "#[node] fn a() {} chain! {}",
            "use all::*; chain! {}",
            "use all::*; #[cfg(unix)] #[node] fn a() {} chain! {}",
            "fn it() { #[node] fn a() {} chain! {} }",
            "use all::*; mod tests { #[node] fn a() {} chain! {} }",
            "mod tests { use super::*; #[node] fn a() {} mod deeper { chain! {} } }",
            "mod tests { use super::*; #[node] fn a() {} mod deeper { use super::*; use other::*; chain! {} } }",
            "use all::*; #[node] fn a() {} fn it() { use other::a; chain! {} }",
        ] {
            assert!(!is_own(What::Function, "a", text), "{text}");
        }
    }

    #[test]
    fn a_file_in_which_nothing_stands_in_is_not_looked_through() {
        let may = |text: &str| File::read(text.to_owned()).may_stand_in;
        assert!(!may(
            "struct Outer; #[node] fn a() {} chain! { struct All; fn(x: &str) -> u8 { a } } impl A { fn b() {} }"
        ));
        assert!(may("fn it() { #[node] fn a() {} chain! { struct All; fn(x: &str) -> u8 { a } } }"));
        assert!(may("mod tests { use super::*; }"));
    }

    #[test]
    fn a_type_that_stands_in_has_one_if_its_block_is_beside_it() {
        assert!(is_own(What::Hooks, "A", "use all::*; struct A; #[node] impl A {} chain! {}"));
        assert!(is_own(What::Hooks, "A", "use all::*; struct A; impl A {} #[node(rejects)] impl A {} chain! {}"));
        assert!(is_own(What::Hooks, "A", "use all::*; struct A<T>(T); #[node] impl<T: Row<u8>> A<T> {} chain! {}"));
        for text in [
            "use all::*; struct A<T>(T); #[node] impl A<u8> {} #[node] impl A<u16> {} chain! {}",
            "use all::*; struct A<T, S>(T, S); #[node] impl<T> A<T, u8> {} chain! {}",
            "use all::*; struct A<T>(T); impl<T> A<T> {} chain! {}",
            "use all::*; struct A; impl A {} chain! {}",
            "use all::*; type A = B; #[node] impl A {} chain! {}",
            "use all::*; struct A; mod b { #[node] impl super::A {} } chain! {}",
            "struct A; #[node] impl A {} chain! {}",
        ] {
            assert!(!is_own(What::Hooks, "A", text), "{text}");
        }
    }
}
