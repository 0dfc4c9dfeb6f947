//! axum's own examples that use middleware, state or extensions, as chains inside of axum: the requests that they
//! document, and the answers that they give. README.md beside this file describes each of them.

mod client_quota;
mod consume_body;
mod error_handling;
mod jwt;
mod key_value_store;
mod print_request_response;
mod rate_limiting;
#[allow(dead_code, reason = "`embed` uses more of it")]
#[path = "../embed/served.rs"]
mod served;
#[path = "../../../support/within.rs"]
mod within;

use within::within;
