//! The shapes of node. Each is generic over its position, so that each provides a type of its own.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::Poll;

use chain::poll::panic_silently;
use chain_runtime::observe::Way;
use chain_runtime::{Ending, node};

use crate::script::Happened::{Abandoned, Again as AskedAgain, Around, Done, Enter};
use crate::script::{
    Cut, Part, Reply, Script, Value, begin_exit, cancel, come_in, end_exit, exit_unseen, go_on, name, note, wait,
};
use crate::stretches::runs;

/// A plain function's shape: provides, no hook.
pub(crate) struct Plain<const AT: usize>;
#[node]
impl<const AT: usize> Plain<AT> {
    fn enter(&self, script: &Script) -> Value<AT> {
        note(Enter(AT));
        come_in::<AT>(script);
        Value::new(script)
    }
}

/// An async function's shape: suspends, breaks or provides, no hook.
pub(crate) struct Waits<const AT: usize>;
#[node]
impl<const AT: usize> Waits<AT> {
    async fn enter(&self, script: &Script) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Value::new(script))
    }
}

/// Breaks, and provides nothing.
pub(crate) struct Gate<const AT: usize>;
#[node]
impl<const AT: usize> Gate<AT> {
    fn enter(&self, script: &Script) -> Result<(), Cut> {
        note(Enter(AT));
        go_on::<AT>(script)
    }
}

/// All hooks, none of which suspends.
pub(crate) struct Hooks<const AT: usize>;
#[node]
impl<const AT: usize> Hooks<AT> {
    fn enter(&self, script: &Script) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        go_on::<AT>(script)?;
        Ok(Value::new(script))
    }
    fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, _value: &Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// All hooks, all of which suspend that can.
pub(crate) struct Slow<const AT: usize>;
#[node]
impl<const AT: usize> Slow<AT> {
    async fn enter(&self, script: &Script) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Value::new(script))
    }
    async fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        wait::<AT>(Way::Out, script.of(AT).suspends_out).await;
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, _value: &mut Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// Nothing but a way out.
pub(crate) struct Out<const AT: usize>;
#[node]
impl<const AT: usize> Out<AT> {
    async fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        wait::<AT>(Way::Out, script.of(AT).suspends_out).await;
        end_exit::<AT>(script, reply);
    }
}

/// Nothing but `cancelled`.
pub(crate) struct Dies<const AT: usize>;
#[node]
impl<const AT: usize> Dies<AT> {
    fn cancelled(&self, script: &Script) {
        cancel::<AT>(script);
    }
}

/// A way in that suspends, a way out that does not, no `cancelled`.
pub(crate) struct Mixed<const AT: usize>;
#[node]
impl<const AT: usize> Mixed<AT> {
    async fn enter(&self, script: &Script) -> Value<AT> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        come_in::<AT>(script);
        Value::new(script)
    }
    fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        end_exit::<AT>(script, reply);
    }
}

/// `ControlFlow` in place of `Result`; no way out.
pub(crate) struct Flow<const AT: usize>;
#[node]
impl<const AT: usize> Flow<AT> {
    fn enter(&self, script: &Script) -> ControlFlow<Cut, Value<AT>> {
        note(Enter(AT));
        match go_on::<AT>(script) {
            Ok(()) => ControlFlow::Continue(Value::new(script)),
            Err(cut) => ControlFlow::Break(cut),
        }
    }
    fn cancelled(&self, _value: &Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// A way in that does not suspend, a way out that does; provides nothing.
pub(crate) struct Late<const AT: usize>;
#[node]
impl<const AT: usize> Late<AT> {
    fn enter(&self, script: &Script) -> Result<(), Cut> {
        note(Enter(AT));
        go_on::<AT>(script)
    }
    async fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        wait::<AT>(Way::Out, script.of(AT).suspends_out).await;
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, script: &Script) {
        cancel::<AT>(script);
    }
}

/// All hooks, all of which suspend that can, and each is lent what another node provided, far before it.
pub(crate) struct Reach<const AT: usize, const FROM: usize>;
#[node]
impl<const AT: usize, const FROM: usize> Reach<AT, FROM> {
    async fn enter(&self, script: &Script, far: &mut Value<FROM>) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        far.reach(AT);
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Value::new(script))
    }
    async fn exit(&self, script: &Script, far: &mut Value<FROM>, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        far.reach(AT);
        wait::<AT>(Way::Out, script.of(AT).suspends_out).await;
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, _value: &Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// The same, and never suspends.
pub(crate) struct Grasp<const AT: usize, const FROM: usize>;
#[node]
impl<const AT: usize, const FROM: usize> Grasp<AT, FROM> {
    fn enter(&self, script: &Script, far: &mut Value<FROM>) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        far.reach(AT);
        go_on::<AT>(script)?;
        Ok(Value::new(script))
    }
    fn exit(&self, script: &Script, far: &mut Value<FROM>, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        far.reach(AT);
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, _value: &Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// One of many, in a very long chain.
#[node]
pub(crate) fn fill<const AT: usize>(script: &Script) -> Value<AT> {
    note(Enter(AT));
    Value::new(script)
}

/// All hooks; its way out sees nothing of how it ends, so it can stand in a block that goes on.
pub(crate) struct Inner<const AT: usize>;
#[node]
impl<const AT: usize> Inner<AT> {
    async fn enter(&self, script: &Script) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Value::new(script))
    }
    async fn exit(&self, script: &Script) {
        exit_unseen::<AT>(script).await;
    }
    fn cancelled(&self, _value: &Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// The same, and provides nothing: it can be the last of a block that goes on.
pub(crate) struct Closing<const AT: usize>;
#[node]
impl<const AT: usize> Closing<AT> {
    async fn enter(&self, script: &Script) -> Result<(), Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)
    }
    async fn exit(&self, script: &Script) {
        exit_unseen::<AT>(script).await;
    }
    fn cancelled(&self, script: &Script) {
        cancel::<AT>(script);
    }
}

