use chain_runtime::{chain, node};

pub struct Log;

pub struct Line(u8);

#[node]
impl Log {
    fn enter(&self, request: &u8) -> Line {
        Line(*request)
    }
}

#[node]
impl Log {
    fn exit(&self, line: &Line) {
        self.write(line.0);
    }

    fn write(&self, line: u8) {
        println!("{line}");
    }
}

#[node]
fn answer(_line: &Line) -> String {
    String::new()
}

chain! {
    pub struct Gateway { log: Log }

    fn(request: u8) -> String { log => answer }
}

fn main() {
    Log.write(1);
    Gateway { log: Log }.run(1);
}
