//! A length-prefixed protocol, over TCP and UDP: a chain whose input is a frame. It asks itself a few things and stops.

use bytes::{Buf, Bytes};
use chain_runtime::{chain, node};
use futures_util::{SinkExt, StreamExt};
use tokio::io;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::codec::{Framed, LengthDelimitedCodec};
use tokio_util::udp::UdpFramed;

/// What to do with which numbers; it borrows from the frame.
struct Task<'r>(u8, &'r [u8]);

#[node]
fn parse<'r>(frame: &'r [u8]) -> Result<Task<'r>, &'static str> {
    let (operation, numbers) = frame.split_first().ok_or("an empty frame")?;
    if numbers.len() % 4 == 0 { Ok(Task(*operation, numbers)) } else { Err("part of a number") }
}

#[node]
fn compute(task: &Task<'_>) -> Result<u32, &'static str> {
    let mut numbers = task.1.chunks_exact(4).map(|mut bytes| bytes.get_u32());
    match task.0 {
        b'+' => numbers.try_fold(0, u32::checked_add),
        b'*' => numbers.try_fold(1, u32::checked_mul),
        _ => return Err("no such operation"),
    }
    .ok_or("too large a number")
}

chain! {
    pub(crate) struct Calculator;
    fn<'r>(frame: &'r [u8]) -> Result<u32, &'static str> { parse => compute }
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().length_field_type::<u16>().max_frame_length(1024).new_codec()
}

fn answer(frame: &[u8]) -> Bytes {
    Calculator.run(frame).map_or_else(|wrong| format!("error: {wrong}"), |number| number.to_string()).into()
}

/// Serves one client, until it sends a frame that is too long, or half a frame.
pub(crate) async fn over_tcp(client: TcpStream) -> io::Result<()> {
    let mut client = Framed::new(client, codec());
    while let Some(frame) = client.next().await {
        client.send(answer(&frame?)).await?;
    }
    Ok(())
}

/// Serves all clients, a datagram each. What is no frame is dropped: who sent it may be anybody.
pub(crate) async fn over_udp(socket: UdpSocket) -> io::Result<()> {
    let mut clients = UdpFramed::new(socket, codec());
    while let Some(frame) = clients.next().await {
        match frame {
            Ok((frame, client)) => clients.send((answer(&frame), client)).await?,
            Err(_) => clients.read_buffer_mut().clear(),
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut client = Framed::new(TcpStream::connect(listener.local_addr()?).await?, codec());
    tokio::spawn(over_tcp(listener.accept().await?.0));
    for frame in [&b"+\0\0\0\x02\0\0\0\x03"[..], b"*\0\x01\0\0\0\x01\0\0", b"-", b""] {
        client.send(Bytes::from(frame)).await?;
        println!("{frame:?} over TCP: {:?}", client.next().await);
    }
    let (server, client) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    let (at, mut client) = (server.local_addr()?, UdpFramed::new(client, codec()));
    tokio::spawn(over_udp(server));
    client.send((Bytes::from("*\0\0\0\x06\0\0\0\x07"), at)).await?;
    println!("over UDP: {:?}", client.next().await);
    Ok(())
}
