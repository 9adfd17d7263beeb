//! The process ends as with kill -9: at each named crash point, and at random under load.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::json;
use tokio::time::sleep;

use super::crowd::Crowd;
use super::stage::Stage;
use super::{Outcome, Scene};
use crate::run::Dice;

/// A crash point that is never reached is a failure.
const REACHED: Duration = Duration::from_secs(120);
/// How long visitors write at one pace.
const SPELL: Duration = Duration::from_secs(4);
const SETTLE: Duration = Duration::from_secs(120);

/// What makes the server pass a crash point.
enum By {
    /// Visitors and an owner.
    Traffic,
    Start,
    Stop,
    /// A start, or an edit of the documents.
    Documents,
}

/// How a crash point is reached, and how often it is passed at most before the process ends there.
fn point(name: &str) -> (By, u64) {
    match name {
        "K21" => (By::Stop, 1),
        "K22" => (By::Start, 2),
        "K25" => (By::Documents, 1),
        "K9" | "K10" | "K11" | "K12" | "K13" | "K14" => (By::Traffic, 3),
        _ => (By::Traffic, 25),
    }
}

/// One crash point under one seed.
pub(super) async fn at_point(scene: &Scene) -> Result<Outcome> {
    let mut dice = Dice::new(scene.seed);
    let (by, most) = point(scene.case);
    let times = 1 + dice.roll() % most;
    let mut stage = Stage::new(scene)?;
    let fail = |times| Some(format!("{}:{times}:abort", scene.case));
    match by {
        By::Traffic => {
            stage.launch.failpoint = fail(times);
            stage.begin()?;
            traffic(scene, stage).await
        }
        By::Stop => {
            stage.launch.failpoint = fail(times);
            stage.start().await?;
            let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
            crowd
                .chatter(&mut stage, (PACE, Duration::from_millis(500 + dice.roll() % 1_000)))
                .await?;
            stage.program()?.signal(Signal::TERM)?;
            resume(stage, crowd).await
        }
        By::Documents if scene.seed % 2 == 1 => {
            // The first pass is that of the start.
            stage.launch.failpoint = fail(2);
            stage.start().await?;
            let crowd = Crowd::gather(&stage, 3, scene.seed)?;
            std::fs::write(
                stage.place.knowledge().join("new.md"),
                "# News\n\nThe office is open at nine.\n",
            )?;
            resume(stage, crowd).await
        }
        By::Start | By::Documents => {
            stage.launch.failpoint = fail(times);
            stage.begin()?;
            let ended = stage.program()?.end(REACHED).await?;
            ensure!(ended.is_some(), "the start never came to it");
            stage.again().await?;
            let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
            crowd.chatter(&mut stage, (PACE, Duration::from_secs(1))).await?;
            finish(stage, crowd).await
        }
    }
}

/// Time between messages, of all visitors together.
const PACE: Duration = Duration::from_millis(120);

async fn traffic(scene: &Scene, mut stage: Stage) -> Result<Outcome> {
    // Writes of the start pass some of the points already.
    let up = stage.program()?.ready().await.is_ok();
    let owner = if up { stage.owner().await.ok() } else { None };
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    let warm_up = Duration::from_millis(300);
    let mut ended = crowd.chatter(&mut stage, (PACE, warm_up)).await?;
    // One conversation has a person from here on, whatever becomes of the request.
    let taken = crowd.tabs()[1].conversation();
    if let (Some(owner), Some(id), false) = (owner, taken, ended) {
        let id_of_line = format!("{:032x}", scene.seed + 1);
        let body =
            json!({ "client_msg_id": id_of_line, "text": "A person is here.", "suggestion": null });
        let path = format!("/console/api/conversations/{id}/messages");
        let answer = owner.command(&path, &body).await;
        if let Ok((200, answer)) = answer {
            let answer: serde_json::Value = serde_json::from_str(&answer)?;
            stage.taken(id, answer["seq"].as_i64().unwrap_or(0)).await?;
        }
    }
    // Slower and slower, so that replies come to their end too.
    for pace in [1, 3, 8] {
        ended = ended || crowd.chatter(&mut stage, (PACE * pace, SPELL)).await?;
    }
    // A machine that others use too takes its time.
    ended = ended || crowd.chatter(&mut stage, (PACE * 16, REACHED)).await?;
    ensure!(ended, "no traffic came to it");
    resume(stage, crowd).await
}

/// The server ends at the crash point; another one starts, and everybody comes back.
async fn resume(mut stage: Stage, mut crowd: Crowd) -> Result<Outcome> {
    let ended = stage.program()?.end(REACHED).await?;
    ensure!(ended.is_some(), "the server never came to it");
    crowd.say();
    stage.again().await?;
    finish(stage, crowd).await
}

async fn finish(mut stage: Stage, crowd: Crowd) -> Result<Outcome> {
    crowd.settle(SETTLE).await?;
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(what))
}

/// Visitors of the load, messages a second of all of them, and rounds of one seed.
const VISITORS: usize = 20;
const RATE: u64 = 200;
const ROUNDS: u64 = 5;

/// kill -9 at random times under load, again and again on the same data.
pub(super) async fn at_random(scene: &Scene) -> Result<Outcome> {
    let mut dice = Dice::new(scene.seed);
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, VISITORS, scene.seed)?;
    for _ in 0..ROUNDS {
        let until = Duration::from_millis(100 + dice.roll() % 1_500);
        load(&mut crowd, until).await;
        stage.program()?.kill()?;
        load(&mut crowd, Duration::from_millis(100)).await;
        stage.start().await?;
    }
    crowd.settle(SETTLE).await?;
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("{ROUNDS} kills, {what}")))
}

async fn load(crowd: &mut Crowd, time: Duration) {
    let began = tokio::time::Instant::now();
    let gap = Duration::from_millis(1_000 / RATE);
    let mut due = began;
    while began.elapsed() < time {
        crowd.say();
        due += gap;
        tokio::time::sleep_until(due).await;
    }
    sleep(Duration::ZERO).await;
}
