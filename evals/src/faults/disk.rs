//! The disk: full, failing, read-only, and files that were torn or deleted while the server was down.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use super::crowd::Crowd;
use super::shim::{Call, EIO, ENOSPC, EROFS, KILL, On, Rule, Shim};
use super::stage::Stage;
use super::{Outcome, Scene};
use crate::run::Dice;

const SETTLE: Duration = Duration::from_secs(120);
const PACE: Duration = Duration::from_millis(60);
/// How long something fails.
const WHILE: Duration = Duration::from_secs(2);
/// What was on its way when it began to fail has its answer after this.
const ON_ITS_WAY: Duration = Duration::from_millis(400);
/// A start or an end that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(120);

/// A stage with the shim in its server.
async fn shimmed(scene: &Scene) -> Result<(Stage, Shim)> {
    let mut stage = Stage::new(scene)?;
    let shim = Shim::build(stage.place.root())?;
    stage.launch.shim = Some(shim.launch());
    stage.start().await?;
    Ok((stage, shim))
}

/// No space, a failing or a read-only disk: messages are refused and sent again, and the same process goes on when it is over.
pub(super) async fn refuses(scene: &Scene) -> Result<Outcome> {
    let (call, error) = match scene.case {
        "disk full" => (Call::Write, ENOSPC),
        "EIO on write" => (Call::Write, EIO),
        "read-only" => (Call::Write, EROFS),
        _ => (Call::Read, EIO),
    };
    let (mut stage, shim) = shimmed(scene).await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_millis(800))).await?;
    shim.rule(Rule::all(call, error))?;
    crowd.chatter(&mut stage, (PACE, ON_ITS_WAY)).await?;
    let before = crowd.met();
    let ended = crowd.chatter(&mut stage, (PACE, WHILE)).await?;
    let (after, hits) = (crowd.met(), shim.hits(call)?);
    ensure!(!ended, "the server ended:\n{}", stage.program()?.said());
    if matches!(call, Call::Write) {
        ensure!(hits > 0, "no call failed: the round proves nothing");
        ensure!(
            before.acks == after.acks,
            "{} acks while nothing could be stored",
            after.acks - before.acks
        );
        ensure!(after.refusals > 0, "nothing was refused with a time to try again");
    }
    shim.lift()?;
    crowd.settle(SETTLE).await?;
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("{hits} calls failed, {} refusals, {what}", after.refusals)))
}

/// A failed sync may have lost what it was about: the process ends, says why, and the next one reads what is there.
pub(super) async fn sync_fails(scene: &Scene) -> Result<Outcome> {
    let (mut stage, shim) = shimmed(scene).await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_millis(800))).await?;
    let skip = Dice::new(scene.seed).roll() % 8;
    shim.rule(Rule { skip, ..Rule::all(Call::Sync, EIO) })?;
    let ended = crowd.chatter(&mut stage, (PACE, LONGEST)).await?;
    ensure!(ended, "the server went on after a sync had failed");
    let status =
        stage.program()?.ended()?.is_some_and(|status| status.code().is_some_and(|code| code != 0));
    ensure!(status, "it ended, but not with a status that says so");
    let said = stage.program()?.said();
    ensure!(said.contains("sync"), "it did not say why it ended:\n{said}");
    shim.lift()?;
    finish(stage, crowd, "ended, said why").await
}

/// The process ends inside a write to the log or, at a stop, to the database itself: half of the write is there.
pub(super) async fn torn_write(scene: &Scene) -> Result<Outcome> {
    let mut dice = Dice::new(scene.seed);
    let (mut stage, shim) = shimmed(scene).await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_millis(500))).await?;
    let checkpoint = scene.case == "torn checkpoint";
    let (on, most) = if checkpoint { (On::Main, 6) } else { (On::Log, 60) };
    let rule = Rule { skip: dice.roll() % most, on, torn: true, ..Rule::all(Call::Write, KILL) };
    shim.rule(rule)?;
    if checkpoint {
        stage.program()?.signal(Signal::TERM)?;
    } else {
        crowd.chatter(&mut stage, (PACE, LONGEST)).await?;
    }
    let ended = stage.program()?.end(LONGEST).await?;
    ensure!(ended.is_some() && shim.hits(Call::Write)? > 0, "no write came to it");
    finish(stage, crowd, "torn").await
}

