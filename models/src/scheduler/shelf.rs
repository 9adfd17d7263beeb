//! Texts that were read before, so that a prompt with the same beginning costs only what is new.

use crate::decoder::{Cache, Decoder, DecoderError};

/// Tokens that two texts must share for a copy to be worth its memory.
const WORTH_COPYING: usize = 16;

/// Memory that texts on the shelf take together, unless a single one takes more.
const BYTES: usize = 256 << 20;

/// Tokens with what the decoder keeps of them.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) ids: Vec<u32>,
    pub(super) cache: Cache,
}

impl Text {
    pub(super) fn empty(decoder: &Decoder) -> Self {
        Self { ids: Vec::new(), cache: decoder.cache() }
    }

    /// How many tokens `prompt` begins with are read here. The last token of a prompt is always read again, for what is
    /// asked for is what follows it.
    fn shared(&self, prompt: &[u32]) -> usize {
        let same = self.ids.iter().zip(prompt).take_while(|(a, b)| a == b).count();
        same.min(prompt.len().saturating_sub(1))
    }
}

/// The texts that were used last, oldest first.
#[derive(Debug)]
pub(super) struct Shelf {
    texts: Vec<Text>,
    room: usize,
}

impl Shelf {
    /// Keeps `room` texts.
    pub(super) fn new(room: usize) -> Self {
        Self { texts: Vec::new(), room }
    }

    /// Puts a text back, and forgets the oldest when there are too many or they take too much. Of two texts of which one
    /// begins with the other, the longer one is kept.
    pub(super) fn put(&mut self, mut text: Text) {
        let longer = self.texts.iter().position(|kept| kept.ids.starts_with(&text.ids));
        let last = match longer {
            Some(at) => self.texts.remove(at),
            None => {
                self.texts.retain(|kept| !text.ids.starts_with(&kept.ids));
                text.cache.shrink();
                text
            }
        };
        self.texts.push(last);
        let bytes = |texts: &[Text]| texts.iter().map(|text| text.cache.bytes()).sum::<usize>();
        while self.texts.len() > self.room || (self.texts.len() > 1 && bytes(&self.texts) > BYTES) {
            self.texts.remove(0);
        }
    }

    /// A text that `prompt` begins with, as long as can be found here or among texts `in_use`: taken from the shelf when
    /// most of it is shared, else a copy, else empty.
    ///
    /// # Errors
    /// When a text cannot be cut or copied.
    pub(super) fn take<'a>(
        &mut self,
        prompt: &[u32],
        in_use: impl Iterator<Item = &'a Text>,
        decoder: &Decoder,
    ) -> Result<Text, DecoderError> {
        let best = self.texts.iter().enumerate().map(|(at, text)| (text.shared(prompt), at)).max();
        let other =
            in_use.map(|text| (text.shared(prompt), text)).max_by_key(|(shared, _)| *shared);
        if let Some((shared, at)) = best
            && shared * 2 > self.texts[at].ids.len()
            && other.as_ref().is_none_or(|(theirs, _)| *theirs <= shared)
        {
            let mut text = self.texts.remove(at);
            text.cache.truncate(shared)?;
            text.ids.truncate(shared);
            return Ok(text);
        }
        let kept = best.map(|(shared, at)| (shared, &self.texts[at]));
        let found = kept.into_iter().chain(other).max_by_key(|(shared, _)| *shared);
        Ok(match found {
            Some((shared, text)) if shared >= WORTH_COPYING => {
                Text { ids: text.ids[..shared].to_vec(), cache: text.cache.prefix(shared)? }
            }
            _ => Text::empty(decoder),
        })
    }
}
