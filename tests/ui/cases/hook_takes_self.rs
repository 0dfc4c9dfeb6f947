use chain_runtime::node;
use chain_ui::User;

struct Login(User);

#[node]
impl Login {
    fn enter(self) -> User {
        self.0
    }
}

fn main() {}
