//! How large a chain's future may be.

use super::message::Message;
use crate::describe::NodeInfo;

/// Refuses a future that is larger than the chain's budget.
///
/// # Panics
///
/// It panics in a constant, so while compiling, if `size` is over `budget`. Both are in bytes.
#[track_caller]
pub const fn budget(chain: &str, nodes: &[NodeInfo], sizes: &[usize], size: usize, budget: usize) {
    if size <= budget {
        return;
    }
    let message = Message::of("E702").text("the future of ").code(chain).text(" takes ").number(size);
    let message = message.text(" bytes, over its budget of ").number(budget);
    let mut largest = 0;
    let mut at = 1;
    while at < sizes.len() {
        if sizes[at] > sizes[largest] {
            largest = at;
        }
        at += 1;
    }
    if sizes.is_empty() || sizes[largest] == 0 {
        panic!("{}", message.as_str());
    }
    let message = message.text("; its largest node is ").code(nodes[largest].name).text(" with ");
    panic!("{}", message.number(sizes[largest]).text(" bytes").as_str());
}
