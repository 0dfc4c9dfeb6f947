//! What stands behind the name of a declaration.

use super::{Declared, File, Group, spaces, word};

impl File {
    /// The parameters of the function whose name is here, if its body comes right after them.
    pub(in crate::nearby) fn parameters_without_a_result(&self, at: usize) -> Option<String> {
        let name = word(&self.text, at).len();
        let opens = at + name + spaces(&self.text.as_bytes()[at + name..]);
        let parameters = self.groups.iter().find(|group| group.opens == opens)?;
        let behind = self.text.get(parameters.closes + 1..)?.trim_start();
        behind.starts_with('{').then(|| self.text[opens..parameters.closes].to_owned())
    }

    /// What the alias whose name is here stands for.
    pub(in crate::nearby) fn stands_for(&self, at: usize) -> Option<String> {
        let behind = &self.text[at + word(&self.text, at).len()..];
        let (declared, _) = behind.split_once(';')?;
        let (_, ty) = declared.split_once('=')?;
        Some(ty.trim().to_owned())
    }

    /// Whether `#[node]` stands right before this `impl` block of a type without parameters.
    pub(in crate::nearby) fn is_a_node(&self, group: &Group) -> bool {
        let before = self.text[..group.opens].trim_end().strip_suffix(group.of.as_str()).map(str::trim_end);
        before.and_then(|before| before.strip_suffix("impl")).is_some_and(|before| self.is_marked(before.len()))
    }

    /// Whether `#[node]` stands right before this byte.
    pub(in crate::nearby) fn is_marked(&self, at: usize) -> bool {
        let before = self.text[..at].trim_end().strip_suffix(']');
        let attribute = before.and_then(|before| before.rsplit("#[").next()).unwrap_or_default();
        let path = attribute.split('(').next().unwrap_or_default();
        path.rsplit("::").next().is_some_and(|name| name.trim() == "node")
    }

