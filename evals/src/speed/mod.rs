//! `speed`: what the drafter reads and writes in a second, alone or side by side with llama.cpp on the same file.

mod busy;
mod ours;
mod peer;
mod replies;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use models::manifest::Manifest;
use models::store::{Store, hash_file};
use serde::Serialize;

use crate::house;
use crate::run::{self, Dice, RunOptions, RunResult, Setting};
use ours::{Figures, Ours};
use peer::Peer;

/// Tokens of prompt and reply together, as in the server; more when the options ask for it.
const CONTEXT: usize = 2_048;
/// Texts at once at most.
const MAX_BATCH: usize = 64;
/// Figures that differ by what is in a process, not by how fast it is; they get no ratio.
const NO_RATE: [&str; 4] = ["_ms", "_mib", "_same", "_cases"];
/// Ours that are held against another figure of the peer: what it writes after 512 tokens, a token at a time.
const AGAINST_DECODE: [&str; 3] = ["compose", "compose_without_guesses", "quote"];
/// That figure.
const DECODE: &str = "decode_512";

/// Words of the prompts.
const PARAGRAPH: &str = "thank you for writing to us about your order the parcel left our warehouse on monday morning \
    and should reach you within three working days if the box arrives damaged please keep the packaging take a photo of \
    it and send us the number from the label we will replace the item or return your money whichever you prefer a refund \
    takes five to ten days depending on your bank you can change the delivery address until the courier has collected the \
    parcel open your account choose the order and press edit when the lamp does not switch on check first that the \
    adapter is plugged in then hold the button for ten seconds until the light blinks twice and try to connect again";

/// Options of `speed`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    run: RunOptions,
    /// A GGUF file, or the id of a drafter in the store.
    #[arg(long, value_name = "PATH|ID", default_value = "smollm2-135m")]
    model: String,
    /// Folder where the models are kept.
    #[arg(long, env = "PORCHLIGHT__MODELS__DIR")]
    models_dir: Option<PathBuf>,
    /// Tokens of the prompts.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 512, 1024])]
    prompt: Vec<usize>,
    /// Tokens to write after each.
    #[arg(long, default_value_t = 64)]
    decode: usize,
    /// Texts that are written at once, after prompts of the shortest length.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8])]
    batch: Vec<usize>,
    /// Folders with `kb.jsonl`, `queries.jsonl` and `qrels.tsv`: replies over their passages and over the manual's are
    /// measured too, through the scheduler, and known words of the passages are read and scored (`quote`).
    #[arg(long, value_name = "DIR")]
    grounded: Vec<PathBuf>,
    /// Questions of each such folder and of the manual at most.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// While it measures, other processes keep this many cores busy.
    #[arg(long, default_value_t = 0)]
    busy: usize,
    /// Measure llama.cpp on the same file and prompts too, in turns.
    #[arg(long, value_name = "NAME", value_parser = ["llama.cpp"])]
    peer: Option<String>,
    /// Rounds; each figure is the median over them.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// `cpu`, or `cuda` in a build with the feature of that name.
    #[arg(long, default_value = "cpu", value_parser = ["cpu", "cuda"])]
    device: String,
}

/// What both sides measure. Texts are token ids, so that both read the very same.
#[derive(Debug, Serialize)]
struct Jobs {
    /// The GGUF file.
    model: PathBuf,
    /// Threads of the peer: as many as Porchlight's own arithmetic takes.
    threads: usize,
    /// Tokens of the longest text, prompt and what follows together.
    tokens: usize,
    /// One of each length.
    prompts: Vec<Vec<u32>>,
    /// Tokens to write after each prompt.
    decode: usize,
    /// Prompts of texts that are written together.
    batches: Vec<Vec<Vec<u32>>>,
    grounded: Vec<Known>,
}

/// A text that is known before it is decoded, of two tokens at least.
#[derive(Debug, Serialize)]
struct Known {
    prompt: Vec<u32>,
    text: Vec<u32>,
}

