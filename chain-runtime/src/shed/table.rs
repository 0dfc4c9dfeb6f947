//! The table of what each level sheds.

use core::fmt::{self, Write as _};

use super::{How, Level, Override};

/// A table with a row for each item and a column for each level. Nothing is allocated: the widths are found by writing
/// each cell twice.
pub(crate) struct Table<'a, R> {
    /// The beginning of each line.
    pub(crate) indent: &'a str,
    /// The text above the names.
    pub(crate) corner: fmt::Arguments<'a>,
    pub(crate) rows: R,
}

/// An item.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What happens to it, by level.
    pub(crate) cells: [Option<How>; Level::ALL.len()],
    pub(crate) set: Override,
}

impl<R: Iterator<Item = Row> + Clone> Table<'_, R> {
    /// The last line has no end of line.
    pub(crate) fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.rows.clone().map(|row| width(&row.name)).max().unwrap_or(0).max(width(&self.corner));
        let columns = Level::ALL.map(|level| {
            let cells = self.rows.clone().map(|row| width(&Cell(row.cells[level as usize])));
            cells.max().unwrap_or(0).max(level.name().len())
        });
        write!(f, "{}", self.indent)?;
        padded(f, &self.corner, names)?;
        for (level, width) in Level::ALL.iter().zip(columns) {
            f.write_str("  ")?;
            padded(f, level, if *level == Level::Critical { 0 } else { width })?;
        }
        for row in self.rows.clone() {
            write!(f, "\n{}", self.indent)?;
            padded(f, &row.name, names)?;
            let is_set = row.set != Override::AsDeclared;
            for (level, width) in Level::ALL.iter().zip(columns) {
                f.write_str("  ")?;
                // Spaces before the end of a line are written only if something follows.
                let ends_the_line = *level == Level::Critical && !is_set;
                padded(f, &Cell(row.cells[*level as usize]), if ends_the_line { 0 } else { width })?;
            }
            if is_set {
                write!(f, "  {}", Note(row.set))?;
            }
        }
        Ok(())
    }
}

/// What happens to an item at a level, in a word.
struct Cell(Option<How>);

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("runs"),
            Some(how) => how.fmt(f),
        }
    }
}

/// A note that an item is not as it was declared.
struct Note(Override);

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Override::AsDeclared => Ok(()),
            Override::Never => f.write_str("set: never"),
            Override::From(level) => write!(f, "set: from {level}"),
        }
    }
}

fn padded(f: &mut fmt::Formatter<'_>, text: &dyn fmt::Display, to: usize) -> fmt::Result {
    write!(f, "{text}{:1$}", "", to.saturating_sub(width(text)))
}

/// The number of letters.
fn width(text: &dyn fmt::Display) -> usize {
    struct Letters(usize);
    impl fmt::Write for Letters {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.chars().count();
            Ok(())
        }
    }
    let mut letters = Letters(0);
    // `Letters` has no errors, and neither has the text that is written here.
    let _ = write!(letters, "{text}");
    letters.0
}
