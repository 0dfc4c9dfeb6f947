//! Chains whose inputs are frames, on plain sockets: a line protocol, a length-prefixed one, and datagrams. No HTTP anywhere.

#[path = "sockets/frames.rs"]
pub(crate) mod frames;
#[path = "sockets/lines.rs"]
pub(crate) mod lines;
#[path = "sockets/serve.rs"]
pub(crate) mod serve;

use std::{io, net::Ipv4Addr, sync::Arc};

use serve::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> io::Result<()> {
    let (stop, frames) = (CancellationToken::new(), Arc::new(frames::Frames::default()));

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let server = tokio::spawn(serve(listener, stop.clone(), Arc::default(), lines::converse));
    client.write_all(b"upper hello\nsleep 1\nsing\nupper without an end").await?;
    client.shutdown().await?;
    let mut answers = String::new();
    client.read_to_string(&mut answers).await?;
    print!("lines:\n{answers}");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let framed = tokio::spawn(serve(listener, stop.clone(), Arc::clone(&frames), frames::converse));
    client.write_all(&[0, 4, 2, 1, 2, 3]).await?;
    let mut answer = [0; 6];
    client.read_exact(&mut answer).await?;
    println!("length-prefixed: 2 times 1, 2, 3: {answer:?}");
    drop(client);

    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    client.connect(socket.local_addr()?).await?;
    let datagrams = tokio::spawn(frames::datagrams(socket, frames, stop.clone()));
    client.send(&[3, 5]).await?;
    let received = client.recv(&mut answer).await?;
    println!("datagram, 3 times 5: {:?}", &answer[..received]);

    stop.cancel();
    tokio::try_join!(server, framed, datagrams)?;
    println!("stopped");
    Ok(())
}
