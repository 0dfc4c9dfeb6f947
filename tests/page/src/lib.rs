//! The live page in a headless browser. All of it is in `tests/page`.
