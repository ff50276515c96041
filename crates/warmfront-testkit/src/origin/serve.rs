use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::reply::Piece;
use super::{OriginRequest, Reply, Shared};
use crate::message::{BodyState, Framing, MessageError, MessageReader};

/// Connections live as long as this runs.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                connections.spawn(serve(stream, number, Arc::clone(&shared)));
                number += 1;
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, number: u64, shared: Arc<Shared>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (incoming, mut outgoing) = stream.into_split();
    let mut incoming = MessageReader::new(incoming);
    while let Ok(request) = read_request(&mut incoming, number).await {
        let reply = match shared.scripts.lock().get_mut(request.path()) {
            Some(script) => script(&request),
            None => Reply::unscripted(),
        };
        let method = request.method.clone();
        shared.requests.send_modify(|requests| requests.push(request));
        let sent = tokio::select! {
            biased;
            sent = send(&mut outgoing, &reply, &method, &shared) => sent,
            // One request at a time: whatever comes meanwhile is the connection's end.
            true = incoming.is_over() => Err(MessageError::Ended),
        };
        match sent {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return,
            Err(_) => {
                shared.n_broken.send_modify(|broken| *broken += 1);
                return;
            }
        }
    }
}

async fn read_request(
    incoming: &mut MessageReader<OwnedReadHalf>,
    connection: u64,
) -> Result<OriginRequest, MessageError> {
    let head = incoming.request_head().await?;
    let mut state = BodyState::new(Framing::of(&head.headers, Framing::Length(0)));
    let mut body = BytesMut::new();
    while let Some(piece) = incoming.body_piece(&mut state).await? {
        body.extend_from_slice(&piece);
    }
    Ok(OriginRequest {
        method: head.method,
        target: head.target,
        headers: head.headers,
        body: body.freeze(),
        connection,
    })
}

/// `Break`: the connection ends here.
async fn send(
    outgoing: &mut OwnedWriteHalf,
    reply: &Reply,
    method: &str,
    shared: &Shared,
) -> Result<ControlFlow<()>, MessageError> {
    outgoing.write_all(&reply.interim).await?;
    if let Some(gate) = &reply.before_head {
        gate.pass().await;
    }
    let has_body = reply.may_have_body(method);
    outgoing.write_all(&reply.head_bytes(has_body)).await?;
    for piece in &reply.body {
        match piece {
            Piece::Bytes(bytes) if has_body && reply.is_chunked() => send_chunk(outgoing, bytes, shared).await?,
            Piece::Bytes(bytes) if has_body => send_bytes(outgoing, bytes, shared).await?,
            Piece::Bytes(_) => {}
            Piece::Wait(gate) => gate.pass().await,
            Piece::Close => {
                outgoing.shutdown().await?;
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    if has_body && reply.is_chunked() {
        outgoing.write_all(b"0\r\n\r\n").await?;
    }
    if reply.ends_with_close() {
        outgoing.shutdown().await?;
        return Ok(ControlFlow::Break(()));
    }
    Ok(ControlFlow::Continue(()))
}

async fn send_chunk(outgoing: &mut OwnedWriteHalf, bytes: &Bytes, shared: &Shared) -> Result<(), MessageError> {
    outgoing.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    send_bytes(outgoing, bytes, shared).await?;
    outgoing.write_all(b"\r\n").await?;
    Ok(())
}

async fn send_bytes<W: AsyncWrite + Unpin>(
    outgoing: &mut W,
    bytes: &Bytes,
    shared: &Shared,
) -> Result<(), MessageError> {
    let mut left = &bytes[..];
    while !left.is_empty() {
        let n = outgoing.write(left).await?;
        shared.sent_bytes.fetch_add(n as u64, Ordering::Relaxed);
        left = &left[n..];
    }
    Ok(())
}
