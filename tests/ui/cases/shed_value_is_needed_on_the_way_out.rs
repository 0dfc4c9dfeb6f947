use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, sees_user: SeesUser }

    async fn(request: Request) -> Reply {
        #[shed(critical)] auth => sees_user => last
    }
}

struct SeesUser;
#[node]
impl SeesUser {
    fn exit(&self, _user: &User) {}
}

fn main() {}
