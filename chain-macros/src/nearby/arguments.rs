//! Types whose arguments cannot be right: `Vec` without one, `User<u8>` for a `User` that has no parameters. rustc says so
//! at the type.

use syn::visit::{self, Visit};

use super::scan::File;
use super::{Around, OWN};

/// Whether this type of an `impl` block, with this name, has too few or too many arguments there.
pub(crate) fn is_misapplied(name: &syn::Ident, ty: &syn::Type) -> bool {
    Around::here(name).is_some_and(|around| around.is_misapplied_type(ty))
}

/// How many arguments of a kind there may be.
struct Range {
    least: usize,
    most: usize,
}

/// The parameters of a type.
struct Parameters {
    lifetimes: usize,
    others: Range,
}

impl Around {
    /// Whether a type in this text, which is declared in this file or is Rust's own, has too few or too many arguments there.
    pub(crate) fn is_misapplied(&self, text: &str) -> bool {
        syn::parse_str::<syn::Type>(text).is_ok_and(|ty| self.is_misapplied_type(&ty))
    }

    fn is_misapplied_type(&self, ty: &syn::Type) -> bool {
        struct Look<'a>(&'a Around, bool);
        impl<'ast> Visit<'ast> for Look<'_> {
            fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
                if let (None, None, Some(last), 1) =
                    (&path.qself, path.path.leading_colon, path.path.segments.last(), path.path.segments.len())
                {
                    self.1 |=
                        self.0.parameters_of(&last.ident).is_some_and(|declared| declared.refuse(&last.arguments));
                }
                visit::visit_type_path(self, path);
            }
        }
        let mut look = Look(self, false);
        look.visit_type(ty);
        look.1
    }

    fn parameters_of(&self, name: &syn::Ident) -> Option<Parameters> {
        let name = crate::names::unraw(name);
        let own = |least, most| Some(Parameters { lifetimes: 0, others: Range { least, most } });
        match self.declared(&name) {
            Some(declared) => {
                let declared = declared.filter(|ty| ty.is_certain && !ty.is_alias)?;
                self.file.parameters_of_a_type(declared.at)
            }
            None if !OWN.contains(&&*name) => None,
            None => match &*name {
                "Vec" | "Box" => own(1, 2),
                "Option" => own(1, 1),
                "Result" => own(2, 2),
                _ => own(0, 0),
            },
        }
    }
}

impl Parameters {
    fn refuse(&self, written: &syn::PathArguments) -> bool {
        let (mut lifetimes, mut others) = (0, 0);
        match written {
            syn::PathArguments::None => {}
            syn::PathArguments::AngleBracketed(written) => {
                for argument in &written.args {
                    match argument {
                        syn::GenericArgument::Lifetime(_) => lifetimes += 1,
                        syn::GenericArgument::Type(_) | syn::GenericArgument::Const(_) => others += 1,
                        _ => return false,
                    }
                }
            }
            syn::PathArguments::Parenthesized(_) => return false,
        }
        let fits = (self.others.least..=self.others.most).contains(&others);
        // Lifetimes may be left out, all together.
        !fits || (lifetimes != 0 && lifetimes != self.lifetimes)
    }
}

impl File {
    /// The parameters of the type whose name is here.
    fn parameters_of_a_type(&self, at: usize) -> Option<Parameters> {
        let mut found = Parameters { lifetimes: 0, others: Range { least: 0, most: 0 } };
        let declared = self.generics_behind(at)?;
        for parameter in &syn::parse_str::<syn::Generics>(declared).ok()?.params {
            let has_default = match parameter {
                syn::GenericParam::Lifetime(_) => {
                    found.lifetimes += 1;
                    continue;
                }
                syn::GenericParam::Type(ty) => ty.default.is_some(),
                syn::GenericParam::Const(parameter) => parameter.default.is_some(),
            };
            found.others.most += 1;
            found.others.least += usize::from(!has_default);
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::Around;
    use super::super::scan::File;

    #[test]
    fn a_type_that_is_declared_here_has_its_number_of_arguments() {
        let file = "struct User; struct Of<'a, T, const N: usize = 3>(&'a [T; N]); use a::Other; type Alias<T> = Vec<T>; enum Way<F: Fn(u8) -> u8> { A(F) }";
        let around = Around { file: Rc::new(File::read(file.to_owned())), scope: 0, path: String::new() };
        for wrong in [
            "Vec",
            "Option<Vec>",
            "User<u8>",
            "Result<User>",
            "String<u8>",
            "Of",
            "Of<'_>",
            "Of<u8, 1, 2>",
            "Of<'a, 'b, u8>",
            "Way",
            "(User, Way<u8, u8>)",
            "User<'_>",
        ] {
            assert!(around.is_misapplied(wrong), "{wrong}");
        }
        for right in [
            "Vec<u8>",
            "Option<Vec<User>>",
            "Of<'_, u8>",
            "Of<u8, 4>",
            "Other",
            "Other<u8>",
            "Alias",
            "a::User<u8>",
            "Way<u8>",
            "Result<User, String>",
            "[User; 3]",
            "",
        ] {
            assert!(!around.is_misapplied(right), "{right}");
        }
    }
}
