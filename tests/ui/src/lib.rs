//! Nodes and types that the compile-fail cases share.
