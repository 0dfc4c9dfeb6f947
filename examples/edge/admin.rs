//! What an operator can see and change, at an address of its own. It is a chain, too.

use std::num::NonZeroU32;

use chain_runtime::proxy::Body;
use chain_runtime::{chain, node};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::edge::Edge;
use super::limits::Limits;
use super::nodes::text;

chain! {
    /// Requests to the admin address pass through here.
    pub(crate) struct Admin;

    fn(request: &Parts, edge: &Edge) -> Response<Body> {
        match command {
            Command::Show => show,
            Command::Toggle(switch: Switch) => toggle,
            Command::Limits(wanted: Wanted) => change,
            Command::Unknown(why: String) => unknown,
        }
    }
}

/// What is asked for.
pub(crate) enum Command {
    Show,
    Toggle(Switch),
    Limits(Wanted),
    Unknown(String),
}

/// The new limits.
pub(crate) struct Wanted {
    rate: NonZeroU32,
    burst: NonZeroU32,
    max_body: usize,
}

/// A toggle's name, and whether it is to be on.
pub(crate) struct Switch {
    name: String,
    on: bool,
}

#[node]
fn command(request: &Parts, edge: &Edge) -> Command {
    let path: Vec<&str> = request.uri.path().trim_matches('/').split('/').collect();
    let unknown = |why: &str| Command::Unknown(format!("{why}\n\n{}", help(edge)));
    match (&request.method, path.as_slice()) {
        (&Method::GET, [""]) => Command::Show,
        (&Method::PUT, ["toggles", name, state @ ("on" | "off")]) => {
            Command::Toggle(Switch { name: (*name).to_owned(), on: *state == "on" })
        }
        (&Method::PUT, ["limits"]) => {
            let query = request.uri.query().unwrap_or_default();
            changed(query, &edge.limits.load()).map_or_else(|why| unknown(&why), Command::Limits)
        }
        _ => unknown("there is no such command"),
    }
}

/// The new limits; limits that are not named stay.
fn changed(query: &str, now: &Limits) -> Result<Wanted, String> {
    let (mut rate, mut burst, mut max_body) = (now.rate, now.burst, now.max_body);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not name=value"))?;
        let wrong = |_| format!("`{value}` is no {name}");
        match name {
            "rate" => rate = value.parse::<NonZeroU32>().map_err(wrong)?,
            "burst" => burst = value.parse::<NonZeroU32>().map_err(wrong)?,
            "max-body" => max_body = value.parse().map_err(wrong)?,
            _ => return Err(format!("there is no limit `{name}`; there are rate, burst and max-body")),
        }
    }
    Ok(Wanted { rate, burst, max_body })
}

#[node]
fn show(edge: &Edge) -> Response<Body> {
    text(StatusCode::OK, help(edge))
}

fn help(edge: &Edge) -> String {
    let Edge { groups: [files, stable, canary], limits, room, .. } = edge;
    let (free, places) = (room.available(), room.limit());
    let (drawing, toggles, limits) = (Edge::drawing(), edge.toggles(), limits.load());
    format!(
        "{drawing}\n{files}\n{stable}\n{canary}\ntoggles {toggles}\nlimits {}\nroom for {free} of {places}\n\n\
         PUT /toggles/NAME/on, PUT /toggles/NAME/off, PUT /limits?rate=N&burst=N&max-body=BYTES\n",
        *limits
    )
}

#[node]
fn toggle(switch: &Switch, edge: &Edge) -> Response<Body> {
    match edge.toggles().set(&switch.name, switch.on) {
        Ok(_) => text(StatusCode::OK, format!("{}\n", edge.toggles())),
        Err(error) => text(StatusCode::NOT_FOUND, format!("{error}\n")),
    }
}

/// Requests in flight go on with the limits with which they began. The used-up quotas of clients are forgotten.
#[node]
fn change(wanted: &Wanted, edge: &Edge) -> Response<Body> {
    let limits = Limits::new(wanted.rate, wanted.burst, wanted.max_body);
    let shown = format!("{limits}\n");
    edge.limits.store(limits);
    text(StatusCode::OK, shown)
}

#[node]
fn unknown(why: &String) -> Response<Body> {
    text(StatusCode::NOT_FOUND, why.clone())
}
