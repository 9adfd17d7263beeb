//! The threads that own the models, the bounded queues in front of them, and the handle everybody else holds.

mod drafting;
mod shelf;
mod stream;

use std::any::Any;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use candle_core::quantized::gguf_file::Content;
use engine::draft::Mode;
use engine::model::{Model, ModelCard, ModelError, Prompt, Sampling, Stop, Token};

use crate::chat;
use crate::decoder::{Decoder, DecoderError};
use crate::device::{self, Place};
use crate::encoder::{Encoder, EncoderError};
use crate::gguf::{self, GgufError};
use crate::tokenizer::{Tokenizer, TokenizerError};
use drafting::Drafter;
pub use drafting::SLOTS;

/// Tokens that may wait for a slow reader of `generate` before decoding waits for it.
const TOKENS_AHEAD: usize = 32;

/// What to load, and how to run it.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Folder with the encoder's three files.
    pub encoder_dir: PathBuf,
    /// Encoder's id, for records.
    pub encoder_id: String,
    /// The drafter's GGUF file.
    pub drafter_file: PathBuf,
    /// Drafter's id, for records.
    pub drafter_id: String,
    /// Hex SHA-256 of the drafter's file, for records.
    pub drafter_sha256: String,
    /// How this drafter drafts by default.
    pub draft: Mode,
    /// Tokens of prompt and reply together at most.
    pub context_tokens: usize,
    /// Requests that may wait for each model; more are refused as busy.
    pub queue: usize,
    /// Where to compute.
    pub place: Place,
    /// Threads of the drafter's arithmetic, and as many of the encoder's; on the processor.
    pub threads: usize,
}

/// Why models could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The drafter's file is damaged.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The drafter's file is whole but cannot be run.
    #[error("{path} cannot be run: {problem}", path = .path.display())]
    Drafter {
        /// Which file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The encoder's files cannot be run.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// No such place to compute.
    #[error("{0}")]
    Device(String),
    /// A thread could not be started.
    #[error("a thread for the models could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Holds the models by their queues; clones share them. The threads end when the last handle is dropped.
#[derive(Clone)]
pub struct Handle {
    card: Arc<ModelCard>,
    tokenizer: Arc<Tokenizer>,
    words: Arc<HashSet<String>>,
    encoder: SyncSender<Texts>,
    drafter: SyncSender<Job>,
    queue: usize,
    read: Arc<AtomicU64>,
}

/// Work for the encoder's thread.
struct Texts {
    texts: Vec<String>,
    reply: SyncSender<Result<Vec<Vec<f32>>, ModelError>>,
}

/// Work for the drafter's thread.
enum Job {
    Score {
        prompt: Vec<u32>,
        spans: Vec<Vec<u32>>,
        reply: SyncSender<Result<Vec<f32>, ModelError>>,
    },
    Generate {
        prompt: Vec<u32>,
        sampling: Sampling,
        steps: SyncSender<Step>,
    },
}

/// What the drafter's thread says while it decodes.
enum Step {
    /// Asks whether one is still there, while a prompt is read.
    Probe,
    Token(Token),
    Done(Result<Stop, ModelError>),
}

/// Loads the models, runs each once, and starts their threads.
///
/// # Errors
/// [`LoadError`] naming the file and what is wrong with it.
pub fn load(options: &LoadOptions) -> Result<Handle, LoadError> {
    let open = || device::open(options.place).map_err(LoadError::Device);
    // A device each: on a GPU, two threads must not share the state that its libraries keep for one.
    let (encoder_device, device) = (open()?, open()?);
    let encoder = Encoder::load(&options.encoder_dir, &encoder_device, options.threads)?;
    encoder.embed(&["warm up".into()])?;
    tracing::debug!("the encoder is loaded");
    gguf::validate(&options.drafter_file)?;
    let path = &options.drafter_file;
    let refuse = |problem: String| LoadError::Drafter { path: path.clone(), problem };
    let mut file = std::fs::File::open(path).map_err(|e| refuse(e.to_string()))?;
    let content = Content::read(&mut file).map_err(|e| refuse(e.to_string()))?;
    let tokenizer = Arc::new(Tokenizer::from_gguf(&content).map_err(|e| refuse(e.to_string()))?);
    let decoder = Decoder::load(&content, path, options.context_tokens, options.threads, &device)
        .map_err(|e: DecoderError| refuse(e.to_string()))?;
    if tokenizer.len() > decoder.vocabulary() {
        let (words, rows) = (tokenizer.len(), decoder.vocabulary());
        return Err(refuse(format!("its tokenizer has {words} words, its weights have {rows}")));
    }
    let context_tokens = decoder.config().context;
    let weights_mib = decoder.bytes() >> 20;
    let read = Arc::new(AtomicU64::new(0));
    let drafter = Drafter::new(decoder, tokenizer.clone(), read.clone());
    tracing::debug!(weights_mib, "the drafter is loaded");
    drafter.warm_up().map_err(|e| refuse(e.to_string()))?;
    tracing::debug!("the drafter is warm");
    let card = ModelCard {
        encoder: options.encoder_id.clone(),
        dimension: encoder.dimension(),
        drafter: options.drafter_id.clone(),
        drafter_sha256: options.drafter_sha256.clone(),
        context_tokens,
        draft: options.draft,
    };
    let queue = options.queue.max(1);
    let words = Arc::new(encoder.words());
    let encoder = serve("encoder", queue, move |jobs: Receiver<Texts>| {
        for job in jobs {
            let vectors = guarded(|| {
                encoder.embed(&job.texts).map_err(|e| ModelError::Failed(e.to_string()))
            });
            // Nobody waits any more when this fails.
            let _ = job.reply.send(vectors);
        }
    })?;
    let drafter = serve("drafter", queue, move |jobs: Receiver<Job>| drafter.serve(&jobs))?;
    Ok(Handle { card: Arc::new(card), tokenizer, words, encoder, drafter, queue, read })
}

/// Starts a thread that owns `work`, which does jobs until all senders are gone.
fn serve<J: Send + 'static>(
    name: &str,
    queue: usize,
    work: impl FnOnce(Receiver<J>) + Send + 'static,
) -> std::io::Result<SyncSender<J>> {
    let (sender, jobs) = sync_channel(queue);
    thread::Builder::new().name(name.into()).spawn(move || work(jobs))?;
    Ok(sender)
}

