//! The live page in a headless browser. The tests are in `tests/page`.
