//! Groups 9 and 10 around the limit of this server, bytes that break rules no case covers, and clients that never read.

use server::protocol::MAX_FRAME;

use super::{
    BINARY, CLOSE, FIN, LAST, MORE, PING, Raw, Street, TEXT, fragments, frame, good, handshake,
    head, masked, padded,
};

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_arrive_however_they_are_cut() {
    let mut street = Street::open().await;
    let text = padded(MAX_FRAME);
    for size in [64, 256, 1_024, 1_300, 4_096, 16_384, 65_535] {
        let bytes = fragments(TEXT, text.as_bytes(), size);
        street.check(&format!("9.3 and 10.1, {size}"), &bytes, "pong").await;
    }
    street.check("an octet each", &fragments(TEXT, text.as_bytes(), 1), "pong").await;
    let empty = frame(MORE, "").repeat(10_000);
    let bytes = [frame(TEXT, padded(15)), empty, frame(FIN | MORE, "")].concat();
    street.check("10,000 empty fragments", &bytes, "pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_ends_the_socket() {
    let mut street = Street::open().await;
    let over = padded(MAX_FRAME + 1);
    for (name, bytes) in [
        ("an octet over", frame(FIN | TEXT, &over)),
        ("in fragments", fragments(TEXT, over.as_bytes(), 8_000)),
        ("1.1.8 and 9 announced: 16 MiB and one", head(FIN | TEXT, (16 << 20) + 1)),
        ("announced: the most there can be", head(FIN | TEXT, u64::MAX >> 1)),
        ("announced: with the top bit", head(FIN | TEXT, u64::MAX)),
        ("announced: a huge ping", head(PING, 1 << 30)),
        ("announced: a huge close", head(CLOSE, 1 << 62)),
        (
            "more and more",
            frame(TEXT, padded(60_000)).into_iter().chain(frame(MORE, &over).repeat(4)).collect(),
        ),
    ] {
        street.check(name, &bytes, "1009").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn masks_and_lengths_are_read_as_they_are() {
    let mut street = Street::open().await;
    let unmasked = [&[FIN | TEXT, 15][..], padded(15).as_bytes()].concat();
    street.check("not masked", &unmasked, "1002").await;
    street.check("a ping not masked", &[PING, 0], "1002").await;
    let unmasked = [&[FIN | BINARY, 126, 0, 200][..], &[0; 200]].concat();
    street.check("binary, not masked", &[good(), unmasked].concat(), "pong 1002").await;
    // Known deviations: the RFC asks for the shortest form of a length, the library takes the others too.
    for form in [&[0x80 | 126, 0, 15][..], &[0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 15]] {
        let mut bytes = [&[FIN | TEXT], form, &super::MASK].concat();
        bytes.extend(masked(padded(15).as_bytes()));
        street.check("a length in a longer form", &bytes, "pong").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_may_come_with_the_handshake() {
    let mut street = Street::open().await;
    let hello = frame(FIN | TEXT, r#"{"type":"hello","v":1}"#);
    let bytes =
        [handshake::request(&street.house).as_bytes(), &hello, &good(), &frame(FIN | TEXT, LAST)]
            .concat();
    for size in [bytes.len(), 1] {
        let mut raw = Raw::connect(&street.house).await;
        raw.send_in(&bytes, size).await;
        assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
        let words = [raw.next().await, raw.next().await, raw.next().await];
        assert_eq!(words, ["welcome", "pong", "the end"]);
    }
    street.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_by_one_who_does_not_read_ends() {
    let mut street = Street::open().await;
    let mut flood = Raw::greeted(&street.house).await;
    flood.send(&frame(PING, [b'*'; 125]).repeat(2_000)).await;
    street.goes_on().await;
    let mut pongs = 0;
    let last = loop {
        match flood.next().await {
            pong if pong.starts_with("(***") => pongs += 1,
            slower if slower == "too_fast" => {}
            last => break last,
        }
    };
    assert_eq!(last, "4000");
    assert!((40..2_000).contains(&pongs), "{pongs}");
    street.goes_on().await;
}
