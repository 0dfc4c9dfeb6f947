//! What stands behind the name of a declaration.

use super::{File, spaces, word};

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
}