/// A model's file with what records say of it.
struct Found {
    path: PathBuf,
    id: String,
    sha256: String,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (lengths, batches) = sizes(options)?;
    let found = find(options)?;
    let longest = lengths.last().copied().unwrap_or_default() + options.decode;
    let ours = Ours::load(&found.path, longest.max(CONTEXT), house::place(&options.device))?;
    ensure!(
        longest <= ours.context(),
        "--prompt and --decode make {longest} tokens; the context of {} has {}",
        found.id,
        ours.context()
    );
    let mut jobs = Jobs {
        model: found.path.clone(),
        threads: models::device::threads(),
        tokens: longest,
        prompts: Vec::new(),
        decode: options.decode,
        batches: Vec::new(),
        grounded: Vec::new(),
    };
    fill(&mut jobs, (&lengths, &batches), options.run.seed, &|text| ours.encode(text))?;
    let mut cases = Vec::new();
    if !options.grounded.is_empty() {
        cases = replies::cases(&options.grounded, options.limit)?;
        jobs.grounded = known(&cases, &ours)?;
        let of = |row: &Known| row.prompt.len() + row.text.len();
        jobs.tokens = jobs.grounded.iter().map(of).fold(longest, usize::max);
    }
    let busy = load_average();
    let others = busy::Busy::start(options.busy)?;
    let measured = measure(options, &ours, (&jobs, &cases), &found.path)?;
    drop(others);
    let setting = Setting {
        drafter: found.id,
        drafter_sha256: found.sha256,
        device: options.device.clone(),
        ..Setting::here()
    };
    let mut result = RunResult::new("speed", &found.path, &options.run, setting);
    report(&measured, &jobs, &mut result)?;
    result.figure("load_ms", ours.load_ms);
    result.figure("load_average", busy);
    result.figure("busy_processes", options.busy as f64);
    result.figure("repeats", options.repeats as f64);
    result.finish(&options.run)
}

/// Lengths of prompts and counts of texts, in order and once each.
fn sizes(options: &Options) -> Result<(Vec<usize>, Vec<usize>)> {
    let in_order = |list: &[usize]| {
        let mut list = list.to_vec();
        list.sort_unstable();
        list.dedup();
        list
    };
    let (lengths, batches) = (in_order(&options.prompt), in_order(&options.batch));
    ensure!(lengths.first().is_some_and(|n| *n > 0), "--prompt: lengths are above 0");
    ensure!(
        batches.iter().all(|n| (1..=MAX_BATCH).contains(n)),
        "--batch: counts are from 1 to {MAX_BATCH}"
    );
    ensure!(options.decode > 0 && options.repeats > 0, "--decode and --repeats are above 0");
    Ok((lengths, batches))
}

/// The file of `--model`: a drafter of the store by its id, or any GGUF file by its path.
fn find(options: &Options) -> Result<Found> {
    let (manifest, name) = (Manifest::builtin(), &options.model);
    if let Some(entry) = manifest.model(name) {
        ensure!(entry.draft().is_some(), "`{name}` is an encoder; `speed` measures drafters");
        let at = Store::new(house::models_folder(options.models_dir.as_deref())?)
            .open(entry)
            .with_context(|| format!("`porchlight models pull {name}` fetches it"))?;
        let sha256 = entry.files.first().map(|file| file.sha256.clone()).unwrap_or_default();
        return Ok(Found { path: at.weights(), id: name.clone(), sha256 });
    }
    let path = Path::new(name);
    if !path.is_file() {
        let drafters = manifest.models().iter().filter(|entry| entry.draft().is_some());
        let ids: Vec<&str> = drafters.map(|entry| entry.id.as_str()).collect();
        bail!("--model {name}: there is no such file, and the drafters are {}", ids.join(", "));
    }
    let path = path.canonicalize().with_context(|| name.clone())?;
    let (sha256, _) = hash_file(&path).with_context(|| format!("{name} cannot be read"))?;
    let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Found { path, id, sha256 })
}

/// Processes that wanted a core in the last minute, before anything is measured: above 1, rates say little.
/// Not-a-number where the system does not say.
fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

/// Makes the prompts of the jobs.
fn fill(
    jobs: &mut Jobs,
    (lengths, batches): (&[usize], &[usize]),
    seed: u64,
    encode: &dyn Fn(&str) -> Result<Vec<u32>>,
) -> Result<()> {
    let mut dice = Dice::new(seed);
    for length in lengths {
        jobs.prompts.push(prompt(&mut dice, *length, encode)?);
    }
    let short = lengths.first().copied().unwrap_or(1);
    for count in batches {
        let texts = (0..*count).map(|_| prompt(&mut dice, short, encode));
        jobs.batches.push(texts.collect::<Result<_>>()?);
    }
    Ok(())
}

/// Ids of `length` tokens of real words in a seeded order.
fn prompt(
    dice: &mut Dice,
    length: usize,
    encode: &dyn Fn(&str) -> Result<Vec<u32>>,
) -> Result<Vec<u32>> {
    let words: Vec<&str> = PARAGRAPH.split_whitespace().collect();
    let mut ids = Vec::new();
    while ids.len() < length {
        let at = usize::try_from(dice.roll() % words.len() as u64).unwrap_or(0);
        ids.extend(encode(&format!(" {}", words[at]))?);
    }
    ids.truncate(length);
    Ok(ids)
}

/// The known words of the cases as ids.
fn known(cases: &[replies::Case], ours: &Ours) -> Result<Vec<Known>> {
    let mut found = Vec::new();
    for case in cases {
        let (prompt, text) =
            (ours.encode(&case.known.0)?, ours.encode(replies::quoted(&case.known.1))?);
        if text.len() > 1 && prompt.len() + text.len() <= ours.context() {
            found.push(Known { prompt, text });
        }
    }
    Ok(found)
}