/// All hooks; it ends a block that provides a `Value<OF>`.
pub(crate) struct Hands<const AT: usize, const OF: usize>;
#[node]
impl<const AT: usize, const OF: usize> Hands<AT, OF> {
    async fn enter(&self, script: &Script) -> Result<Value<OF>, Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Value::new(script))
    }
    async fn exit(&self, script: &Script) {
        exit_unseen::<AT>(script).await;
    }
    fn cancelled(&self, _value: &Value<OF>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// The same without a way out, which never suspends.
pub(crate) struct Gives<const AT: usize, const OF: usize>;
#[node]
impl<const AT: usize, const OF: usize> Gives<AT, OF> {
    fn enter(&self, script: &Script) -> ControlFlow<Cut, Value<OF>> {
        note(Enter(AT));
        match go_on::<AT>(script) {
            Ok(()) => ControlFlow::Continue(Value::new(script)),
            Err(cut) => ControlFlow::Break(cut),
        }
    }
}

/// Says whether something runs.
pub(crate) struct Decide<const AT: usize>;
#[node]
impl<const AT: usize> Decide<AT> {
    async fn enter(&self, script: &Script) -> Result<bool, Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(script.of(AT).decision == 0)
    }
}

/// What [`Choose`] gives: a value that an arm binds, one that no arm does, none.
pub(crate) enum Choice<const AT: usize> {
    Bound(Value<AT>),
    Unbound(#[allow(dead_code, reason = "it is dropped")] Value<AT>),
    Empty,
}

/// Says which arm runs.
pub(crate) struct Choose<const AT: usize>;
#[node]
impl<const AT: usize> Choose<AT> {
    async fn enter(&self, script: &Script) -> Result<Choice<AT>, Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(match script.of(AT).decision {
            0 => Choice::Bound(Value::new(script)),
            1 => Choice::Unbound(Value::new(script)),
            _ => Choice::Empty,
        })
    }
    async fn exit(&self, script: &Script) {
        exit_unseen::<AT>(script).await;
    }
}

/// Wraps a block: waits before it and after it, and may abandon it.
pub(crate) struct Wrap<const AT: usize>;

/// What [`Wrap`] knows of its run.
pub(crate) struct Own<const AT: usize> {
    part: Part,
    _value: Value<AT>,
}

#[node]
impl<const AT: usize> Wrap<AT> {
    async fn enter(&self, script: &Script) -> Result<Own<AT>, Cut> {
        note(Enter(AT));
        wait::<AT>(Way::In, script.of(AT).suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Own { part: *script.of(AT), _value: Value::new(script) })
    }
    async fn around<B: Future>(&self, own: &mut Own<AT>, mut block: Pin<&mut B>) -> Result<B::Output, Cut> {
        let Part { suspends_out, panics_around, panics_out, mut abandons_after, .. } = own.part;
        note(Around(AT));
        wait::<AT>(Way::In, suspends_out).await;
        if panics_around {
            panic_silently("around");
        }
        let output = poll_fn(|context| {
            // It does something before each poll of its block, and after.
            let mut polls = || {
                runs(name(AT), Way::In);
                let poll = block.as_mut().poll(context);
                runs(name(AT), if poll.is_ready() { Way::Out } else { Way::In });
                poll
            };
            let Some(left) = &mut abandons_after else { return polls().map(Some) };
            if *left == 0 {
                return Poll::Ready(None);
            }
            *left -= 1;
            match polls() {
                Poll::Pending if *left == 0 => Poll::Ready(None),
                poll => poll.map(Some),
            }
        });
        let Some(output) = output.await else {
            note(Abandoned(AT));
            return Err(Cut::new(AT, &own.part));
        };
        wait::<AT>(Way::Out, suspends_out).await;
        if panics_out {
            panic_silently("out");
        }
        note(Done(AT));
        Ok(output)
    }
}

