//! Sources of lists: a fixed list, and a file that is watched.

use std::cell::RefCell;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_runtime::upstream::{
    File, FileError, Member, Refused, Registry, Snapshot, Source as _, State, Static, Told, read_members,
};
use futures_util::FutureExt as _;

/// A file of its own for a test, gone at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chain-upstream-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        Self(path)
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn names<T>(snapshot: &Snapshot<T>) -> Vec<&str> {
    snapshot.members().iter().map(|entry| entry.seat().name()).collect()
}

#[tokio::test]
async fn a_static_list_is_taken_once_and_stays() {
    let registry = Registry::new();
    let told = RefCell::new(Vec::new());
    let list = ["b", "a"].map(|name| Member::new(name, 80));
    registry.follow(Static::new(list), |said| told.borrow_mut().push(said.to_string())).await;
    assert_eq!(*told.borrow(), ["2 added, 0 removed, 0 with another weight, 0 kept"]);
    assert_eq!(names(&registry.snapshot()), ["a", "b"]);
}

#[tokio::test]
async fn a_list_that_is_wrong_changes_nothing() {
    let registry = Registry::new().with_limit(2);
    let mut listed = registry.listed();
    listed.replace([Member::new("a", 80)]).unwrap();
    let before = registry.snapshot().version();
    let list = |names: &[&str]| names.iter().map(|name| Member::new(*name, 80)).collect::<Vec<_>>();
    assert_eq!(listed.replace(list(&["b", "b"])), Err(Refused::Twice("b".into())));
    assert_eq!(listed.replace(list(&["b", "b c"])), Err(Refused::Name("b c".into())));
    assert_eq!(listed.replace(list(&["b", "c", "d"])), Err(Refused::Full { limit: 2 }));
    registry.register(Member::new("other", 80), Duration::MAX).unwrap();
    assert_eq!(listed.replace(list(&["b", "c"])), Err(Refused::Full { limit: 2 }));
    assert_eq!(registry.snapshot().version(), before + 1);
    // One goes, and one comes: that fits.
    listed.replace(list(&["b"])).unwrap();
    assert_eq!(names(&registry.snapshot()), ["b", "other"]);
}

#[test]
fn a_member_of_a_list_that_stays_keeps_its_seat_and_its_state() {
    let registry = Registry::new();
    let mut listed = registry.listed();
    listed.replace(["a", "b", "c"].map(|name| Member::new(name, 80))).unwrap();
    let before = registry.snapshot().keep();
    let seat = |snapshot: &Snapshot<u16>, name| Arc::clone(snapshot.get(name).unwrap().seat());
    registry.drain(seat(&before, "b").registration()).unwrap();
    let version = registry.snapshot().version();
    let list = [Member::new("a", 80).weight(5), Member::new("b", 80), Member::new("c", 81), Member::new("d", 80)];
    let changes = listed.replace(list).unwrap();
    assert_eq!((changes.added, changes.removed, changes.reweighed, changes.kept), (2, 1, 1, 1));
    let now = registry.snapshot();
    assert!(Arc::ptr_eq(&seat(&before, "a"), now.get("a").unwrap().seat()));
    assert_eq!(now.get("a").unwrap().weight().get(), 5);
    assert_eq!(now.get("b").unwrap().state(), State::Draining);
    // Another endpoint is another member, and what is under way to the old one goes on there.
    assert!(seat(&now, "c").generation() > seat(&before, "c").generation());
    assert!(seat(&before, "c").begin().is_none());
    assert_eq!(now.version(), version + 4, "weight; out and in; in");
}

#[test]
fn a_list_does_not_touch_who_registered_by_themselves() {
    let registry = Registry::new();
    let own = registry.register(Member::new("own", 80), Duration::MAX).unwrap();
    let mut listed = registry.listed();
    listed.replace(["a", "b"].map(|name| Member::new(name, 80))).unwrap();
    let taken = registry.register(Member::new("a", 80), Duration::MAX).unwrap();
    listed.replace([Member::new("b", 80)]).unwrap();
    registry.heartbeat(&own).unwrap();
    registry.heartbeat(&taken).unwrap();
    assert_eq!(names(&registry.snapshot()), ["a", "b", "own"]);
}

type Heard = Arc<Mutex<Vec<String>>>;

/// Follows the file until the other future completes. Time is tokio's and is paused, the file is a real one.
async fn followed<R>(registry: &Registry<SocketAddr>, file: &Scratch, then: impl AsyncFnOnce(&Heard) -> R) -> R {
    let heard = Heard::default();
    let tell = |said: &Told<FileError>| heard.lock().unwrap().push(said.to_string());
    let follow = registry.follow(File::new(&file.0).every(Duration::from_secs(1)), tell);
    tokio::select! {
        () = follow => unreachable!("a file does not end"),
        result = then(&heard) => result,
    }
}

