mod entry {
    use chain_runtime::{chain, node};
    use chain_ui::{Request, User};

    #[node]
    fn auth(_request: &Request) -> User {
        User("Ada".to_owned())
    }

    chain! { pub segment front { auth } }
}

fn main() {}
