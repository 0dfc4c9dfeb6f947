//! A page on which a chain is seen live, and the JSON that it is fed with. What serves them is up to the program.
//!
//! The page is [one file](HTML) without anything from elsewhere. It draws the chain as it is written, with the figures of each node,
//! its toggles, and the runs that are kept as waterfalls. **Nothing of a request's content is on it**: names of nodes and of upstreams, times,
//! sizes and counts alone.
//!
//! # What the server owes the page
//!
//! All paths are relative to the page's own.
//!
//! | request | reply |
//! | --- | --- |
//! | `GET .` | [`HTML`] as `text/html; charset=utf-8`, with [`POLICY`] as `content-security-policy` |
//! | `GET events` | `text/event-stream`: first [`chain`] as the event `chain`, and then [`Window::figures`] as `figures` every second, [`toggles`] as `toggles` and [`kept`] as `kept` whenever they change; each made by [`event`] |
//! | `POST toggles/NAME/on`, `POST toggles/NAME/off` | switches a toggle; any 2xx |
//! | `POST pressure/LEVEL`, `POST pressure/follow` | forces the level, or lets it follow what is measured; any 2xx. Wanted where events called `pressure` are sent: of [`pressure`], whenever it changes |
//! | `POST upstreams/GROUP/drain` | drains the member that the body names, `{"name": .., "generation": ..}` of the type `application/json`, as `upstream::Registrar` does; any 2xx. Wanted where events called `upstreams` are sent: of [`UpstreamWindow::figures`], every second |
//! | `POST kept/forget` | [`Meter::forget_kept`](super::Meter::forget_kept); any 2xx |
//!
//! Who answers a `POST` has to see to it that it comes from the page, and not from another site in the same browser: by the fields `Origin`,
//! `Sec-Fetch-Site` and `Host`. The example `gateway` has a server that does, in `examples/gateway/admin`.
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

/// What the page may do, for the field `content-security-policy`: run its own script, wear its own style, and ask the server it came
/// from. It cannot be put in a frame.
pub const POLICY: &str = concat!(
    "default-src 'none'; connect-src 'self'; img-src data:; ",
    "script-src 'sha256-JFeEo5iwp2Pa6BCPp1VN0o2bn9IovBoagdVZUVFGcYI='; ",
    "style-src 'sha256-nC+twH5fChlz/JR/bfk4d+6EDNxNm1QsrkCPOYSuTsY='; ",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
);

/// The chain as it is written: rows, blocks and arms nested.
///
/// `notice` stands at the foot of the page: who can open it, say. `links` are what else the server has, as titles and relative paths.
pub fn chain(chain: &'static ChainInfo, notice: &str, links: &[(&str, &str)]) -> String {
    json(&shape::Shape::of(chain, notice, links))
}

/// The toggles, and how they stand. Of a chain without any, nothing is to be sent.
pub fn toggles(switches: Switches<'_>) -> String {
    #[derive(Serialize)]
    struct Toggle {
        name: &'static str,
        on: bool,
    }
    json(&switches.iter().map(|(name, on)| Toggle { name, on }).collect::<Vec<_>>())
}

/// The level, what is measured, what is given up, and who is let in.
pub fn pressure(pressure: &Pressure) -> String {
    json(pressure)
}

/// The runs that are kept, as waterfalls.
pub fn kept(keeps: &Keeps) -> String {
    json(&waterfall::Waterfalls::of(keeps))
}

/// An event of a stream of server-sent events. JSON has no line breaks of its own, so it is one line.
pub fn event(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}

/// Maps with keys that are not text, and errors of `Serialize` itself: none of the types here has any.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| String::from("null"))
}
