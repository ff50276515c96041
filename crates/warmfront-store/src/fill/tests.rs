use std::pin::pin;
use std::task::Poll;

use super::*;
use crate::BodyReader;

const KEEP: FillLimits = FillLimits {
    keep_bytes_max: 100,
    window_bytes: 10,
};
const PASS: FillLimits = FillLimits {
    keep_bytes_max: 0,
    window_bytes: 10,
};

async fn next(reader: &mut BodyReader) -> Option<Result<Bytes, Truncated>> {
    poll_fn(|context| reader.poll_next(context)).await
}

async fn rest(mut reader: BodyReader) -> Result<Vec<u8>, Truncated> {
    let mut bytes = Vec::new();
    while let Some(slice) = next(&mut reader).await {
        bytes.extend_from_slice(&slice?);
    }
    Ok(bytes)
}

async fn is_pending(future: impl Future) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_reader_who_comes_late_sees_a_kept_body_whole() {
    let (mut fill, body) = Fill::begin(KEEP);
    let mut early = body.open().unwrap();
    assert!(fill.push(&mut Bytes::from_static(b"hello ")).await);
    assert_eq!(next(&mut early).await, Some(Ok(Bytes::from_static(b"hello "))));
    let late = body.open().unwrap();
    assert!(is_pending(next(&mut early)).await, "what has not arrived is waited for");
    assert!(fill.push(&mut Bytes::from_static(b"world")).await);
    let whole = fill.finish().await.unwrap();
    assert_eq!(rest(early).await.unwrap(), b"world");
    assert_eq!(rest(late).await.unwrap(), b"hello world");
    assert_eq!(whole.bytes(), Some(11));
    assert_eq!(rest(whole.open().unwrap()).await.unwrap(), b"hello world");
}

#[tokio::test]
async fn a_body_longer_than_what_is_kept_passes_at_the_slowest_readers_pace() {
    let (mut fill, body) = Fill::begin(PASS);
    let mut fast = body.open().unwrap();
    let mut slow = body.open().unwrap();
    assert!(fill.push(&mut Bytes::from_static(b"0123456789")).await);
    assert!(next(&mut fast).await.is_some());
    assert!(
        is_pending(fill.push(&mut Bytes::from_static(b"x"))).await,
        "the slow reader has not read yet"
    );
    assert!(next(&mut slow).await.is_some());
    assert!(fill.push(&mut Bytes::from_static(b"y")).await);
    assert!(fill.finish().await.is_none(), "it was not kept");
    assert_eq!(rest(fast).await.unwrap(), b"y");
    assert!(body.open().is_none(), "the beginning is gone");
    assert_eq!(rest(slow).await.unwrap(), b"y");
}

#[tokio::test]
async fn a_body_that_outgrows_the_limit_is_no_longer_kept_and_loses_no_byte() {
    let (mut fill, body) = Fill::begin(FillLimits {
        keep_bytes_max: 5,
        window_bytes: 100,
    });
    let reader = body.open().unwrap();
    assert!(fill.push(&mut Bytes::from_static(b"12345")).await);
    assert!(fill.is_kept());
    assert!(fill.push(&mut Bytes::from_static(b"6")).await);
    assert!(!fill.is_kept());
    assert!(fill.finish().await.is_none());
    assert_eq!(rest(reader).await.unwrap(), b"123456");
}

#[tokio::test]
async fn what_arrives_before_the_first_reader_is_there_waits_for_it() {
    let (mut fill, body) = Fill::begin(FillLimits {
        keep_bytes_max: 5,
        window_bytes: 10,
    });
    for _ in 0..2 {
        assert!(fill.push(&mut Bytes::from_static(b"12345")).await);
    }
    assert!(!fill.is_kept());
    assert!(
        is_pending(fill.push(&mut Bytes::from_static(b"x"))).await,
        "the window is full"
    );
    let reader = body.open().expect("nothing of it is gone");
    fill.finish().await;
    assert_eq!(rest(reader).await.unwrap(), b"1234512345");
}

#[tokio::test]
async fn what_waits_for_a_first_reader_is_given_up_when_none_will_come() {
    let (mut fill, body) = Fill::begin(PASS);
    assert!(fill.push(&mut Bytes::from_static(b"0123456789")).await);
    drop(body);
    fill.close();
    assert!(!fill.push(&mut Bytes::from_static(b"x")).await);
}

#[tokio::test]
async fn a_fill_that_breaks_off_truncates_its_readers() {
    let (mut fill, body) = Fill::begin(KEEP);
    let reader = body.open().unwrap();
    fill.push(&mut Bytes::from_static(b"half")).await;
    drop(fill);
    assert_eq!(rest(reader).await, Err(Truncated));
}

#[tokio::test]
async fn when_the_last_reader_of_a_passing_body_leaves_the_fetch_may_stop() {
    let (mut fill, body) = Fill::begin(PASS);
    assert!(fill.push(&mut Bytes::from_static(b"x")).await, "someone may still come");
    drop(body.open().unwrap());
    fill.close();
    assert!(!fill.push(&mut Bytes::from_static(b"x")).await);
    let (mut fill, body) = Fill::begin(KEEP);
    drop(body.open().unwrap());
    assert!(
        fill.push(&mut Bytes::from_static(b"x")).await,
        "a kept body is fetched to its end"
    );
}

#[tokio::test]
async fn a_passing_body_that_nobody_reads_or_can_open_any_more_is_not_fetched_to_its_end() {
    let (mut fill, body) = Fill::begin(PASS);
    let mut reader = body.open().unwrap();
    assert!(fill.push(&mut Bytes::from_static(b"0123456789")).await);
    assert!(next(&mut reader).await.is_some());
    assert!(fill.push(&mut Bytes::from_static(b"x")).await, "it is read");
    drop(reader);
    assert!(body.open().is_none(), "the beginning is gone");
    assert!(!fill.push(&mut Bytes::from_static(b"y")).await);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_for_a_reader_who_was_cut_off() {
    let (mut fill, body) = Fill::begin(PASS);
    let _silent = body.open().unwrap();
    let mut reader = body.open().unwrap();
    assert!(fill.push(&mut Bytes::from_static(b"0123456789")).await);
    assert!(next(&mut reader).await.is_some());
    assert!(fill.push(&mut Bytes::from_static(b"x")).await, "after ten seconds");
    drop(reader);
    assert!(!fill.push(&mut Bytes::from_static(b"y")).await);
}