/// Power is lost: what was written to the log and not synced is gone or garbage.
pub(super) async fn power_loss(scene: &Scene) -> Result<Outcome> {
    let mut dice = Dice::new(scene.seed);
    let (mut stage, shim) = shimmed(scene).await?;
    let mut crowd = Crowd::gather(&stage, 6, scene.seed)?;
    crowd.chatter(&mut stage, (PACE / 4, Duration::from_millis(500))).await?;
    // Written, and not yet synced.
    shim.rule(Rule { skip: dice.roll() % 20, on: On::Log, ..Rule::all(Call::Sync, KILL) })?;
    crowd.chatter(&mut stage, (PACE / 4, LONGEST)).await?;
    ensure!(stage.program()?.ended()?.is_some(), "no sync came to it");
    let log = File::options()
        .read(true)
        .write(true)
        .open(stage.place.data().join("porchlight.db-wal"))?;
    let (synced, end) = (shim.synced()?, log.metadata()?.len());
    ensure!(end > synced, "everything was synced: the round proves nothing");
    let tear = synced + dice.roll() % (end - synced);
    if dice.roll().is_multiple_of(2) {
        log.set_len(tear)?;
    } else {
        let garbage: Vec<u8> = (tear..end).map(|_| dice.roll().to_le_bytes()[0]).collect();
        log.write_all_at(&garbage, tear)?;
    }
    drop(log);
    finish(stage, crowd, &format!("{} bytes lost", end - tear)).await
}

/// The index of the log is deleted while the server is down: it is made anew.
pub(super) async fn shm_deleted(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_secs(1))).await?;
    stage.program()?.kill()?;
    std::fs::remove_file(stage.place.data().join("porchlight.db-shm"))?;
    finish(stage, crowd, "opened").await
}

/// The head of the log is zeroed while the server is down: all that was not yet written into the database is lost, and no
/// program can bring it back. It opens all the same, and what is there is sound.
pub(super) async fn log_head_zeroed(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_secs(1))).await?;
    crowd.settle(SETTLE).await?;
    let acked = crowd.met().acks;
    drop(crowd);
    stage.program()?.kill()?;
    let log = File::options().write(true).open(stage.place.data().join("porchlight.db-wal"))?;
    log.write_all_at(&[0; 32], 0)?;
    drop(log);
    stage.again().await?;
    stage.program()?.kill()?;
    let dump = stage.dump()?;
    ensure!(dump.integrity == ["ok"], "{:?}", dump.integrity);
    let left: usize = dump.conversations.values().map(|kept| kept.messages.len()).sum();
    Ok(stage.outcome(format!(
        "opens, sound; of {acked} acked messages since the last checkpoint {left} are left"
    )))
}

/// The data folder may not be written at the start: a refusal that names it.
pub(super) async fn read_only_start(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 2, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_millis(500))).await?;
    stage.program()?.kill()?;
    let shim = Shim::build(stage.place.root())?;
    shim.rule(Rule::all(Call::Open, EROFS))?;
    stage.launch.shim = Some(shim.launch());
    stage.begin()?;
    let status = stage.program()?.end(LONGEST).await?;
    ensure!(status.is_some_and(|status| !status.success()), "it did not refuse");
    let said = stage.program()?.said();
    ensure!(said.contains("cannot be written"), "the refusal does not say what to do:\n{said}");
    finish(stage, crowd, "refused, said why").await
}

async fn finish(mut stage: Stage, mut crowd: Crowd, how: &str) -> Result<Outcome> {
    crowd.say();
    stage.again().await?;
    crowd.settle(SETTLE).await?;
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("{how}, {what}")))
}
