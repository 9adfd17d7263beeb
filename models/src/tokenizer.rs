//! Byte-pair tokenizers built from the metadata of a GGUF file.

use std::collections::HashMap;

use candle_core::quantized::gguf_file::{Content, Value};
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior};

/// Bytes of text taken at once: the split expressions backtrack, so their input is bounded.
pub const MAX_BYTES: usize = 32 * 1024;
/// GGUF's mark of control tokens such as `<|im_start|>`.
const CONTROL: i64 = 3;
/// GGUF's mark of tokens that a model's makers added as plain text.
const USER_DEFINED: i64 = 4;

/// How Qwen2 cuts text before merging (its `tokenizer.json`, field `pre_tokenizer`).
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// How Llama 3 cuts text: as Qwen2, with up to three digits together.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Why text or a vocabulary cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenizerError {
    /// The metadata lacks something or has it in another form.
    #[error("the file's `{key}` {problem}")]
    Metadata {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// The way this file wants text cut is not known here.
    #[error(
        "the tokenizer kind `{0}` is not supported; smollm, qwen2, llama-bpe and smaug-bpe are"
    )]
    Unsupported(String),
    /// The text is longer than [`MAX_BYTES`].
    #[error("the text has {0} bytes; {MAX_BYTES} is the most that is read at once")]
    TooLong(usize),
    /// The library failed.
    #[error("the tokenizer failed: {0}")]
    Library(String),
}

/// Text to ids and back.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    specials: HashMap<String, u32>,
    pieces: Vec<Vec<u8>>,
    /// Ids that end a message.
    pub stops: Vec<u32>,
}

impl Tokenizer {
    /// Words of the vocabulary.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is no word, which no file that is taken says.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Builds the tokenizer that the file describes.
    ///
    /// # Errors
    /// [`TokenizerError`] when metadata is missing or of a kind that is not supported.
    pub fn from_gguf(content: &Content) -> Result<Self, TokenizerError> {
        let model = text(content, "tokenizer.ggml.model")?;
        if model != "gpt2" {
            return Err(TokenizerError::Unsupported(model));
        }
        let tokens = texts(content, "tokenizer.ggml.tokens")?;
        let kinds = numbers(content, "tokenizer.ggml.token_type")?;
        let merges = merges(&texts(content, "tokenizer.ggml.merges")?)?;
        let vocab = tokens.iter().cloned().zip(0_u32..).collect::<tokenizers::models::bpe::Vocab>();
        let bpe = BPE::builder().vocab_and_merges(vocab, merges).build().map_err(library)?;
        let mut inner = tokenizers::Tokenizer::new(bpe);
        inner.with_pre_tokenizer(Some(cutting(&text(content, "tokenizer.ggml.pre")?)?));
        let added = |kind: i64| {
            let of_kind = tokens.iter().zip(&kinds).filter(move |(_, k)| **k == kind);
            of_kind.map(|(token, _)| AddedToken::from(token.clone(), false)).collect::<Vec<_>>()
        };
        // Control tokens are not registered: text that looks like one is tokenized as the text it is.
        inner.add_tokens(added(USER_DEFINED)).map_err(library)?;
        let control = tokens.iter().zip(0_u32..).zip(&kinds).filter(|(_, kind)| **kind == CONTROL);
        let specials: HashMap<String, u32> =
            control.map(|((token, id), _)| (token.clone(), id)).collect();
        let pieces = tokens.iter().zip(&kinds).map(|(t, kind)| piece(t, *kind)).collect();
        let stops = stops(content, &specials);
        Ok(Self { inner, specials, pieces, stops })
    }

    /// Ids of plain text; markers in it are text.
    ///
    /// # Errors
    /// [`TokenizerError::TooLong`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        if text.len() > MAX_BYTES {
            return Err(TokenizerError::TooLong(text.len()));
        }
        let encoding = self.inner.encode_fast(text, false).map_err(library)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Id of a control token.
    ///
    /// # Errors
    /// [`TokenizerError::Metadata`] when the vocabulary lacks it.
    pub fn special(&self, name: &str) -> Result<u32, TokenizerError> {
        self.specials.get(name).copied().ok_or_else(|| TokenizerError::Metadata {
            key: "tokenizer.ggml.tokens".into(),
            problem: format!("lack the marker {name}; Porchlight speaks ChatML only"),
        })
    }

    /// Bytes of one token; empty for control tokens and unknown ids.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.pieces.get(id as usize).map_or(&[], Vec::as_slice)
    }
}

/// Collects the bytes of tokens and gives back whole characters only.
#[derive(Debug, Default)]
pub struct Stream {
    pending: Vec<u8>,
}

impl Stream {
    /// Adds a token's bytes; returns the characters that are whole now. Bytes that are no UTF-8 become U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.pending) {
                Ok(whole) => {
                    text.push_str(whole);
                    self.pending.clear();
                    return text;
                }
                Err(error) => {
                    let whole = error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.pending[..whole]));
                    let Some(bad) = error.error_len() else {
                        self.pending.drain(..whole);
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    self.pending.drain(..whole + bad);
                }
            }
        }
    }
}

