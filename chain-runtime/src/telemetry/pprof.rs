//! The time and memory of a chain, as a profile for `go tool pprof` and other readers of its format.
//!
//! ```
//! use chain_runtime::telemetry::{Meter, pprof};
//! use chain_runtime::{chain, node};
//!
//! #[node]
//! fn answer(input: &u32) -> u32 { *input }
//!
//! chain! {
//!     #[observe(meter)]
//!     struct Small { meter: Meter }
//!     fn(input: u32) -> u32 { answer }
//! }
//!
//! let small = Small { meter: Meter::of(Small::CHAIN) };
//! small.run(1);
//! // What a handler replies, as `application/octet-stream`; `go tool pprof -http : http://127.0.0.1:9000/pprof` opens it.
//! let profile = pprof::encode(&small.meter.snapshot());
//! assert!(!profile.is_empty());
//! ```
//!
//! It has the stacks of [`folded`](super::folded), each with four values: `running` and `waiting` in nanoseconds,
//! `alloc_space` in bytes, `alloc_objects` in calls. `-sample_index` chooses among them. Functions are nodes, in the
//! file and line where the chain is declared. It is not compressed, which readers allow.
//!
//! The format is [profile.proto](https://github.com/google/pprof/blob/main/proto/profile.proto).

mod proto;

use std::collections::BTreeMap;
use std::string::String;
use std::time::UNIX_EPOCH;
use std::vec::Vec;

use prost::Message as _;

use self::proto::{Function, Line, Location, Profile, Sample, ValueType};
use super::Snapshot;
use super::folded::{Frame, Weight, stacks};

const KINDS: [(Weight, &str, &str); 4] = [
    (Weight::Running, "running", "nanoseconds"),
    (Weight::Waiting, "waiting", "nanoseconds"),
    (Weight::Bytes, "alloc_space", "bytes"),
    (Weight::Allocations, "alloc_objects", "count"),
];

/// The profile; it is that of an interval if the snapshot is the difference of two.
#[must_use]
pub fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let mut made = Made::default();
    made.text("");
    made.profile.sample_type = KINDS
        .iter()
        .map(|(_, kind, unit)| ValueType {
            kind: index_of(&mut made.texts, kind),
            unit: index_of(&mut made.texts, unit),
        })
        .collect();
    for stack in stacks(snapshot) {
        let value = KINDS.map(|(weight, _, _)| signed(stack.weighs(weight)));
        if value.iter().any(|value| *value > 0) {
            // From the innermost to the outermost.
            let location_id =
                (1..=stack.frames.len()).rev().map(|depth| made.location(&stack.frames[..depth])).collect();
            made.profile.sample.push(Sample { location_id, value: value.into() });
        }
    }
    let at = snapshot.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    made.profile.duration_nanos = signed(snapshot.covers);
    made.profile.time_nanos = i64::try_from(at).unwrap_or(0).saturating_sub(made.profile.duration_nanos).max(0);
    made.profile.default_sample_type = made.text(KINDS[0].1);
    made.finish()
}

/// The file and the line.
fn place(frame: &Frame) -> (&'static str, u32) {
    let node = match frame {
        Frame::Chain(chain) => chain.nodes.first(),
        Frame::Node(node) => Some(*node),
        Frame::Arm(_, head) => *head,
        Frame::Out => None,
    };
    node.map_or(("", 0), |node| (node.file, node.line))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

type Texts = BTreeMap<String, i64>;

fn index_of(texts: &mut Texts, text: &str) -> i64 {
    let next = texts.len() as i64;
    *texts.entry(text.into()).or_insert(next)
}

/// Texts and functions are in tables, and are named by their index.
#[derive(Default)]
struct Made {
    profile: Profile,
    texts: Texts,
    locations: BTreeMap<(String, u32), u64>,
}

impl Made {
    fn text(&mut self, text: &str) -> i64 {
        index_of(&mut self.texts, text)
    }

    /// The last of these frames. Its function and its location have the same number.
    fn location(&mut self, frames: &[Frame]) -> u64 {
        let mut name = String::new();
        let (file, line) = match frames {
            // `out` alone would say little in a list.
            [.., node, Frame::Out] => {
                node.write(&mut name);
                name.push_str(" (out)");
                place(node)
            }
            [.., frame] => {
                frame.write(&mut name);
                place(frame)
            }
            [] => ("", 0),
        };
        let next = self.locations.len() as u64 + 1;
        let id = *self.locations.entry((name.clone(), line)).or_insert(next);
        if id == next {
            let (name, filename, line) = (self.text(&name), self.text(file), i64::from(line));
            self.profile.function.push(Function { id, name, system_name: name, filename, start_line: line });
            self.profile.location.push(Location { id, line: [Line { function_id: id, line }].into() });
        }
        id
    }

    fn finish(mut self) -> Vec<u8> {
        let mut texts = self.texts.into_iter().collect::<Vec<_>>();
        texts.sort_by_key(|(_, index)| *index);
        self.profile.string_table = texts.into_iter().map(|(text, _)| text).collect();
        self.profile.encode_to_vec()
    }
}
