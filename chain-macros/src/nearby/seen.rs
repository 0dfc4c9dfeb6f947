//! What a file shows of a name at the first look, without looking for its scope: almost always that there is nothing to say.

use std::rc::Rc;

use proc_macro2::Ident;

use super::scan::{File, Has};
use super::{file_of, is_plain_function, nowhere};
use crate::names;

/// The file in which a name stands.
pub(crate) struct Seen(Option<Rc<File>>);

impl Seen {
    pub(crate) fn of(name: &Ident) -> Self {
        Self(file_of(name).map(|(_, file)| file))
    }

    pub(crate) fn has(&self) -> Has {
        self.0.as_ref().map(|file| file.has).unwrap_or_default()
    }

    /// Whether a type in one of these texts, which stand in a signature of this function, certainly does not exist.
    pub(crate) fn lacks_one<'t>(&self, function: &Ident, texts: impl IntoIterator<Item = &'t str>) -> bool {
        let Some(file) = &self.0 else { return false };
        let words = |text: &'t str| text.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
        // Most texts are such a name. A path may lead to what is in sight nowhere.
        let texts = texts.into_iter().filter(|text| !text.is_empty() && !file.may_know(text) && !text.contains("::"));
        let mut unknown = texts
            .flat_map(words)
            .filter(|word| names::begins_like_a_type(word) && !file.may_know(word) && !nowhere::PRELUDE.contains(word));
        unknown.any(|word| nowhere::is_no_type(function, word))
    }
}

/// What the file shows of a name in a chain that is no field.
pub(crate) enum Called {
    /// Nothing, as nearly always.
    Perhaps,
    /// It is a function without `#[node]`.
    Plain,
    /// Nothing declares or imports it. There may be a name that is almost the same.
    Nowhere(Option<String>),
}

/// Looks a name up. Almost each one is that of a function with an attribute or is imported, and its scope need not be looked
/// for.
pub(crate) fn called(name: &Ident) -> Called {
    let Some((_, file)) = file_of(name) else { return Called::Perhaps };
    let text = names::unraw(name);
    let mut of_it = file.functions.iter().filter(|function| function.name == text).peekable();
    if of_it.peek().is_some() {
        return if of_it.any(|function| function.is_certain) && is_plain_function(name, &text) {
            Called::Plain
        } else {
            Called::Perhaps
        };
    }
    if file.imports.iter().any(|import| import.may_bring(&text)) {
        return Called::Perhaps;
    }
    nowhere::is_nowhere(name).map_or(Called::Perhaps, Called::Nowhere)
}
