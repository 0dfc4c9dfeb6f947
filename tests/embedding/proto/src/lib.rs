//! The service of `ledger.proto`, as tonic's generator writes it: for the tests and the example of chains in tonic.

#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "it is generated")]

tonic::include_proto!("ledger");
