mod entry {
    use chain_runtime::{chain, node};
    use chain_ui::{Request, User};

    #[node]
    pub fn auth(_request: &Request) -> User {
        User("Ada".to_owned())
    }

    chain! { segment inner { auth } }
    chain! { pub segment front { ..inner } }
}

fn main() {}
