//! The network and the clients: slow, dead, resetting, cut again and again, sending twice, coming back all at once.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, prlimit};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::crowd::Crowd;
use super::proxy::{Proxy, Weather};
use super::stage::Stage;
use super::visitor::Order;
use super::{Outcome, Scene};

const SETTLE: Duration = Duration::from_secs(120);
const PACE: Duration = Duration::from_millis(50);
/// Clients of the restart avalanche.
const MANY: usize = 200;

/// One visitor behind a bad network, others beside it.
pub(super) async fn bad(scene: &Scene) -> Result<Outcome> {
    let (weather, time) = match scene.case {
        "slow socket" => (Weather::Slow(1_024), 4),
        "dead network" => (Weather::Dead, 6),
        _ => (Weather::Resets(3_000), 4),
    };
    let mut stage = Stage::open(scene).await?;
    let proxy = Proxy::open(stage.address(), scene.seed).await?;
    let mut fast = Crowd::gather(&stage, 3, scene.seed)?;
    let mut poor = Crowd::at(&stage, proxy.address.clone(), 2, scene.seed + 1_000)?;
    fast.chatter(&mut stage, (PACE, Duration::from_millis(500))).await?;
    if matches!(weather, Weather::Resets(_)) {
        poor.cut();
    }
    proxy.turn(weather);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(time) {
        (0..4).for_each(|_| poor.say());
        fast.chatter(&mut stage, (PACE, Duration::from_millis(300))).await?;
    }
    fast.settle(SETTLE).await?;
    let neighbours = fast.met().slowest_ms;
    proxy.turn(Weather::Fine);
    poor.settle(SETTLE).await?;
    let welcomes = poor.met().welcomes;
    drop((fast, poor, proxy));
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!(
        "{welcomes} welcomes of 2, neighbours' slowest ack {neighbours} ms, {what}"
    )))
}

/// Every connection is cut again and again while everybody writes.
pub(super) async fn cut(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 10, scene.seed)?;
    for _ in 0..8 {
        let time = crowd.moment(Duration::from_millis(1_200));
        crowd.chatter(&mut stage, (PACE / 5, time)).await?;
        crowd.cut();
    }
    crowd.settle(SETTLE).await?;
    let welcomes = crowd.met().welcomes;
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("{welcomes} welcomes, {what}")))
}

/// The same message five times from each of two tabs at once.
pub(super) async fn doubles(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 1, scene.seed)?;
    crowd.say();
    crowd.settle(SETTLE).await?;
    // Opens the second tab.
    crowd.say();
    crowd.settle(SETTLE).await?;
    ensure!(crowd.tabs().len() == 2, "there is no second tab");
    for _ in 0..3 {
        let line = crowd.line(5);
        crowd.tabs().iter().for_each(|tab| tab.order(Order::Say(line.clone())));
        crowd.settle(SETTLE).await?;
    }
    let began = Instant::now();
    while crowd.met().acks < 2 + 3 * 10 {
        ensure!(began.elapsed() < SETTLE, "{} acks of 32", crowd.met().acks);
        sleep(Duration::from_millis(10)).await;
    }
    crowd.settle(SETTLE).await?;
    drop(crowd);
    let what = stage.judge()?;
    Ok(stage.outcome(what))
}

/// A restart with many clients, all of whom come back at once.
pub(super) async fn avalanche(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, MANY, scene.seed)?;
    for _ in 0..MANY {
        crowd.say();
    }
    crowd.settle(SETTLE).await?;
    stage.again().await?;
    let began = Instant::now();
    crowd.settle(SETTLE).await?;
    let back = began.elapsed();
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("{MANY} clients back in {} ms, {what}", back.as_millis())))
}

/// No file can be opened any more: who is there is served, who comes waits, and the accept loop does not spin.
pub(super) async fn no_files(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_secs(1))).await?;
    crowd.settle(SETTLE).await?;
    let program = stage.program()?;
    let room = u64::try_from(program.files())? + 4;
    prlimit(
        Some(program.pid()?),
        Resource::Nofile,
        Rlimit { current: Some(room), maximum: Some(room) },
    )?;
    let mut strangers = Vec::new();
    for _ in 0..40 {
        strangers.push(TcpStream::connect(stage.address()).await?);
    }
    let (acks, cpu) = (crowd.met().acks, stage.program()?.cpu_ms());
    // Nobody writes, so that what is used is the accept loop's.
    sleep(Duration::from_secs(2)).await;
    let used = stage.program()?.cpu_ms() - cpu;
    ensure!(used < 1_000, "{used} ms of processor time in 2 s without a message: it spins");
    crowd.chatter(&mut stage, (PACE, Duration::from_secs(1))).await?;
    crowd.settle(SETTLE).await?;
    let more = crowd.met().acks - acks;
    ensure!(more > 0, "those who were there are not served any more");
    drop(strangers);
    crowd.cut();
    crowd.settle(SETTLE).await?;
    drop(crowd);
    let what = stage.judge()?;
    Ok(stage.outcome(format!("{more} acks without files, {used} ms of processor in 2 s, {what}")))
}
