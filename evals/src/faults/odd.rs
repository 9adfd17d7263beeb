//! The clock, a holder of a lease who was away, a spoiled index, and a second process on the same data.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tokio::time::sleep;

use super::crowd::Crowd;
use super::place::Place;
use super::program::{Launch, Program};
use super::shim::Shim;
use super::stage::Stage;
use super::{Outcome, Scene};
use crate::run::Dice;

const SETTLE: Duration = Duration::from_secs(120);
const PACE: Duration = Duration::from_millis(150);
const HOUR_MS: i64 = 3_600_000;
const LONGEST: Duration = Duration::from_secs(120);

/// The clock jumps by an hour and a day in both directions.
pub(super) async fn clock(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::new(scene)?;
    let shim = Shim::build(stage.place.root())?;
    stage.launch.shim = Some(shim.launch());
    stage.start().await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    for offset in [0, HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS, 0] {
        shim.clock(offset)?;
        crowd.chatter(&mut stage, (PACE, Duration::from_millis(700))).await?;
    }
    crowd.settle(SETTLE).await?;
    // The bot still answers: whoever begins now hears something.
    let mut late = Crowd::gather(&stage, 1, scene.seed + 1_000)?;
    late.say();
    replied(&late).await?;
    late.settle(SETTLE).await?;
    let replies = crowd.met().replies + late.met().replies;
    drop((crowd, late));
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("{replies} replies shown, {what}")))
}

async fn replied(crowd: &Crowd) -> Result<()> {
    for _ in 0..LONGEST.as_millis() / 20 {
        if crowd.met().replies > 0 {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("the bot says nothing any more")
}

/// Whoever holds the lease of a reply is away for longer than the lease, as a whole process or as its thread alone.
pub(super) async fn away(scene: &Scene) -> Result<Outcome> {
    let process = scene.case == "paused process";
    let mut stage = Stage::new(scene)?;
    let shim = Shim::build(stage.place.root())?;
    stage.launch.shim = Some(shim.launch());
    let point = ["K9", "K11", "K12"][usize::try_from(scene.seed % 3)?];
    // The sweeper looks every 5 seconds; a thread that is away for longer finds its lease taken.
    stage.launch.failpoint =
        Some(format!("{point}:1:{}", if process { "stop" } else { "hold=12000" }));
    stage.start().await?;
    let mut crowd = Crowd::gather(&stage, 1, scene.seed)?;
    crowd.ask();
    if process {
        let began = std::time::Instant::now();
        while stage.program()?.state() != Some('T') {
            ensure!(began.elapsed() < LONGEST, "it never came to {point}");
            sleep(Duration::from_millis(5)).await;
        }
        shim.clock(HOUR_MS)?;
        stage.program()?.signal(Signal::CONT)?;
    } else {
        sleep(Duration::from_secs(2)).await;
        shim.clock(HOUR_MS)?;
    }
    replied(&crowd).await?;
    crowd.settle(SETTLE).await?;
    let replies = crowd.met().replies;
    ensure!(replies == 1, "{replies} replies to one question");
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("one reply, {what}")))
}

/// A file of the index is flipped, cut short or deleted while the server is down.
pub(super) async fn index(scene: &Scene) -> Result<Outcome> {
    let mut dice = Dice::new(scene.seed);
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 1, scene.seed)?;
    crowd.ask();
    replied(&crowd).await?;
    crowd.settle(SETTLE).await?;
    stage.program()?.kill()?;
    let mut files = Vec::new();
    files_below(&stage.place.data().join("index"), &mut files)?;
    files.sort();
    let at = usize::try_from(dice.roll())? % files.len().max(1);
    let path = files.get(at).context("there is no index")?;
    let how = spoil(path, &mut dice)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    stage.begin()?;
    let how = match stage.program()?.ready().await {
        Ok(_) => {
            let mut late = Crowd::gather(&stage, 1, scene.seed + 1_000)?;
            late.ask();
            replied(&late).await?;
            late.settle(SETTLE).await?;
            format!("{name} {how}: answers")
        }
        Err(_) => {
            let said = stage.program()?.said();
            let clear = said.contains("porchlight: ")
                && said.contains("index")
                && !said.contains("panicked");
            ensure!(clear, "{name} {how}: ended without a clear word:\n{said}");
            std::fs::remove_dir_all(stage.place.data().join("index"))?;
            stage.start().await?;
            format!("{name} {how}: refused, said why")
        }
    };
    crowd.settle(SETTLE).await?;
    drop(crowd);
    let what = stage.judge()?;
    let wrong = stage.wrong_answers()?;
    ensure!(wrong.is_empty(), "{how}: wrong answers: {wrong:?}");
    Ok(stage.outcome(format!("{how}, {what}")))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => files_below(&path, found)?,
            false => found.push(path),
        }
    }
    Ok(())
}

fn spoil(path: &Path, dice: &mut Dice) -> Result<&'static str> {
    let file = File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    match dice.roll() % 3 {
        0 if length > 0 => {
            let (at, mut byte) = (dice.roll() % length, [0]);
            file.read_exact_at(&mut byte, at)?;
            file.write_all_at(&[byte[0] ^ (1 << (dice.roll() % 8))], at)?;
            Ok("flipped")
        }
        1 if length > 0 => {
            file.set_len(dice.roll() % length)?;
            Ok("cut short")
        }
        _ => {
            std::fs::remove_file(path)?;
            Ok("deleted")
        }
    }
}

/// A second process on the same data is refused, and the first goes on.
pub(super) async fn second(scene: &Scene) -> Result<Outcome> {
    let mut stage = Stage::open(scene).await?;
    let mut crowd = Crowd::gather(&stage, 3, scene.seed)?;
    crowd.chatter(&mut stage, (PACE, Duration::from_millis(500))).await?;
    let elsewhere = Place::new(&format!("{}-other", scene.name()), scene.keep)?;
    let launch = Launch { data: Some(stage.place.data()), ..Launch::default() };
    let mut other = Program::start(&elsewhere, &launch)?;
    let status = other.end(LONGEST).await?;
    ensure!(status.is_some_and(|status| !status.success()), "the second one was not refused");
    let said = other.said();
    ensure!(
        said.contains("another Porchlight uses the data folder"),
        "it did not say why:\n{said}"
    );
    let before = crowd.met().acks;
    crowd.chatter(&mut stage, (PACE, Duration::from_millis(500))).await?;
    crowd.settle(SETTLE).await?;
    ensure!(crowd.met().acks > before, "the first one stores nothing any more");
    drop(crowd);
    stage.rests().await?;
    let what = stage.judge()?;
    Ok(stage.outcome(format!("refused, said why, {what}")))
}
