//! What stands behind the name of a declaration.

use super::{File, Group, spaces, word};

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
        let before = before.and_then(|before| before.strip_suffix("impl")).map(str::trim_end);
        let attribute = before.and_then(|before| before.strip_suffix(']')?.rsplit("#[").next()).unwrap_or_default();
        let path = attribute.split('(').next().unwrap_or_default();
        path.rsplit("::").next().is_some_and(|name| name.trim() == "node")
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
