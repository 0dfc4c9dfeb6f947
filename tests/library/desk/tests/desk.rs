//! What somebody who asks at the desk hears.

use chain_library::{Door, Limit, Visitors};
use chain_library_desk::{Desk, Numbers};
use http::{Request, StatusCode};

#[test]
fn errors_of_the_library_are_responses_already() {
    let desk = |most| Desk { door: Door { limit: Limit::new(most), visitors: Visitors(Numbers) } };
    let ask = |desk: &Desk<Numbers>, token: &str| {
        let request = Request::get("/").header("authorization", token).body(()).expect("a request");
        let reply = desk.run(&request);
        (reply.status(), reply.into_body())
    };
    assert_eq!(ask(&desk(1), "Bearer 7"), (StatusCode::OK, "number 7".to_owned()));
    assert_eq!(ask(&desk(1), "Bearer x"), (StatusCode::UNAUTHORIZED, String::new()));
    assert_eq!(ask(&desk(1), "Basic 7"), (StatusCode::UNAUTHORIZED, String::new()));
    assert_eq!(ask(&desk(0), "Bearer 7"), (StatusCode::SERVICE_UNAVAILABLE, String::new()));
}

#[test]
fn a_chain_of_the_library_is_drawn_as_one_node() {
    let drawing = Desk::<Numbers>::drawing().to_string();
    assert!(
        drawing.contains("=> door    needs &str of token  provides Visitor  or breaks with Refused\n"),
        "{drawing}"
    );
}
