use chain_runtime::Reset;

#[derive(Reset)]
union Word {
    number: u32,
    bytes: [u8; 4],
}

fn main() {}
