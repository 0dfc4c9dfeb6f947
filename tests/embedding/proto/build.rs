//! Makes the service and its client from `ledger.proto`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=ledger.proto");
    tonic_prost_build::compile_fds(protox::compile(["ledger.proto"], ["."])?)?;
    Ok(())
}