/// Wraps a block and runs it again, if it replies.
pub(crate) struct Again<const AT: usize>(pub(crate) Part);
#[node]
impl<const AT: usize> Again<AT> {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        note(Around(AT));
        let output = block.await;
        note(Done(AT));
        output
    }
    fn again(&self, attempt: u32, _reply: &Reply) -> Option<impl Future<Output = ()> + use<AT>> {
        let Part { suspends_in, panics_out, panics_around, runs, .. } = self.0;
        if panics_out {
            panic_silently("again");
        }
        note(AskedAgain(AT, attempt < runs));
        (attempt < runs).then_some(async move {
            wait::<AT>(Way::Out, suspends_in).await;
            if panics_around {
                panic_silently("pause");
            }
        })
    }
}

/// The same, without a pause.
pub(crate) struct Anew<const AT: usize>(pub(crate) Part);
#[node]
impl<const AT: usize> Anew<AT> {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        note(Around(AT));
        let output = block.await;
        note(Done(AT));
        output
    }
    fn again(&self, attempt: u32, _reply: &Reply) -> bool {
        let Part { panics_out, runs, .. } = self.0;
        if panics_out {
            panic_silently("again");
        }
        note(AskedAgain(AT, attempt < runs));
        attempt < runs
    }
}

/// A shape as data, for the interpreter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) enters: bool,
    pub(crate) suspends_in: bool,
    pub(crate) breaks: bool,
    pub(crate) provides: bool,
    pub(crate) exits: bool,
    pub(crate) suspends_out: bool,
    pub(crate) cancels: bool,
    /// Its way out sees neither the ending nor the reply.
    pub(crate) unseen: bool,
    /// Who provided what it is lent, on its way in and on its way out.
    pub(crate) reaches: Option<usize>,
}

pub(crate) const fn shape(letters: &str) -> Shape {
    const fn has(letters: &str, letter: u8) -> bool {
        let (bytes, mut at) = (letters.as_bytes(), 0);
        while at < bytes.len() {
            if bytes[at] == letter {
                return true;
            }
            at += 1;
        }
        false
    }
    Shape {
        enters: has(letters, b'i'),
        suspends_in: has(letters, b'I'),
        breaks: has(letters, b'b'),
        provides: has(letters, b'p'),
        exits: has(letters, b'o'),
        suspends_out: has(letters, b'O'),
        cancels: has(letters, b'c'),
        unseen: has(letters, b'u'),
        reaches: None,
    }
}

/// The shape of [`Reach`].
pub(crate) const fn reach(from: usize) -> Shape {
    Shape { reaches: Some(from), ..shape("iIbpoOc") }
}

/// The shape of [`Grasp`].
pub(crate) const fn grasp(from: usize) -> Shape {
    Shape { reaches: Some(from), ..shape("ibpoc") }
}

macro_rules! shape_of {
    (Plain) => {
        $crate::nodes::shape("ip")
    };
    (Waits) => {
        $crate::nodes::shape("iIbp")
    };
    (Gate) => {
        $crate::nodes::shape("ib")
    };
    (Hooks) => {
        $crate::nodes::shape("ibpoc")
    };
    (Slow) => {
        $crate::nodes::shape("iIbpoOc")
    };
    (Out) => {
        $crate::nodes::shape("oO")
    };
    (Dies) => {
        $crate::nodes::shape("c")
    };
    (Mixed) => {
        $crate::nodes::shape("iIpo")
    };
    (Flow) => {
        $crate::nodes::shape("ibpc")
    };
    (Late) => {
        $crate::nodes::shape("iboOc")
    };
    (Inner) => {
        $crate::nodes::shape("iIbpoOcu")
    };
    (Closing) => {
        $crate::nodes::shape("iIboOcu")
    };
    (Hands) => {
        $crate::nodes::shape("iIbpoOcu")
    };
    (Gives) => {
        $crate::nodes::shape("ibp")
    };
    (Choose) => {
        $crate::nodes::shape("iIboOu")
    };
    (Decide) => {
        $crate::nodes::shape("iIb")
    };
}
pub(crate) use shape_of;
