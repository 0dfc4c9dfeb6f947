//! The names in a file in order, so that a large file is not searched for each name in it.

use super::Declared;

#[derive(Default)]
pub(super) struct Names {
    /// Each name of a function once, and whether one of these functions is certain.
    functions: Vec<(String, bool)>,
    types: Vec<String>,
}

impl Names {
    pub(super) fn of(functions: &[Declared], types: &[Declared]) -> Self {
        let mut functions: Vec<_> =
            functions.iter().map(|function| (function.name.clone(), function.is_certain)).collect();
        functions.sort_by(|(one, _), (other, _)| one.cmp(other));
        functions.dedup_by(|(other, is_certain), (name, kept)| {
            *kept |= *is_certain && other == name;
            other == name
        });
        let mut types: Vec<_> = types.iter().map(|ty| ty.name.clone()).collect();
        types.sort();
        Self { functions, types }
    }

    /// Whether one of the functions of this name is certain, if there is any.
    pub(super) fn function(&self, name: &str) -> Option<bool> {
        let at = self.functions.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        Some(self.functions[at].1)
    }

    pub(super) fn has_type(&self, name: &str) -> bool {
        self.types.binary_search_by(|other| other.as_str().cmp(name)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::File;

    #[test]
    fn a_name_is_certain_if_one_of_its_functions_is() {
        let file = File::read("fn b() {} #[node] fn a() {} mod c { #[node] fn b() {} fn d() {} } struct E;".to_owned());
        let function = |name: &str| file.names.function(name);
        assert_eq!(
            [function("a"), function("b"), function("d"), function("c")],
            [Some(false), Some(true), Some(true), None]
        );
        assert!(file.names.has_type("E") && !file.names.has_type("a"));
    }
}
