//! Hostile clients and hostile upstreams against the examples `gateway`, `edge` and `forward`. All of it is in `tests/hostile`.
