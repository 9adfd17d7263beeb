//! A bad network: a proxy on the loopback that is slow, forwards nothing, or resets in the middle of a frame.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::run::Dice;

/// How the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    Fine,
    /// Bytes a second in each direction.
    Slow(u32),
    /// Nothing is forwarded, and nobody is told.
    Dead,
    /// Each connection is reset after at most so many bytes.
    Resets(u32),
}

/// The proxy; it ends when it is dropped.
pub(super) struct Proxy {
    weather: watch::Sender<Weather>,
    pub(super) address: String,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy in front of `server`.
    pub(super) async fn open(server: String, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (weather, now) = watch::channel(Weather::Fine);
        let dice = Arc::new(Mutex::new(Dice::new(seed)));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let roll = dice.lock().unwrap_or_else(std::sync::PoisonError::into_inner).roll();
                tokio::spawn(forward(client, server.clone(), now.clone(), roll));
            }
        });
        Ok(Self { weather, address, task })
    }

    pub(super) fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(client: TcpStream, server: String, weather: watch::Receiver<Weather>, roll: u64) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let most = match *weather.borrow() {
        Weather::Resets(most) => Some(1 + usize::try_from(roll % u64::from(most)).unwrap_or(0)),
        _ => None,
    };
    if most.is_some() {
        // Closed is reset then.
        let _ = client.set_zero_linger().and_then(|()| server.set_zero_linger());
    }
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_client, to_server, weather.clone(), most) => {}
        () = pump(from_server, to_client, weather, most) => {}
    }
}

/// Forwards one direction until it ends, or until `most` bytes have gone.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    most: Option<usize>,
) {
    let (mut chunk, mut left) = ([0; 512], most.unwrap_or(usize::MAX));
    loop {
        let Ok(mut count @ 1..) = from.read(&mut chunk).await else { return };
        // What was read stays here until the network is back.
        if weather.wait_for(|weather| *weather != Weather::Dead).await.is_err() {
            return;
        }
        let now = *weather.borrow();
        if let Weather::Slow(rate) = now {
            sleep(Duration::from_secs_f64(count as f64 / f64::from(rate))).await;
        }
        count = count.min(left);
        if to.write_all(&chunk[..count]).await.is_err() {
            return;
        }
        left -= count;
        if left == 0 {
            return;
        }
    }
}