    /// The attributes in the file: the last part of the name of each, and what stands in its parentheses. Those in a chain
    /// are the chain's own.
    pub(in crate::nearby) fn attributes_of_all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.match_indices("#[").filter_map(|(at, _)| {
            let is_in_a_chain =
                self.outer(self.group_at(at)).any(|group| self.groups[group].kind == super::Kind::Chain);
            let (attribute, _) = self.text[at + 2..].split_once(']').filter(|_| !is_in_a_chain)?;
            let (path, arguments) = attribute.split_once(['(', '=']).unwrap_or((attribute, ""));
            Some((path.rsplit("::").next()?.trim(), arguments.trim_end_matches(')')))
        })
    }

    /// Whether a segment of this name is declared in the file.
    pub(in crate::nearby) fn has_segment(&self, name: &str) -> bool {
        self.declares_after("segment ", name)
    }

    /// Whether this name stands behind this word anywhere in the file.
    pub(in crate::nearby) fn declares_after(&self, before: &str, name: &str) -> bool {
        self.count_after(&[before], name) > 0
    }

    /// How often this name stands behind one of these words in the file.
    pub(in crate::nearby) fn count_after(&self, words: &[&str], name: &str) -> usize {
        let is_it = |before: &str, at: usize| word(&self.text, at + before.len()) == name;
        words.iter().map(|before| self.text.match_indices(before).filter(|(at, _)| is_it(before, *at)).count()).sum()
    }

    /// What stands between the brackets of this group.
    pub(in crate::nearby) fn within(&self, group: &Group) -> &str {
        &self.text[group.opens + 1..group.closes]
    }

    /// Whether this text stands anywhere in the file.
    pub(in crate::nearby) fn has_text(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// What stands between `impl` and the braces, for each `impl` of the file.
    pub(in crate::nearby) fn headers_of_impls(&self) -> impl Iterator<Item = &str> {
        let header = |(at, _): (usize, &str)| {
            let rest = &self.text[at..];
            &rest[..rest.find('{').unwrap_or(rest.len())]
        };
        self.text.match_indices("impl").map(header)
    }

    /// The `enum` whose name is here.
    pub(in crate::nearby) fn declaration(&self, at: usize) -> Option<&str> {
        let begins = self.text[..at].trim_end().strip_suffix("enum")?.len();
        let body = self.groups.iter().find(|group| group.opens > at)?;
        self.text.get(begins..=body.closes)
    }

    /// Whether no module of this one stands in another file.
    pub(in crate::nearby) fn is_whole(&self) -> bool {
        let declares = |(at, _): (usize, &str)| {
            let name = self.text[at + 4..].trim_start();
            let behind = name.trim_start_matches(|sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '#'));
            behind.trim_start().starts_with(';')
        };
        !self.text.match_indices("mod ").any(declares)
    }

    /// What stands before this byte, up to spaces.
    pub(in crate::nearby) fn before(&self, at: usize) -> &str {
        self.text[..at].trim_end()
    }

    /// Whether this is the body of a module of this name.
    pub(in crate::nearby) fn is_module_called(&self, group: &Group, name: &str) -> bool {
        let before = self.before(group.opens).strip_suffix(name).map(str::trim_end);
        before.is_some_and(|before| before.ends_with("mod"))
    }

    /// Whether a module of this name may be another one than that whose body stands in this scope.
    pub(in crate::nearby) fn may_be_another_module(&self, scope: usize, name: &str) -> bool {
        let begins = |at: &usize| word(&self.text, at + 4) == name;
        let mut declared = self.text.match_indices("mod ").map(|(at, _)| at).filter(begins);
        let (Some(only), None) = (declared.next(), declared.next()) else { return true };
        // It takes precedence over what comes by a glob, if no `#[cfg]` takes it away.
        let line = self.text[..only].rfind('\n').unwrap_or(0);
        let has_attributes = self.text[line..only].contains('#');
        let before = self.text[..line].lines().next_back().unwrap_or_default().trim();
        let is_certain =
            !has_attributes && !before.starts_with("//") && (before.is_empty() || before.ends_with(['}', ';']));
        let by_glob = |import: &super::Import| is_certain && import.is_of_all();
        // `use name::function` brings nothing of that name.
        let from_it = |import: &super::Import| {
            import.root() == Some(name)
                && !import.is_of_all()
                && import.words().filter(|word| *word == name).count() == 1
        };
        self.groups[scope].has_a_macro || !self.imports_of(scope, name).all(|import| by_glob(import) || from_it(import))
    }

    /// Whether an impl in the file may turn a type into the reply `()`: by that name, by another one, or for any reply.
    pub(in crate::nearby) fn may_reply_with_nothing(&self) -> bool {
        let is_one = |(at, name): (usize, &str)| {
            let before = self.text[..at].rsplit("impl").next().unwrap_or_default();
            let behind = self.text[at + name.len()..].trim_start();
            before.starts_with('<') || behind.starts_with("<()") || behind.starts_with("as ")
        };
        self.text.contains("= ();") || self.text.match_indices("IntoReply").any(is_one)
    }

    /// Whether a trait of nodes is implemented by hand for a type, or for all types.
    pub(in crate::nearby) fn has_impl_by_hand(&self, name: &str) -> bool {
        let is_of_it = |(at, _): (usize, &str)| {
            let of = self.text[at..].split('{').next().unwrap_or_default();
            of.contains(name) || !self.text[..at].ends_with("impl ")
        };
        ["Signature", "Node<", "IsNode"].iter().any(|of| self.text.match_indices(of).any(is_of_it))
    }

    /// How visible the type is whose name is here, as it is written.
    pub(in crate::nearby) fn visibility(&self, ty: &Declared) -> &str {
        let before = self.text[..ty.at].trim_end();
        let before = before.trim_end_matches(|sign: char| sign.is_ascii_lowercase()).trim_end();
        match before.strip_suffix(')').and_then(|inner| inner.rfind("pub")) {
            Some(at) => &before[at..],
            None if before.ends_with("pub") => "pub",
            None => "",
        }
    }

    /// The parameters of the type whose name is here, in `<..>`, or nothing.
    pub(in crate::nearby) fn generics_behind(&self, at: usize) -> Option<&str> {
        let rest = self.text[at + word(&self.text, at).len()..].trim_start();
        let (mut open, mut before) = (0, ' ');
        for (end, sign) in rest.char_indices().filter(|_| rest.starts_with('<')) {
            match sign {
                '<' => open += 1,
                '>' if before != '-' => open -= 1,
                _ => {}
            }
            if open == 0 {
                return Some(&rest[..=end]);
            }
            before = sign;
        }
        (!rest.starts_with('<')).then_some("")
    }

    /// The number of lifetimes among the parameters of the type whose name is here.
    pub(in crate::nearby) fn lifetimes_behind(&self, at: usize) -> usize {
        let rest = &self.text[at + word(&self.text, at).len()..];
        let Some(parameters) = rest.trim_start().strip_prefix('<') else { return 0 };
        // Lifetimes come first.
        let parameters = parameters.split('>').next().unwrap_or_default();
        parameters.split(',').take_while(|parameter| parameter.trim_start().starts_with('\'')).count()
    }
}
