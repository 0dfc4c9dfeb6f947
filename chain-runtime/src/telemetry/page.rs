//! A page that shows a chain live, and the JSON that the page reads. The program serves them.
//!
//! The page is [one file](HTML), which loads nothing from elsewhere. It draws the chain as it is written, with the
//! figures of each node, its toggles, and the kept runs as waterfalls. **It shows nothing of a request's content**,
//! only names of nodes and of upstreams, times, sizes and counts.
//!
//! # What the server has to provide
//!
//! All paths are relative to that of the page.
//!
//! | request | reply |
//! | --- | --- |
//! | `GET .` | [`HTML`] as `text/html; charset=utf-8`, with [`POLICY`] as `content-security-policy` |
//! | `GET events` | `text/event-stream`: first [`chain`] as the event `chain`, and then [`Window::figures`] as `figures` every second, and [`toggles`] as `toggles` and [`kept`] as `kept` whenever they change; [`event`] formats each |
//! | `POST toggles/NAME/on`, `POST toggles/NAME/off` | switches a toggle; any 2xx |
//! | `POST pressure/LEVEL`, `POST pressure/follow` | forces the level, or lets it follow what is measured; any 2xx. It is needed if events called `pressure` are sent: [`pressure`], whenever it changes |
//! | `POST upstreams/GROUP/drain` | drains the member that the body names, `{"name": .., "generation": ..}` of the type `application/json`, as `upstream::Registrar` does; any 2xx. It is needed if events called `upstreams` are sent: [`UpstreamWindow::figures`], every second |
//! | `POST kept/forget` | [`Meter::forget_kept`](super::Meter::forget_kept); any 2xx |
//!
//! The server has to make sure that a `POST` comes from the page, and not from another site in the same browser: by the
//! fields `Origin`, `Sec-Fetch-Site` and `Host`. The example `gateway` has a server that does, in
//! `examples/gateway/admin`.
//!
//! ```
//! use chain_runtime::telemetry::{Meter, page};
//! use chain_runtime::{chain, node};
//!
//! #[node]
//! fn double(input: &u32) -> u64 { u64::from(*input) * 2 }
//!
//! chain! {
//!     #[observe(meter)]
//!     struct Small { meter: Meter }
//!     fn(input: u32) -> u64 { double }
//! }
//!
//! let small = Small { meter: Meter::of(Small::CHAIN) };
//! let mut window = page::Window::new(5);
//! window.figures(small.meter.snapshot());
//! assert_eq!(small.run(21), 42);
//!
//! let figures = window.figures(small.meter.snapshot());
//! assert!(figures.contains(r#""entered":1,"#), "{figures}");
//! assert!(page::event("figures", &figures).starts_with("event: figures\ndata: {"));
//! ```

mod figures;
mod pressure;
mod shape;
mod upstreams;
mod waterfall;

use std::format;
use std::string::String;
use std::vec::Vec;

use serde::Serialize;

pub use figures::Window;
pub use pressure::{Admission, Move, Pressure, Shed, Source};
pub use upstreams::{Group, Member, UpstreamWindow};

use super::Keeps;
use crate::describe::ChainInfo;
use crate::toggle::Switches;

/// The page.
pub const HTML: &str = include_str!("page/page.html");

/// What the page may do, for the field `content-security-policy`: run its own script, use its own style, and call its
/// own server. It cannot be put in a frame.
pub const POLICY: &str = concat!(
    "default-src 'none'; connect-src 'self'; img-src data:; ",
    "script-src 'sha256-jRtxhV54PTc9Y4/r47On9f7KFJKhf+w/UVIRxSu/cJY='; ",
    "style-src 'sha256-nC+twH5fChlz/JR/bfk4d+6EDNxNm1QsrkCPOYSuTsY='; ",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
);

/// The chain as it is written: nested rows, blocks and arms.
///
/// `notice` stands at the foot of the page, for example to say who can open it. `links` are other resources of the
/// server, as titles and relative paths.
pub fn chain(chain: &'static ChainInfo, notice: &str, links: &[(&str, &str)]) -> String {
    json(&shape::Shape::of(chain, notice, links))
}

/// The toggles, and their state. For a chain without toggles, do not send this.
pub fn toggles(switches: Switches<'_>) -> String {
    #[derive(Serialize)]
    struct Toggle {
        name: &'static str,
        on: bool,
    }
    json(&switches.iter().map(|(name, on)| Toggle { name, on }).collect::<Vec<_>>())
}

/// The level, the sources, what is given up, and the admission.
pub fn pressure(pressure: &Pressure) -> String {
    json(pressure)
}

/// The kept runs, as waterfalls.
pub fn kept(keeps: &Keeps) -> String {
    json(&waterfall::Waterfalls::of(keeps))
}

/// An event in a stream of server-sent events. JSON has no line breaks of its own, so the event is one line.
pub fn event(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}

/// Only maps with keys that are not text, and errors of `Serialize` itself, could fail. The types here have neither.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| String::from("null"))
}
