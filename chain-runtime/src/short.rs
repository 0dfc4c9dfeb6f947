//! What the short form, `chain!(a => b => c)`, stands on: a context that is lent whole or in parts, and the writing of
//! a break into its response.

use crate::context::{Context, Request, Respond, Response, Scratch};
use crate::flow::{Never, kind};
use crate::reset::Reset;

/// A context, lent to one node: whole, or in parts. `chain!` has checked that no node gets both.
#[derive(Debug)]
pub struct Lent<'s> {
    whole: Option<&'s mut Context>,
    request: Option<&'s mut Request>,
    response: Option<&'s mut Response>,
    scratch: Option<&'s mut Scratch>,
}

const LENT: &str = "chain!: a part of the context was asked for twice";

impl<'s> Lent<'s> {
    /// Lends this context.
    #[inline(always)]
    pub fn new(context: &'s mut Context) -> Self {
        Self { whole: Some(context), ..Self::nothing() }
    }

    /// Lends nothing.
    #[inline(always)]
    pub const fn nothing() -> Self {
        Self { whole: None, request: None, response: None, scratch: None }
    }

    #[inline(always)]
    fn split(&mut self) -> &mut Self {
        if let Some(Context { request, response, scratch }) = self.whole.take() {
            *self = Self { whole: None, request: Some(request), response: Some(response), scratch: Some(scratch) };
        }
        self
    }

    /// All of it.
    #[inline(always)]
    pub fn whole(&mut self) -> &'s mut Context {
        self.whole.take().expect(LENT)
    }

    /// The request.
    #[inline(always)]
    pub fn request(&mut self) -> &'s mut Request {
        self.split().request.take().expect(LENT)
    }

    /// The response.
    #[inline(always)]
    pub fn response(&mut self) -> &'s mut Response {
        self.split().response.take().expect(LENT)
    }

    /// The scratch buffers.
    #[inline(always)]
    pub fn scratch(&mut self) -> &'s mut Scratch {
        self.split().scratch.take().expect(LENT)
    }
}

/// The response as it was before a block that may run again; `None` for a block that does not.
pub fn before(response: &Response, runs_again: bool) -> Option<Response> {
    // If nothing was written, nothing is allocated.
    runs_again.then(|| response.clone())
}

/// Takes out what a discarded try has written. The response keeps its memory.
pub fn put_back(before: &Option<Response>, response: &mut Response) {
    let Some(before) = before else { return };
    response.reset();
    (response.status, response.version) = (before.status, before.version);
    for (name, value) in &before.headers {
        response.headers.append(name, value.clone());
    }
    response.extensions.extend(before.extensions.clone());
    response.body.extend_from_slice(&before.body);
}

/// Says that a break with `E` in the node `N` can be written into the context's response.
#[diagnostic::on_unimplemented(
    message = "chain[E201]: `{N}` breaks with `{E}`, which cannot be written into the context's response",
    label = "breaks with `{E}`",
    note = "implement `Respond` for `{E}`, or break with a `StatusCode` or a `(StatusCode, &'static str)`"
)]
pub trait CutInto<E, N> {
    /// Writes it.
    fn write(broke_with: E, response: &mut Response);
}

macro_rules! cuts {
    (breaks: $($breaks:ident)*; never: $($never:ident)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<E: Respond, N> CutInto<E, N> for kind::$breaks {
                #[inline]
                fn write(broke_with: E, response: &mut Response) {
                    broke_with.respond(response);
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<N> CutInto<Never, N> for kind::$never {
                #[inline]
                fn write(broke_with: Never, _: &mut Response) {
                    match broke_with {}
                }
            }
        )*
    };
}

cuts! { breaks: Fails OnlyFails Breaks OnlyBreaks; never: Gives Never NeverFails NeverBreaks }

/// Says that the value that the last node, `N`, gives can be written into the context's response. `()` leaves the
/// response as it is.
#[diagnostic::on_unimplemented(
    message = "chain[E202]: the chain ends with `{N}`, which gives `{T}`, and that cannot be written into the context's response",
    label = "gives `{T}`",
    note = "end the chain with a node that returns `()`, or implement `Respond` for `{T}`"
)]
pub trait EndInto<T, N> {
    /// Writes it.
    fn write(gave: T, response: &mut Response);
}

macro_rules! ends {
    (gives: $($gives:ident)*; never: $($never:ident)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<T: Respond, N> EndInto<T, N> for kind::$gives {
                #[inline]
                fn write(gave: T, response: &mut Response) {
                    gave.respond(response);
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<N> EndInto<Never, N> for kind::$never {
                #[inline]
                fn write(gave: Never, _: &mut Response) {
                    match gave {}
                }
            }
        )*
    };
}

ends! { gives: Gives Fails NeverFails Breaks NeverBreaks; never: Never OnlyFails OnlyBreaks }
