//! A function in the middle of a row that takes a `T` and returns a `T`: the scope goes on with what it returned.

use chain::poll::dropped_at_every_poll;

use super::*;

struct Text(String);

impl Drop for Text {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}

impl Text {
    /// Another value, so that the drops show which of the two it is.
    fn and(mut self, more: &str) -> Self {
        Text(std::mem::take(&mut self.0) + more)
    }
}

#[node]
fn text(line: &Line) -> Text {
    Text(line.0.to_owned())
}
#[node]
fn dot(text: Text) -> Text {
    text.and(".")
}
#[node]
async fn dash(text: Text) -> Text {
    suspend(1).await;
    text.and("-")
}
#[node]
async fn check(text: Text) -> Result<Text, usize> {
    suspend(1).await;
    if text.0.len() > 4 { Err(0) } else { Ok(text.and("!")) }
}
#[node]
fn look(text: &Text) {
    note(format!("look {}", text.0));
}
#[node]
async fn end(text: &mut Text) -> usize {
    suspend(1).await;
    text.0.push('?');
    text.0.len()
}
#[node]
fn eat(text: Text) -> usize {
    text.0.len()
}

/// A way out that asks for the value.
struct Logs;
#[node]
impl Logs {
    fn enter(&self, text: &Text) {
        note(format!("in {}", text.0));
    }
    fn exit(&self, text: &Text) {
        note(format!("out {}", text.0));
    }
}
/// One that does without it.
struct Counts;
#[node]
impl Counts {
    fn enter(&self) {}
    fn exit(&self) {
        note("counted");
    }
}

chain! {
    struct Told;
    async fn(line: Line) -> usize { text => dot => look => dash => check => dot => end }
}
chain! {
    #[observe(Recorder)]
    struct Scoped { counts: Counts }
    async fn(line: Line) -> usize { text => dot => look => counts => dash => check => dot => end }
}
chain! {
    struct Input { counts: Counts }
    async fn(text: Text) -> usize { counts => dot => dash => eat }
}
chain! {
    struct Exits { logs: Logs }
    async fn(line: Line) -> usize { text => dot => logs => dot => dash => end }
}
chain! {
    struct ChecksBefore { logs: Logs }
    async fn(line: Line) -> usize { text => check => logs => dot => end }
}

/// What is logged by a run over `a` that is dropped after so many polls.
fn expected(polls: usize) -> &'static [&'static str] {
    match polls {
        0 => &[],
        1 => &["drop ", "look a.", "drop a."],
        2 => &["drop ", "look a.", "drop ", "drop a.-"],
        3 => &["drop ", "look a.", "drop ", "drop ", "drop ", "drop a.-!."],
        _ => &["drop ", "look a.", "drop ", "drop ", "drop ", "drop a.-!.?"],
    }
}

#[test]
fn the_run_goes_on_with_what_it_returned() {
    assert_eq!(block_on(Told.run(Line("a"))), 6);
    assert_eq!(taken(), expected(4));
    assert_eq!(block_on(Input { counts: Counts }.run(Text("a".to_owned()))), 3);
    assert_eq!(taken(), ["drop ", "drop ", "drop a.-", "counted"]);
}

#[test]
fn one_that_breaks_has_let_go_of_it() {
    for log in [vec![], vec!["counted"]] {
        let replied = match log.is_empty() {
            true => block_on(Told.run(Line("long"))),
            false => block_on(Scoped { counts: Counts }.run(Line("long"))),
        };
        assert_eq!(replied, 0);
        let said = ["drop ", "look long.", "drop ", "drop long.-"];
        assert_eq!(taken(), said.into_iter().chain(log).collect::<Vec<_>>());
    }
}

#[test]
fn whoever_has_it_drops_it_when_the_run_is_dropped() {
    let dropped = dropped_at_every_poll(|polls| {
        let driven = drive(Told.run(Line("a")), polls);
        assert_eq!(taken(), expected(polls), "after {polls} polls");
        driven
    });
    assert_eq!(dropped, 4);
    let recording = Recording::start();
    dropped_at_every_poll(|polls| {
        let driven = drive(Scoped { counts: Counts }.run(Line("a")), polls);
        let log: Vec<_> = taken().into_iter().filter(|line| line != "counted").collect();
        assert_eq!(log, expected(polls), "after {polls} polls");
        driven
    });
    assert!(!recording.events().is_empty());
}

#[test]
fn a_way_out_before_it_is_lent_what_it_returned() {
    assert_eq!(block_on(Exits { logs: Logs }.run(Line("a"))), 5);
    assert_eq!(taken(), ["drop ", "in a.", "drop ", "drop ", "out a..-?", "drop a..-?"]);
    assert_eq!(block_on(ChecksBefore { logs: Logs }.run(Line("long!"))), 0);
    assert_eq!(taken(), ["drop long!"]);
    assert_eq!(block_on(ChecksBefore { logs: Logs }.run(Line("a"))), 4);
    let _ = taken();
}

/// In an arm it changes the value that stands outside; in a block, what the block or a pattern has.
mod in_blocks {
    use super::*;

    enum Kind {
        Short,
        Long(Text),
    }
    #[node]
    fn kind(line: &Line) -> Kind {
        if line.0.len() > 2 { Kind::Long(Text(line.0.to_owned())) } else { Kind::Short }
    }
    #[node]
    fn is_short(line: &Line) -> bool {
        line.0.len() < 3
    }
    #[node]
    fn one() -> usize {
        1
    }

    chain! {
        struct Arm { counts: Counts }
        async fn(line: Line) -> usize {
            counts => text => if is_short { dot => dash => look } => { dot => look } => end
        }
    }
    chain! {
        struct Bound;
        fn(line: Line) -> usize {
            match kind {
                Kind::Short => one,
                Kind::Long(text: Text) => dot => dot => eat,
            }
        }
    }
    chain! {
        struct Given { counts: Counts }
        async fn(line: Line) -> usize {
            counts => { text } -> Text => dot => dash => eat
        }
    }

    #[test]
    fn the_value_outside_of_an_arm_is_changed() {
        assert_eq!(block_on(Arm { counts: Counts }.run(Line("a"))), 5);
        assert_eq!(block_on(Arm { counts: Counts }.run(Line("abc"))), 5);
        let looks: Vec<_> = taken().into_iter().filter(|line| line.starts_with("look")).collect();
        assert_eq!(looks, ["look a.-", "look a.-.", "look abc."]);
    }

    #[test]
    fn so_is_what_a_pattern_binds_and_what_a_block_provides() {
        assert_eq!(Bound.run(Line("a")), 1);
        assert_eq!(Bound.run(Line("abc")), 5);
        assert_eq!(block_on(Given { counts: Counts }.run(Line("a"))), 3);
        let _ = taken();
    }
}

#[test]
fn the_description_says_both() {
    let dot = &Told::NODES[1];
    assert_eq!((dot.facts.provides, dot.facts.gives_back, dot.needs[0].from.name), (Some("Text"), true, "text"));
    assert!(Scoped::NODES[1].facts.gives_back);
    assert!(Told::drawing().to_string().contains("takes Text of text  provides Text"), "{}", Told::drawing());
}
