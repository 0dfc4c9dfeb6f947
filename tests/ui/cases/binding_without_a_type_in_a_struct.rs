use chain_runtime::{chain, node};

pub struct User;

pub enum Route {
    Known { user: User },
    Unknown,
}

#[node]
fn route() -> Route {
    Route::Unknown
}

#[node]
fn greet(_user: &User) -> u8 {
    1
}

#[node]
fn refuse() -> u8 {
    2
}

chain! {
    struct Gateway;

    fn() -> u8 {
        match route {
            Route::Known { user } => greet,
            Route::Unknown => refuse,
        }
    }
}

fn main() {}
