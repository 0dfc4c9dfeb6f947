//! Where a token stands in the file's text.

use super::File;

impl File {
    /// The byte at this line and column, which both begin with 1. Columns count characters.
    pub(in crate::nearby) fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let (line, before) = (self.text.get(start..)?, column.checked_sub(1)?);
        // Almost each line is ASCII up to there, and this is asked for each node.
        if line.as_bytes().get(..before)?.is_ascii() {
            return (before < line.len()).then_some(start + before);
        }
        let (at, _) = line.char_indices().nth(before)?;
        Some(start + at)
    }
}
