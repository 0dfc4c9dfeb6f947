//! What each source reads, from trees of files that a test writes, by a test's clock.
#![cfg(all(feature = "pressure", target_os = "linux"))]

mod cgroup;
mod process;
mod stalls;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::pressure::source::{Bytes, Cgroup, Fault, Lag, Psi, Reading, Resident, Stalled, Version};
use chain_runtime::pressure::{Level, Pressure, Source};

const MIB: u64 = 1 << 20;
const MS: Duration = Duration::from_millis(1);

/// A folder that goes with the test.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("chain-sources-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }

    /// In the same place where there is one already, as the kernel's files are: one that is open shows the new text.
    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A group of version 2, in MiB.
    fn group(&self, path: &str, current: u64, inactive: u64, max: Option<u64>) {
        let file = |name: &str| format!("{path}/{name}");
        let max = max.map_or("max".to_owned(), |max| (max * MIB).to_string());
        self.write(&file("memory.current"), &format!("{}\n", current * MIB));
        self.write(&file("memory.max"), &format!("{max}\n"));
        self.write(&file("memory.high"), "max\n");
        self.stat(path, inactive);
    }

    fn stat(&self, path: &str, inactive: u64) {
        // As the kernel writes it; the names that begin alike are a trap.
        let inactive = inactive * MIB;
        let text = format!(
            "anon 1409024\nfile 9437184\nkernel 123\nsock 0\nshmem 0\ninactive_anon 7\nactive_anon 9\n\
             inactive_file {inactive}\nactive_file 4096\nunevictable 0\nslab_reclaimable 1\npgfault 3\n"
        );
        self.write(&format!("{path}/memory.stat"), &text);
    }

    fn cgroup(&self) -> Cgroup {
        Cgroup::at(self.0.join("fs"), self.0.join("membership")).unwrap()
    }

    fn stalled(&self, some: &str, full: &str) {
        self.write("psi", &format!("some avg10={some} avg60=0.00 avg300=0.00 total=1000\nfull {full}\n"));
    }

    fn total(&self, micros: u64) {
        let text = format!(
            "some avg10=1.50 avg60=0.00 avg300=0.00 total={micros}\nfull avg10=0.25 avg60=0 avg300=0 total=7\n"
        );
        self.write("psi", &text);
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read(source: &mut impl Source) -> Result<Reading, Fault> {
    source.read(Instant::now())
}

fn bytes(source: &mut impl Source) -> Bytes {
    read(source).unwrap().bytes.unwrap()
}
