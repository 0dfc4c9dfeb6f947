use chain_ui::composed::*;

fn main() {
    let _ = chain!(#[shed(high)] nothing => nothing);
}
