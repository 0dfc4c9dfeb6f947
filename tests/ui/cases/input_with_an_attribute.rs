use chain_runtime::chain;

chain! {
    pub struct Gateway;
    async fn(#[serde(skip)] request: chain_ui::Request) -> chain_ui::Reply { chain_ui::proxy }
}

fn main() {}