/// Longer than a change takes to be told.
async fn a_while() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

fn last(heard: &Heard) -> String {
    heard.lock().unwrap().last().cloned().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_file_is_followed_and_a_broken_one_keeps_the_last_good_members() {
    let file = Scratch::new("followed");
    file.write("# two\n127.0.0.1:1 zone=a weight=2\n\nb at=127.0.0.1:2 meta.version=7\n");
    let registry: Registry<SocketAddr> = Registry::new();
    followed(&registry, &file, async |heard| {
        a_while().await;
        let now = registry.snapshot().keep();
        assert_eq!(names(&now), ["127.0.0.1:1", "b"]);
        let (first, second) = (&now.members()[0], &now.members()[1]);
        assert_eq!((first.seat().zone(), first.weight().get()), (Some("a"), 2));
        assert_eq!((second.seat().endpoint().port(), &*second.seat().metadata()["version"]), (2, "7"));

        for broken in
            ["127.0.0.1:1\nnonsense\n", "", "# nobody\n", "127.0.0.1:1\n127.0.0.1:1\n", "127.0.0.1:1 weight=0\n"]
        {
            file.write(broken);
            a_while().await;
            assert!(last(heard).starts_with("the members stay as they are: "), "{}", last(heard));
        }
        fs::write(&file.0, [0xff, 0xfe]).unwrap();
        a_while().await;
        assert!(last(heard).contains("UTF-8"), "{}", last(heard));
        fs::remove_file(&file.0).unwrap();
        a_while().await;
        a_while().await;
        assert_eq!(registry.snapshot().version(), now.version());
        assert_eq!(heard.lock().unwrap().len(), 8, "each is said once: {heard:?}");

        file.write("127.0.0.1:1 zone=a weight=3\n");
        a_while().await;
        assert_eq!(last(heard), "0 added, 1 removed, 1 with another weight, 0 kept");
        assert!(Arc::ptr_eq(first.seat(), registry.snapshot().get("127.0.0.1:1").unwrap().seat()));
    })
    .await;
}

/// The second change has the length of the first, and comes at once after it.
#[tokio::test(start_paused = true)]
async fn a_change_of_the_same_length_at_the_same_time_is_seen() {
    let file = Scratch::new("same");
    file.write("127.0.0.1:1\n");
    let time = fs::metadata(&file.0).unwrap().modified().unwrap();
    let registry: Registry<SocketAddr> = Registry::new();
    followed(&registry, &file, async |_| {
        a_while().await;
        file.write("127.0.0.1:2\n");
        fs::File::options().write(true).open(&file.0).unwrap().set_modified(time).unwrap();
        a_while().await;
        assert_eq!(names(&registry.snapshot()), ["127.0.0.1:2"]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_being_written_is_not_taken_yet() {
    let file = Scratch::new("written");
    file.write("127.0.0.1:1\n127.0.0.1:2\n");
    let mut source = File::<SocketAddr>::new(&file.0);
    assert_eq!(source.next().await.unwrap().unwrap().len(), 2);
    // Each look finds another text, as while somebody writes it.
    let mut next = Box::pin(source.next());
    for line in 1..=40 {
        file.write(&"127.0.0.1:1\n".repeat(line));
        tokio::select! {
            told = &mut next => panic!("{told:?}"),
            () = tokio::time::sleep(Duration::from_millis(45)) => {}
        }
    }
    drop(next);
    file.write("127.0.0.1:3\n");
    // A future that is dropped has told nothing.
    assert!(source.next().now_or_never().is_none());
    let told = source.next().await.unwrap().unwrap();
    assert_eq!((told.len(), &*told[0].name), (1, "127.0.0.1:3"));
}

#[test]
fn all_mistakes_are_said_with_their_lines() {
    let text = "127.0.0.1:1 weight=0\n127.0.0.1:2 weight=2 weight=2\n127.0.0.1:3\n\n127.0.0.1:3\n127.0.0.1:4 zone=\n127.0.0.1:5 meta.=7\nb\n";
    let mistakes = read_members::<SocketAddr>(text).unwrap_err();
    assert_eq!(
        mistakes.to_string(),
        "line 1: `0` is no weight: it is a number from 1\n\
         line 2: `weight=` is there twice\n\
         line 5: `127.0.0.1:3` is on line 3 already\n\
         line 6: `zone=` says nothing\n\
         line 7: `meta.=7` is none of `at=`, `zone=`, `weight=` and `meta.key=`\n\
         line 8: `b` is no endpoint: invalid socket address syntax"
    );
    let many = read_members::<SocketAddr>(&"b\n".repeat(20)).unwrap_err();
    assert!(many.to_string().ends_with("\nand 12 more"));
}
