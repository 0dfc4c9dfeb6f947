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

#[cfg(test)]
mod tests {
    use super::super::File;

    #[test]
    fn a_column_counts_characters() {
        let file = File::read("fn a() {}\nfn é() { b }\n".to_owned());
        assert_eq!(file.offset(1, 1), Some(0));
        assert_eq!(file.offset(1, 4), Some(3));
        assert_eq!(file.offset(2, 4), Some(13));
        // The letter before it is two bytes.
        assert_eq!(file.offset(2, 10), Some(20));
        assert_eq!(file.offset(4, 1), None);
        assert_eq!(file.offset(2, 200), None);
    }
}
