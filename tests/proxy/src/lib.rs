//! Hostile clients and hostile upstreams against the examples `gateway`, `edge` and `forward`. The tests are in
//! `tests/hostile`.
