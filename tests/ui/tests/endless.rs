//! A node that returns `!` never ends.

use chain_runtime::{chain, node};

#[node]
async fn wait_for_ever() -> ! {
    std::future::pending().await
}

#[node]
fn answer() -> u8 {
    1
}

chain! {
    struct Gateway;

    async fn() -> u8 { wait_for_ever => answer }
}

chain! {
    struct Last;

    async fn() -> u8 { wait_for_ever }
}

#[test]
fn an_async_node_may_never_return() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let is_pending = runtime.block_on(async {
        let first = std::pin::pin!(Gateway.run());
        let last = std::pin::pin!(Last.run());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        first.poll(&mut context).is_pending() && last.poll(&mut context).is_pending()
    });
    assert!(is_pending);
}
