//! The requests: that of the load, and others that end early.

use http::request::Parts;
use http::{Request, Uri};

/// What the upstream would say.
pub(crate) const BODY: &str = "hello from upstream\n";

/// The fields of every request of the load.
pub(crate) const FIELDS: [(&str, &str); 8] = [
    ("Host", "gateway.test"),
    ("User-Agent", "bench/1.0"),
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Accept-Language", "en-GB,en;q=0.8"),
    ("Authorization", "Bearer key-0037-0123456789abcdef"),
    ("X-Forwarded-For", "198.51.100.7, 10.0.0.1"),
    ("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
];
pub(crate) const PATH: &str = "/api/orders/4711";

/// A request's head as it is sent: `change` replaces the value of a field, takes it away (`""`), or adds one.
fn head(method: &str, path: &str, change: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    let kept = FIELDS.iter().filter(|(name, _)| !change.iter().any(|(changed, _)| changed == name));
    for (name, value) in kept.chain(change.iter().filter(|(_, value)| !value.is_empty())) {
        text += &format!("{name}: {value}\r\n");
    }
    text + "\r\n"
}

/// The load's request.
pub(crate) fn load() -> String {
    head("GET", PATH, &[])
}

/// A method, a path, and what is changed in the load's fields.
type Probe<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Requests by which contestants are held against each other, each for a connection of its own.
pub(crate) fn probes() -> Vec<String> {
    let long = "x".repeat(300);
    let admin = "Bearer key-0016-0123456789abcdef";
    let probes: [Probe<'_>; 13] = [
        ("GET", PATH, &[]),
        ("GET", "/api/customers/1?page=2", &[("Accept-Encoding", "gzip"), ("Accept-Language", "de")]),
        ("POST", "/api/orders/archive/12", &[("Traceparent", "")]),
        ("GET", "/admin/", &[("Authorization", admin)]),
        ("GET", "/admin/", &[]),
        ("GET", "/api/invoices/9", &[("Authorization", "Bearer key-0015-0123456789abcdef")]),
        ("DELETE", PATH, &[]),
        ("GET", "/nowhere", &[]),
        ("GET", PATH, &[("Authorization", "")]),
        ("GET", PATH, &[("Authorization", "Bearer wrong")]),
        ("GET", PATH, &[("X-Forwarded-For", "203.0.113.9")]),
        ("GET", PATH, &[("User-Agent", &long)]),
        ("POST", PATH, &[("Content-Length", "99999999")]),
    ];
    probes
        .iter()
        .map(|(method, path, change)| {
            let mut change = change.to_vec();
            change.push(("Connection", "close"));
            head(method, path, &change)
        })
        .collect()
}

/// Parsed heads for what runs in process: users and paths take turns.
pub(crate) fn parsed() -> Vec<Parts> {
    let one = |index: usize| {
        let mut request = Request::new(());
        // One in a while is refused.
        let place = if index % 32 == 13 { "nowhere" } else { ["api/orders", "api/customers", "static"][index % 3] };
        let path = format!("/{place}/{}", index * 37);
        *request.uri_mut() = path.parse::<Uri>().expect("a path");
        for (name, value) in FIELDS {
            let value =
                if name == "Authorization" { format!("Bearer key-{index:04}-0123456789abcdef") } else { value.into() };
            request.headers_mut().insert(
                name.to_lowercase().parse::<http::HeaderName>().expect("a name"),
                value.parse().expect("a value"),
            );
        }
        request.into_parts().0
    };
    (0..64).map(one).collect()
}