/// A panic in the arithmetic becomes an error; the thread lives on for the next job.
fn guarded<T>(work: impl FnOnce() -> Result<T, ModelError>) -> Result<T, ModelError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(ModelError::Failed(said(&*panic))))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "panic".into())
}

impl Handle {
    /// Tokens that the drafter has read so far, guesses that were wrong among them.
    pub fn tokens_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    fn send<J>(&self, queue: &SyncSender<J>, job: J) -> Result<(), ModelError> {
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => ModelError::Busy { waiting: self.queue },
            TrySendError::Disconnected(_) => ModelError::Gone,
        })
    }

    fn prompt(&self, prompt: &Prompt) -> Result<Vec<u32>, ModelError> {
        let ids = chat::encode(&self.tokenizer, prompt)?;
        let limit = self.card.context_tokens;
        if ids.len() >= limit {
            return Err(ModelError::TooLong { tokens: ids.len(), limit });
        }
        Ok(ids)
    }
}

impl From<TokenizerError> for ModelError {
    fn from(error: TokenizerError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Model for Handle {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let (reply, answer) = sync_channel(1);
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.send(&self.encoder, Texts { texts, reply })?;
        answer.recv().map_err(|_| ModelError::Gone)?
    }

    fn knows_word(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    fn count_tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(self.tokenizer.encode(text)?.len())
    }

    fn score(&self, prompt: &Prompt, continuations: &[&str]) -> Result<Vec<f32>, ModelError> {
        let prompt = self.prompt(prompt)?;
        let encode = |text: &&str| self.tokenizer.encode(text);
        let spans: Vec<Vec<u32>> = continuations.iter().map(encode).collect::<Result<_, _>>()?;
        let (limit, longest) =
            (self.card.context_tokens, spans.iter().map(Vec::len).max().unwrap_or(0));
        if prompt.len() + longest > limit {
            return Err(ModelError::TooLong { tokens: prompt.len() + longest, limit });
        }
        let (reply, answer) = sync_channel(1);
        self.send(&self.drafter, Job::Score { prompt, spans, reply })?;
        answer.recv().map_err(|_| ModelError::Gone)?
    }

    fn generate(
        &self,
        prompt: &Prompt,
        sampling: &Sampling,
        on_token: &mut dyn FnMut(&Token) -> ControlFlow<()>,
    ) -> Result<Stop, ModelError> {
        let prompt = self.prompt(prompt)?;
        let (steps, said) = sync_channel(TOKENS_AHEAD);
        self.send(&self.drafter, Job::Generate { prompt, sampling: sampling.clone(), steps })?;
        for step in said {
            match step {
                // Dropping the receiver is what tells the thread to stop.
                Step::Token(token) if on_token(&token).is_break() => return Ok(Stop::Cancelled),
                Step::Token(_) => {}
                // A callback that has nothing to take yet is asked by empty words whether it goes on.
                Step::Probe
                    if on_token(&Token { text: String::new(), logprob: 0.0 }).is_break() =>
                {
                    return Ok(Stop::Cancelled);
                }
                Step::Probe => {}
                Step::Done(end) => return end,
            }
        }
        Err(ModelError::Gone)
    }
}
