//! Hooks that would never run: a hook whose name is almost right, and a hook in another `impl` block.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, ImplItemFn};

use super::signature::Node;
use crate::diagnostics::{Code, Diagnostics};
use crate::names;

/// The hooks, and other names that people use for them.
const HOOKS: [(&str, &[&str]); 5] = [
    ("enter", &["entered", "entering", "entry", "before", "begin", "begins", "start", "started"]),
    (
        "exit",
        &["exits", "exited", "exiting", "leave", "leaves", "left", "leaving", "after", "finally", "finish", "finished"],
    ),
    ("cancelled", &["cancel", "canceling", "cancelling"]),
    ("around", &["arounds"]),
    ("again", &[]),
];

/// Whether a method of this name is a hook.
pub(super) fn is_hook(name: &Ident) -> bool {
    HOOKS.iter().any(|(hook, _)| name == hook)
}

/// Names that look almost like a hook's, but mean something else that a node may have.
const HELPERS: [&str; 7] =
    ["canceller", "canceler", "cancels", "cancellation", "cancelation", "cancellable", "cancelable"];

/// Refuses a method that is no hook but has almost the name of one: it was meant as a hook and would never run. Returns
/// whether it is such a method.
pub(super) fn refuse_almost_a_hook(method: &ImplItemFn, diagnostics: &mut Diagnostics) -> bool {
    let name = &method.sig.ident;
    let gives_nothing = matches!(method.sig.output, syn::ReturnType::Default);
    // A method called `left` may say how many are left. Such a method returns a number.
    let may_be_meant = |hook: &&str| gives_nothing || *hook != "exit" || !is_a_leave(&names::unraw(name));
    let meant = method.sig.receiver().and_then(|_| almost(&names::unraw(name))).filter(may_be_meant);
    if let Some(hook) = meant {
        diagnostics.error(
            Code::E306,
            name,
            format_args!("no chain calls `{name}`: the hook is called `{hook}`"),
            format_args!("rename it to `{hook}`, or move it into an `impl` block without `#[node]` if it is no hook"),
        );
    }
    meant.is_some()
}

fn is_a_leave(name: &str) -> bool {
    ["leave", "leaves", "leaving", "left"].contains(&name)
}

/// The hook that is meant by a name that is no hook's.
fn almost(name: &str) -> Option<&'static str> {
    let name = in_snake_case(name);
    let name = name.as_str();
    let prefixes = ["on_", "do_", "handle_", "run_", "async_", "before_", "after_", "pre_", "post_"];
    let bare = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let bare = ["_hook", "_async", "_now"].iter().find_map(|suffix| bare.strip_suffix(suffix)).unwrap_or(bare);
    // Written in one word, `on` is a prefix only if the rest is a hook's name: `once` is a word.
    let is_hook = |bare: &str| HOOKS.iter().any(|(hook, others)| *hook == bare || others.contains(&bare));
    let bare = bare.strip_prefix("on").filter(|bare| is_hook(bare)).unwrap_or(bare);
    if HELPERS.contains(&bare) {
        return None;
    }
    let meant = HOOKS.iter().find(|(hook, others)| {
        // A short name is easily almost another word: `exit` and `edit`, `enter` and `center`.
        let slips = match hook.len() {
            7.. => 2,
            5 | 6 if bare.starts_with(&hook[..1]) && bare.len() < hook.len() => 1,
            _ => 0,
        };
        let mut squeezed = bare.chars().collect::<Vec<_>>();
        squeezed.dedup();
        let is_doubled = squeezed.iter().collect::<String>() == **hook;
        // A name that is a word by itself may mean what it says.
        let is_a_word =
            ["entry", "begin", "begins", "start", "started", "finish", "finished"].contains(&bare) && bare == name;
        let is_other = others.contains(&bare) && !is_a_word;
        let is_swapped = hook.len() == bare.len() && sorted(hook) == sorted(bare);
        bare == *hook || is_other || is_swapped || is_doubled || distance(hook, bare) <= slips
    });
    meant.map(|(hook, _)| *hook)
}

/// The name in the form of a hook's name: `onExit` and `_exit` become `on_exit` and `exit`.
fn in_snake_case(name: &str) -> String {
    let (mut snake, mut was_lowercase) = (String::new(), false);
    for letter in name.trim_matches('_').chars() {
        if letter.is_uppercase() && was_lowercase {
            snake.push('_');
        }
        was_lowercase = letter.is_lowercase();
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn sorted(name: &str) -> Vec<char> {
    let mut letters: Vec<_> = name.chars().collect();
    letters.sort_unstable();
    letters
}

/// How many letters have to be added, removed or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (index, second) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *second);
            diagonal = row[index + 1];
            row[index + 1] = changed.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[other.len()]
}

impl Node {
    /// No other block of the type may have the hooks that this block does not have: no chain would find them there.
    ///
    /// Their names are taken here, so that rustc finds two definitions of one name (E0592). To ask whether the type has
    /// such a method, and to report it in words of our own, a trait with the same names would be needed as a fallback.
    /// Then any trait in scope with one of these names, such as the runtime's own, would make the question ambiguous.
    pub(super) fn refuse_hooks_elsewhere(&self) -> TokenStream {
        let here = [
            ("enter", self.enter.is_some()),
            ("exit", self.exit.is_some()),
            ("cancelled", self.cancelled.is_some()),
            ("around", self.around.is_some()),
        ];
        let (ty, span) = (&self.ty, self.span);
        let absent = here.iter().filter(|(_, is_here)| !is_here).map(|(hook, _)| {
            let hook = Ident::new(hook, span);
            quote_spanned!(span=> #[doc(hidden)] const #hook: () = ();)
        });
        let generics = self.generics(&[], &[]);
        let clause = self.where_clause(&[]);
        quote!(#[allow(dead_code)] impl #generics #ty #clause { #(#absent)* })
    }
}

#[cfg(test)]
mod tests {
    use super::almost;

    #[test]
    fn a_hook_that_is_almost_one_is_named() {
        for (name, hook) in [
            ("canceled", "cancelled"),
            ("on_cancelled", "cancelled"),
            ("on_cancel", "cancelled"),
            ("cancel", "cancelled"),
            ("on_exit", "exit"),
            ("exited", "exit"),
            ("eixt", "exit"),
            ("exit_async", "exit"),
            ("on_enter", "enter"),
            ("enetr", "enter"),
            ("entr", "enter"),
            ("arround", "around"),
            ("agian", "again"),
            ("leave", "exit"),
            ("on_leave", "exit"),
            ("left", "exit"),
            ("Exit", "exit"),
            ("_exit", "exit"),
            ("exit_", "exit"),
            ("onexit", "exit"),
            ("onExit", "exit"),
            ("before_exit", "exit"),
            ("after_exit", "exit"),
            ("post_exit", "exit"),
            ("onCancel", "cancelled"),
            ("EXIT", "exit"),
            ("before", "enter"),
            ("on_start", "enter"),
            ("after", "exit"),
            ("finally", "exit"),
        ] {
            assert_eq!(almost(name), Some(hook), "`{name}`");
        }
        for name in [
            "edit",
            "exists",
            "entry",
            "center",
            "key",
            "counter",
            "cached",
            "gain",
            "start",
            "allows",
            "ground",
            "once",
            "canceller",
            "cancellation",
            "cancels",
            "exit_code",
            "one",
            "only",
        ] {
            assert_eq!(almost(name), None, "{name}");
        }
    }
}
