use chain_runtime::{chain, node};

trait Store {
    type Row;
    fn row(&self) -> Self::Row;
    fn show(&self, row: &Self::Row) -> String;
}

struct Load<S>(S);

#[node]
impl<S: Store> Load<S> {
    fn enter(&self) -> S::Row {
        self.0.row()
    }
}

struct Show<S>(S);

#[node]
impl<S: Store> Show<S> {
    fn enter(&self, row: &S::Row) -> String {
        self.0.show(row)
    }
}

chain! {
    struct App<S: Store> {
        load: Load<S>,
        show: Show<S>,
    }

    fn() -> String { load => show }
}

fn main() {}