/// How a kind of tokenizer cuts text before merging.
fn cutting(kind: &str) -> Result<PreTokenizerWrapper, TokenizerError> {
    let bytes = |regex| ByteLevel::new(false, true, regex).into();
    let split = |pattern: &str| {
        let pattern = SplitPattern::Regex(pattern.into());
        let split =
            Split::new(pattern, SplitDelimiterBehavior::Isolated, false).map_err(library)?;
        Ok::<PreTokenizerWrapper, TokenizerError>(split.into())
    };
    let steps = match kind {
        "smollm" => vec![Digits::new(true).into(), bytes(true)],
        "qwen2" => vec![split(QWEN2)?, bytes(false)],
        "llama-bpe" | "smaug-bpe" | "llama3" => vec![split(LLAMA3)?, bytes(false)],
        "gpt-2" => vec![bytes(true)],
        other => return Err(TokenizerError::Unsupported(other.into())),
    };
    Ok(Sequence::new(steps).into())
}

/// A token's bytes: GPT-2's printable stand-ins turned back, added tokens as they are, control tokens empty.
fn piece(token: &str, kind: i64) -> Vec<u8> {
    match kind {
        CONTROL => Vec::new(),
        USER_DEFINED => token.as_bytes().to_vec(),
        _ => {
            token.chars().map(byte_of).collect::<Option<Vec<u8>>>().unwrap_or_else(|| token.into())
        }
    }
}

/// GPT-2's table of bytes as printable characters, backwards: printable Latin-1 stands for itself, the other 68
/// bytes follow from U+0100 in order.
fn byte_of(c: char) -> Option<u8> {
    let code = c as u32;
    let direct = |b: u32| {
        (0x21..=0x7e).contains(&b) || (0xa1..=0xac).contains(&b) || (0xae..=0xff).contains(&b)
    };
    if code < 256 && direct(code) {
        return u8::try_from(code).ok();
    }
    let index = code.checked_sub(256)? as usize;
    (0..=255_u32).filter(|b| !direct(*b)).nth(index).and_then(|b| u8::try_from(b).ok())
}

fn stops(content: &Content, specials: &HashMap<String, u32>) -> Vec<u32> {
    let eos = content.metadata.get("tokenizer.ggml.eos_token_id").and_then(|v| v.to_u32().ok());
    let named =
        ["<|im_end|>", "<|endoftext|>"].iter().filter_map(|name| specials.get(*name).copied());
    let mut ids: Vec<u32> = named.chain(eos).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn merges(lines: &[String]) -> Result<Vec<(String, String)>, TokenizerError> {
    let pair = |line: &String| {
        let (left, right) = line.split_once(' ')?;
        Some((left.to_owned(), right.to_owned()))
    };
    lines
        .iter()
        .map(|line| {
            pair(line).ok_or_else(|| bad("tokenizer.ggml.merges", "hold a line without a space"))
        })
        .collect()
}

fn value<'a>(content: &'a Content, key: &str) -> Result<&'a Value, TokenizerError> {
    content.metadata.get(key).ok_or_else(|| bad(key, "is missing"))
}

fn text(content: &Content, key: &str) -> Result<String, TokenizerError> {
    value(content, key)?.to_string().cloned().map_err(|_| bad(key, "is no text"))
}

fn texts(content: &Content, key: &str) -> Result<Vec<String>, TokenizerError> {
    let list = value(content, key)?.to_vec().map_err(|_| bad(key, "is no list"))?;
    list.iter()
        .map(|v| v.to_string().cloned().map_err(|_| bad(key, "holds more than text")))
        .collect()
}

fn numbers(content: &Content, key: &str) -> Result<Vec<i64>, TokenizerError> {
    let list = value(content, key)?.to_vec().map_err(|_| bad(key, "is no list"))?;
    let number = |v: &Value| v.to_i32().map(i64::from).or_else(|_| v.to_u32().map(i64::from));
    list.iter().map(|v| number(v).map_err(|_| bad(key, "holds more than numbers"))).collect()
}

fn bad(key: &str, problem: &str) -> TokenizerError {
    TokenizerError::Metadata { key: key.into(), problem: problem.into() }
}

fn library(error: impl std::fmt::Display) -> TokenizerError {
    TokenizerError::Library(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_give_whole_characters() {
        let mut stream = Stream::default();
        assert_eq!(stream.push(&[0xf0, 0x9f]), "");
        assert_eq!(stream.push(&[0x98, 0x80, b'!']), "😀!");
        assert_eq!(stream.push(&[0xff, b'a']), "\u{fffd}a");
        assert_eq!(stream.push("é".as_bytes()), "é");
    }

    #[test]
    fn printable_stand_ins_turn_back() {
        for (c, expect) in [('Ġ', b' '), ('Ċ', b'\n'), ('a', b'a'), ('Ń', 0xad)] {
            assert_eq!(byte_of(c), Some(expect), "{c}");
        }
        assert_eq!(byte_of('😀'), None);
    }
}
