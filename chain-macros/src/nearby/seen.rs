//! What a file shows of a name at the first look, without looking for its scope: almost always that there is nothing to say.

use std::rc::Rc;

use proc_macro2::Ident;

use super::scan::{File, Has};
use super::{file_of, is_plain_function, nowhere};
use crate::names;

/// The file in which a name stands.
#[derive(Default)]
pub(crate) struct Seen(Option<Rc<File>>);

impl Seen {
    pub(crate) fn of(name: &Ident) -> Self {
        Self(file_of(name).map(|(_, file)| file))
    }

    pub(crate) fn has(&self) -> Has {
        self.0.as_ref().map(|file| file.has).unwrap_or_default()
    }

    /// Whether a type in one of these texts, which stand in a signature of this name, certainly does not exist.
    pub(crate) fn lacks_one<'t>(&self, name: &Ident, texts: impl IntoIterator<Item = &'t str>) -> bool {
        let Some(file) = &self.0 else { return false };
        let is_of_a_word = |sign: char| sign.is_alphanumeric() || sign == '_';
        // Most texts are such a name. A path may lead to what is in sight nowhere, and traits are not looked for.
        let is_judged = |text: &&str| {
            let is_known = text.is_empty() || file.knows(text);
            !is_known && !["::", "dyn ", "impl "].iter().any(|part| text.contains(part))
        };
        let texts = texts.into_iter().filter(is_judged);
        let words = texts.flat_map(|text| {
            let words = text.split(|sign| !is_of_a_word(sign));
            // `Output` in `Future<Output = T>` is no type of its own.
            let is_type = move |word: &&str| {
                let behind = word.as_ptr() as usize - text.as_ptr() as usize + word.len();
                let is_a_lifetime = text[..behind - word.len()].ends_with('\'');
                // `Count: u8` names a parameter of a `fn`.
                !is_a_lifetime && !text[behind..].trim_start().starts_with(['=', ':'])
            };
            words.filter(is_type)
        });
        // `_` stands for no type in a signature.
        let is_unknown = |word: &&str| {
            *word == "_" || (names::begins_like_a_type(word) && !file.knows(word) && !nowhere::PRELUDE.contains(word))
        };
        // `[u8; LEN]`
        let is_no_constant = |word: &&str| !file.declares_after("const ", word);
        words.filter(is_unknown).filter(is_no_constant).any(|word| word == "_" || nowhere::is_no_type(name, word))
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
    if let Some(is_certain) = file.function_called(&text) {
        if is_certain && is_plain_function(name, &text) {
            return Called::Plain;
        }
        // The functions may be methods, which are no names.
        if !file.has.marked_methods {
            return Called::Perhaps;
        }
    }
    // In the form of a type's it may be a node of any kind.
    if file.imports(&text) || names::begins_like_a_type(&text) {
        return Called::Perhaps;
    }
    nowhere::is_nowhere(name).map_or(Called::Perhaps, Called::Nowhere)
}
