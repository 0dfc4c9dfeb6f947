//! Each frame is one run of a chain: length-prefixed over TCP, or a datagram.

use std::{sync::Arc, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use chain_runtime::{Pool, Reset as _, chain, node};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::codec::{BytesCodec, FramedRead, FramedWrite, LengthDelimitedCodec};
use tokio_util::{sync::CancellationToken, udp::UdpFramed};

use super::lines::Tally;
use super::serve::{is_gone, linger};

/// The kind of the frame, and the rest of it: no byte is copied.
struct Header<'r>(u8, &'r [u8]);
pub(crate) struct Empty;

#[node]
fn parse<'r>(frame: &'r [u8]) -> Result<Header<'r>, Empty> {
    frame.split_first().map(|(kind, payload)| Header(*kind, payload)).ok_or(Empty)
}

/// Multiplies the bytes; kind 0 sleeps for as many seconds as they add up to.
#[node]
async fn act(header: &Header<'_>, answer: &mut BytesMut) -> Result<(), Empty> {
    answer.put_u8(header.0);
    match header.0 {
        0 => tokio::time::sleep(Duration::from_secs(header.1.iter().map(|byte| u64::from(*byte)).sum())).await,
        kind => answer.extend(header.1.iter().map(|byte| byte.wrapping_mul(kind))),
    }
    Ok(())
}

chain! {
    #[derive(Default)]
    pub(crate) struct Frames { pub(crate) tally: Tally }
    async fn<'r>(frame: &'r [u8], answer: &'r mut BytesMut) -> Result<(), Empty> { tally => parse => act }
}

/// Frames of at most 1024 bytes after a length of two bytes. A client that closes the connection cancels what is not
/// answered yet.
pub(crate) async fn converse(mut stream: TcpStream, chain: Arc<Frames>, stop: CancellationToken) {
    let codec = LengthDelimitedCodec::builder().length_field_type::<u16>().max_frame_length(1024).new_codec();
    let (read, write) = stream.split();
    let mut frames = FramedRead::new(read, codec.clone()).peekable();
    let mut answers = FramedWrite::new(write, codec);
    let mut answer = BytesMut::new();
    // A frame that is too long, or half a frame before the end, ends the connection: the next frame could not be found.
    while let Some(Some(Ok(frame))) = stop.run_until_cancelled(frames.next()).await {
        answer.reset();
        let done = tokio::select! {
            biased;
            done = chain.run(&frame, &mut answer) => done,
            // Reads ahead by one frame, which then waits in its place.
            true = async { std::pin::Pin::new(&mut frames).peek().await.is_none_or(|next| next.as_ref().is_err_and(is_gone)) } => return,
        };
        let answer = done.map_or(Bytes::from_static(&[0xFF]), |()| answer.split().freeze());
        if answers.send(answer).await.is_err() {
            return;
        }
    }
    linger(stream).await;
}

/// Each datagram is a frame, 64 at once, each with memory of its own. There is no sign that a client is gone.
pub(crate) async fn datagrams(socket: UdpSocket, chain: Arc<Frames>, stop: CancellationToken) {
    let (socket, pool) = (Arc::new(socket), Pool::<BytesMut>::default());
    let received = UdpFramed::new(Arc::clone(&socket), BytesCodec::new()).take_until(stop.cancelled());
    received
        .for_each_concurrent(64, async |received| {
            let (Ok((frame, from)), mut answer) = (received, pool.get()) else { return };
            if let Ok(()) = chain.run(&frame, &mut answer).await {
                // A datagram may be lost, here as on its way.
                let _ = socket.send_to(&answer, from).await;
            }
        })
        .await;
}
