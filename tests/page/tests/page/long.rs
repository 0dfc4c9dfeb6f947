//! A chain of 37 nodes with blocks, arms and toggles, served with the gateway's admin address.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::describe::ChainInfo;
use chain_runtime::proxy::Upstream;
use chain_runtime::telemetry::{Keeps, Meter, Snapshot};
use chain_runtime::toggle::{Switches, Toggles};
use chain_runtime::upstream::Registry;
use chain_runtime::{chain, node};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Door, Group, Watched};

pub(crate) enum Kind {
    Read(Found),
    Write,
    Other,
}

pub(crate) struct Found;

#[node]
fn kind(request: &u64) -> Kind {
    match request % 3 {
        0 => Kind::Read(Found),
        1 => Kind::Write,
        _ => Kind::Other,
    }
}

#[node]
fn step(_request: &u64) {}

#[node]
async fn waits(_request: &u64) {
    tokio::task::yield_now().await;
}

#[node]
fn a_node_with_a_name_that_is_longer_than_most_names_are(_request: &u64) {}

/// A pause.
#[node]
fn blocks(request: &u64) {
    if request % 50 == 7 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[node]
fn refuses(request: &u64) -> Result<(), u64> {
    if request % 20 == 3 { Err(0) } else { Ok(()) }
}

#[node]
fn answer(request: &u64) -> u64 {
    *request
}

chain! {
    #[observe(meter)]
    pub(crate) struct Long {
        meter: Meter,
        toggles: Toggles,
    }

    async fn(request: u64) -> u64 {
        step => waits => blocks => step => step => step
        => a_node_with_a_name_that_is_longer_than_most_names_are
        => step => step
        => #[toggle("quota")] step
        => #[toggle("a toggle with a long name", off)] step
        => refuses
        => match kind {
            Kind::Read(_found: Found) => {
                step => step => waits => step => match kind {
                    Kind::Read(_) => step => step => answer,
                    Kind::Write => step => waits => answer,
                    Kind::Other => answer,
                }
            },
            Kind::Write => step => step => waits => step => answer,
            Kind::Other => step => step => step => waits => step => step => answer,
        }
    }
}

/// The chain, with groups of upstreams.
struct Shown {
    long: Arc<Long>,
    groups: Vec<(String, Arc<Registry<Upstream>>)>,
}

impl Watched for Shown {
    fn chain(&self) -> &'static ChainInfo {
        Long::CHAIN
    }

    fn snapshot(&self) -> Snapshot {
        self.long.meter.snapshot()
    }

    fn kept(&self) -> Keeps {
        self.long.meter.kept()
    }

    fn forget_kept(&self) {
        self.long.meter.forget_kept();
    }

    fn switches(&self) -> Option<Switches<'_>> {
        Some(self.long.toggles())
    }

    fn groups(&self) -> Vec<Group> {
        let all = self.groups.iter();
        all.map(|(name, registry)| Group { name: name.clone(), registry: Arc::clone(registry) }).collect()
    }
}

/// Serves it, and runs it until what is returned is dropped. Returns the page's address, too.
pub(crate) async fn serve(door: Door, groups: Vec<(String, Arc<Registry<Upstream>>)>) -> (String, JoinSet<()>) {
    assert_eq!(Long::CHAIN.nodes.len(), 37);
    let long = Arc::new(Long { meter: Meter::of(Long::CHAIN), toggles: Toggles::new() });
    let listener = admin::listen(([127, 0, 0, 1], 0).into()).expect("a free port");
    let at = listener.local_addr().expect("an address");
    let shown = Shown { long: Arc::clone(&long), groups };
    admin::start(listener, door, Arc::new(shown), CancellationToken::new());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        for request in 0.. {
            long.run(request).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    (admin::link(at), tasks)
}
