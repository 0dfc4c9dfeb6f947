use chain_ui::composed::*;

fn main() {
    let _ = chain!(#[toggle] nothing => nothing);
}