/// Figures of all rounds.
struct Measured {
    ours: Vec<Figures>,
    /// Empty without a peer.
    peer: Vec<Figures>,
    /// The peer's package with its version.
    package: Option<String>,
}

/// Runs the rounds: ours, the peer's, ours, the peer's.
fn measure(
    options: &Options,
    ours: &Ours,
    (jobs, cases): (&Jobs, &[replies::Case]),
    file: &Path,
) -> Result<Measured> {
    let model = if cases.is_empty() {
        None
    } else {
        let encoder = house::models_folder(options.models_dir.as_deref())?.join("minilm-l6");
        Some(replies::model(file, &encoder, house::place(&options.device))?)
    };
    let mut peer = options.peer.as_ref().map(|_| Peer::install()).transpose()?;
    let mut measured = Measured { ours: Vec::new(), peer: Vec::new(), package: None };
    let bar = run::bar("speed", options.repeats);
    for _ in 0..options.repeats {
        let mut figures = ours.round(jobs)?;
        if let Some(model) = &model {
            figures.extend(replies::round(model, ours, cases)?);
        }
        measured.ours.push(figures);
        if let Some(peer) = &mut peer {
            let round = peer.round(jobs)?;
            measured.peer.push(round.figures);
            measured.package = Some(round.package);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(measured)
}

fn report(measured: &Measured, jobs: &Jobs, result: &mut RunResult) -> Result<()> {
    let ours = medians(&measured.ours);
    for (name, value) in &ours {
        result.figure(name, *value);
    }
    result.figure("threads", jobs.threads as f64);
    if let Some(package) = &measured.package {
        let peer = medians(&measured.peer);
        result.detail("peer_package", package)?;
        for (name, value) in &peer {
            result.grouped("peer", name, *value);
        }
        for (name, ratio) in ratios(&ours, &peer) {
            result.grouped("ratios", &name, ratio);
        }
    }
    result.detail("rounds", &measured.ours)?;
    result.detail("peer_rounds", &measured.peer)
}

/// Median of each figure over the rounds.
fn medians(rounds: &[Figures]) -> Figures {
    let names = rounds.iter().flat_map(Figures::keys);
    let of = |name: &String| rounds.iter().filter_map(|round| round.get(name).copied()).collect();
    names.map(|name| (name.clone(), median(of(name)))).collect()
}

/// The middle value, or the mean of the middle two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}

/// Ours over the peer's, of every rate that both have: above 1 Porchlight is faster.
fn ratios(ours: &Figures, peer: &Figures) -> Figures {
    let rates = ours.iter().filter(|(name, _)| !NO_RATE.iter().any(|end| name.ends_with(end)));
    let of = |name: &str| {
        if AGAINST_DECODE.contains(&name) { DECODE.to_owned() } else { name.to_owned() }
    };
    rates.filter_map(|(name, rate)| Some((name.clone(), rate / peer.get(&of(name))?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(rows: &[(&str, f64)]) -> Figures {
        rows.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn medians_are_the_middle() {
        let rows = [
            (vec![3.0], 3.0),
            (vec![9.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0], 2.5),
            (vec![1.0, 100.0, 3.0, 2.0], 2.5),
        ];
        for (values, expect) in rows {
            assert_eq!(median(values.clone()), expect, "{values:?}");
        }
        assert!(median(Vec::new()).is_nan());
        let rounds = [figures(&[("a", 1.0)]), figures(&[("a", 5.0)]), figures(&[("a", 2.0)])];
        assert_eq!(medians(&rounds), figures(&[("a", 2.0)]));
    }

    #[test]
    fn ratios_are_ours_over_the_peers_and_fall_when_we_slow_down() {
        let peer = figures(&[("decode_512", 40.0), ("ttft_512_ms", 9.0), ("other", 1.0)]);
        let ours = |rate| figures(&[("decode_512", rate), ("ttft_512_ms", 3.0), ("batch_8", 1.0)]);
        assert_eq!(ratios(&ours(60.0), &peer), figures(&[("decode_512", 1.5)]));
        assert_eq!(ratios(&ours(20.0), &peer), figures(&[("decode_512", 0.5)]));
        let copied = figures(&[("compose", 100.0), ("quote", 400.0), ("compose_same", 7.0)]);
        assert_eq!(ratios(&copied, &peer), figures(&[("compose", 2.5), ("quote", 10.0)]));
    }

    #[test]
    fn prompts_have_their_length_and_follow_the_seed() {
        let encode = |text: &str| Ok(text.bytes().map(u32::from).collect());
        let made = |seed, length| prompt(&mut Dice::new(seed), length, &encode).unwrap();
        for length in [1, 64, 1_000] {
            assert_eq!(made(7, length).len(), length);
        }
        assert_eq!(made(7, 64), made(7, 64));
        assert_ne!(made(7, 64), made(8, 64));
    }
}
