//! A reply's body on its way to the client.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::connection::Underway;
use super::streams::{Stage, Watch};
use crate::framing::{self, Asked};

/// Over HTTP/2, no more than this of a reply is handed to hyper at once: hyper buffers what does not fit into the
/// client's window.
const PART: usize = 16 << 10;

pin_project! {
    /// A body whose request is under way until it has been sent or given up.
    pub(super) struct Sent<B> {
        #[pin]
        body: framing::Sent<B>,
        // The rest of a part that was too large.
        rest: Bytes,
        watch: Option<Arc<Watch>>,
        underway: Underway,
    }
}

/// The reply, ready to be sent: framed by its body, and watched.
pub(super) fn sent<B: Body>(
    reply: Response<B>,
    asked: Asked,
    watch: Option<Arc<Watch>>,
    underway: Underway,
) -> Response<Sent<B>> {
    if let Some(watch) = &watch {
        watch.is_at(Stage::Client);
    }
    asked.sent(reply).map(|body| Sent { body, rest: Bytes::new(), watch, underway })
}

impl<B: Body<Data = Bytes>> Body for Sent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(watch) = this.watch else { return this.body.poll_frame(context) };
        if this.rest.is_empty() {
            watch.is_at(Stage::Body);
            let frame = ready!(this.body.as_mut().poll_frame(context));
            if frame.is_some() {
                watch.is_at(Stage::Client);
            }
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => *this.rest = data,
                Some(Ok(Err(frame))) => return Poll::Ready(Some(Ok(frame))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let mut part = this.rest.len().min(PART);
        // The last byte goes by itself: hyper asks for it when everything before it has gone to the client, and until
        // then the request is under way.
        if part == this.rest.len() && part > 1 && this.body.is_end_stream() {
            part -= 1;
        }
        let part = this.rest.split_to(part);
        watch.took(part.len());
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.saturating_add(body.lower()));
        if let Some(upper) = body.upper() {
            hint.set_upper(rest.saturating_add(upper));
        }
        hint
    }
}
