//! The table of requirements names tests that exist.

use std::path::Path;

#[test]
fn each_test_in_the_table_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("CONFORMANCE.md")).expect("the table");
    let mut missing = Vec::new();
    let mut named = 0;
    for line in table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| section") && !line.starts_with("| ---"))
    {
        let tests = line.trim_end_matches('|').rsplit(" | ").next().unwrap_or_default();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            missing.push(format!("no test for: {line}"));
        }
        for name in names {
            named += 1;
            let (file, rest) = name.split_once("::").unwrap_or((name, ""));
            let (function, row) = rest.split_once('/').map_or((rest, None), |(function, row)| (function, Some(row)));
            let source =
                std::fs::read_to_string(root.join("tests/hostile").join(file).with_extension("rs")).unwrap_or_default();
            let there = source.contains(&format!("fn {function}()"));
            let row_there = row.is_none_or(|row| {
                // Rows of a method or a version have that before or behind their names.
                source.contains(&format!("\"{row}\""))
                    || source.contains(&format!("\"{row}_"))
                    || source.contains(&format!("_{row}\""))
            });
            if !there || !row_there {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(named > 100, "only {named} tests are named");
}
