//! A table on the screen, and the same as JSON.

use std::path::PathBuf;

use serde_json::{Map, Value};

/// Rows of a name and a figure for each column; `null` where a thing was not measured.
#[derive(Debug)]
pub struct Table {
    title: String,
    first: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<Value>)>,
}

impl Table {
    /// An empty table. `first` stands above the names.
    pub fn new<C: Into<String>>(title: &str, first: &str, columns: impl IntoIterator<Item = C>) -> Self {
        Self {
            title: title.into(),
            first: first.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it has not one figure for each column.
    pub fn row<V: Into<Value>>(&mut self, name: &str, figures: impl IntoIterator<Item = V>) {
        let figures: Vec<Value> = figures.into_iter().map(Into::into).collect();
        assert_eq!(figures.len(), self.columns.len(), "`{name}` has not one figure for each column");
        self.rows.push((name.into(), figures));
    }

    /// The table in Markdown, aligned for a terminal as well.
    pub fn markdown(&self) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        lines.push(std::iter::once(&self.first).chain(&self.columns).cloned().collect());
        for (name, figures) in &self.rows {
            lines.push(std::iter::once(name.clone()).chain(figures.iter().map(shown)).collect());
        }
        let widths: Vec<usize> = (0..lines[0].len())
            .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0).max(3))
            .collect();
        let mut text = format!("{}\n\n", self.title);
        for (index, line) in lines.iter().enumerate() {
            for (column, cell) in line.iter().enumerate() {
                let width = widths[column];
                text += &if column == 0 { format!("| {cell:width$} ") } else { format!("| {cell:>width$} ") };
            }
            text += "|\n";
            if index == 0 {
                for (column, width) in widths.iter().enumerate() {
                    text += &if column == 0 {
                        format!("| {} ", "-".repeat(*width))
                    } else {
                        format!("| {}: ", "-".repeat(width - 1))
                    };
                }
                text += "|\n";
            }
        }
        text
    }

    /// `{ title, rows: { name: { column: figure } } }`
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(name, figures)| {
            let figures: Map<String, Value> = self.columns.iter().cloned().zip(figures.iter().cloned()).collect();
            (name.clone(), Value::Object(figures))
        });
        serde_json::json!({ "title": self.title, "rows": rows.collect::<Map<_, _>>() })
    }
}

/// A figure as a person reads it: one digit behind the point where it is not whole.
fn shown(figure: &Value) -> String {
    match figure {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or_default();
            if number.abs() < 10.0 { format!("{number:.2}") } else { format!("{number:.1}") }
        }
        other => other.to_string(),
    }
}

/// Prints the tables, writes them to `target/<bench>.json`, and says where.
///
/// # Panics
/// If the target directory cannot be written to.
pub fn publish(bench: &str, tables: &[Table]) {
    for table in tables {
        println!("{}", table.markdown());
    }
    let path = target_directory().join(format!("{bench}.json"));
    let json = Value::Array(tables.iter().map(Table::json).collect());
    let text = serde_json::to_string_pretty(&json).expect("a table is JSON");
    std::fs::write(&path, text + "\n").expect("the target directory can be written to");
    println!("the same as JSON: {}", path.display());
}

/// `target/`, wherever Cargo was told to put it: a bench stands in `<target>/<profile>/deps`.
///
/// # Panics
/// If the program is not a bench of this package.
pub fn target_directory() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its path");
    program.ancestors().nth(3).expect("a bench stands three levels below the target directory").to_path_buf()
}
