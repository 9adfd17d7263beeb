//! The decoder on the processor: many texts of any lengths in one pass, over packed weights.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use candle_core::quantized::gguf_file::Content;

use super::config::Config;
use super::kept::Kept;
use super::layer::Layer;
use super::sheets::{add_sheets, columns_of_sheets};
use super::weights::Weights;
use super::{DecoderError, Logits, Part, State};
use crate::processor::attention::{self, Heads, Memory, POSITIONS, QUERIES};
use crate::processor::level::Level;
use crate::processor::loops::{self, RootNorm};
use crate::processor::matrix::{Extra, Matrix, Multiplier};
use crate::processor::pool::Pool;
use crate::processor::rows::{BLOCK, Rows, quantise};

/// Rows that one thread norms without asking others for help.
const FEW_ROWS: usize = 8;

/// The weights, and the threads and buffers to work with.
pub(super) struct Native {
    config: Config,
    level: Level,
    pool: Pool,
    embedding: Matrix,
    /// `None` where the embedding is used for both.
    output: Option<Matrix>,
    norm: Vec<f32>,
    layers: Vec<Layer>,
    /// Cosines and sines of a position's pairs, position after position.
    angles: Vec<(f32, f32)>,
    buffers: Mutex<Buffers>,
}

/// What a pass writes. Names with `sheets` hold columns in sheets, as [`Matrix`] gives them.
#[derive(Default)]
struct Buffers {
    /// Row after row, what runs from layer to layer.
    rows: Vec<f32>,
    narrow: Rows,
    wide: Rows,
    extras: [Extra; 3],
    query_sheets: Vec<f32>,
    key_sheets: Vec<f32>,
    value_sheets: Vec<f32>,
    /// What attention gathers, tile after tile.
    gathered: Vec<f32>,
    wide_sheets: Vec<f32>,
    /// What the next norm adds to the rows first.
    added_sheets: Vec<f32>,
    logit_sheets: Vec<f32>,
}

/// Where a row of the pass belongs.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Its position in its text.
    position: usize,
    /// First row and rows of its tile of attention.
    tile: (usize, usize),
}

impl Native {
    pub(super) fn load(
        content: &Content,
        path: &Path,
        config: &Config,
        threads: usize,
    ) -> Result<Self, DecoderError> {
        if !config.head_size.is_multiple_of(16) {
            let problem =
                format!("has heads of {} numbers; a multiple of 16 is needed", config.head_size);
            return Err(DecoderError::Weight { name: "blk.0.attn_q.weight".into(), problem });
        }
        let mut weights = Weights::open(content, path)?;
        let vocabulary = weights.outputs("token_embd.weight")?;
        let shape = (vocabulary, config.width);
        let factors = weights.optional("rope_freqs.weight", config.head_size / 2)?;
        // Packing the weights is most of a start, so threads share the layers; this one takes the vocabulary too.
        let workers = threads.clamp(1, config.layers);
        let layers = |worker: usize| -> Result<Vec<Layer>, DecoderError> {
            let mut weights = Weights::open(content, path)?;
            let range = worker * config.layers / workers..(worker + 1) * config.layers / workers;
            range.map(|n| Layer::load(&mut weights, n, config)).collect()
        };
        let (parts, ends) = thread::scope(|scope| {
            let layers = &layers;
            let spawn = |worker| thread::Builder::new().spawn_scoped(scope, move || layers(worker));
            let others: Vec<_> = (1..workers).map(spawn).collect();
            let mut ends = || -> Result<_, DecoderError> {
                let embedding = weights.matrix("token_embd", shape, &|row| row)?;
                let tied = !weights.has("output.weight");
                let output =
                    if tied { None } else { Some(weights.matrix("output", shape, &|row| row)?) };
                Ok((embedding, output, weights.row("output_norm.weight", config.width)?))
            };
            let mut parts = vec![layers(0)];
            let ends = ends();
            let joined = others.into_iter().map(|other| {
                other?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            parts.extend(joined);
            (parts, ends)
        });
        let (mut embedding, mut output, norm) = ends?;
        let mut layers: Vec<Layer> =
            parts.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let mut matrices: Vec<&mut Matrix> = layers.iter_mut().flat_map(Layer::matrices).collect();
        matrices.extend([&mut embedding].into_iter().chain(&mut output));
        Matrix::settle(&mut matrices);
        let frequencies = config.frequencies(factors.as_deref());
        let angle = |position: usize, frequency: &f32| {
            let angle = f64::from(*frequency) * position as f64;
            (angle.cos() as f32, angle.sin() as f32)
        };
        let angles = (0..config.context)
            .flat_map(|p| frequencies.iter().map(move |f| angle(p, f)))
            .collect();
        Ok(Self {
            config: config.clone(),
            level: Level::detect(),
            pool: Pool::new(threads)?,
            embedding,
            output,
            norm,
            layers,
            angles,
            buffers: Mutex::default(),
        })
    }

    pub(super) fn kept(&self) -> Kept {
        Kept::new(self.config.layers, self.heads())
    }

    pub(super) fn bytes(&self) -> usize {
        let output = self.output.as_ref().map_or(0, Matrix::bytes);
        self.layers.iter().map(Layer::bytes).sum::<usize>() + self.embedding.bytes() + output
    }

    pub(super) fn vocabulary(&self) -> usize {
        self.output.as_ref().unwrap_or(&self.embedding).outputs()
    }

    fn heads(&self) -> Heads {
        Heads { count: self.config.key_heads, size: self.config.head_size }
    }

    /// Appends to each text its tokens; gives the wanted logits.
    pub(super) fn read(&self, parts: &mut [Part<'_>]) -> Result<Vec<Logits>, DecoderError> {
        let vocabulary = self.embedding.outputs();
        let known = |id: &&u32| **id as usize >= vocabulary;
        if let Some(id) = parts.iter().flat_map(|part| part.tokens).find(known) {
            return Err(DecoderError::Token(*id));
        }
        let mut texts = Vec::with_capacity(parts.len());
        for part in parts {
            let State::Processor(kept) = &mut part.cache.0 else {
                return Err(DecoderError::Tensor(candle_core::Error::Msg(
                    "a text of a GPU".into(),
                )));
            };
            kept.reserve(part.tokens.len());
            texts.push((part.tokens, kept, part.want));
        }
        let mut pass = Pass::new(self, &mut texts);
        for layer in &self.layers {
            pass.layer(layer);
        }
        Ok(pass.logits())
    }
}

/// A text's new tokens, what is kept of it, and the logits that are wanted.
type Text<'a, 'b> = (&'b [u32], &'a mut Kept, super::Want);

/// Some tokens of some texts on their way through the layers.
struct Pass<'a, 'b, 't> {
    native: &'a Native,
    texts: &'t mut [Text<'a, 'b>],
    places: Vec<Place>,
    buffers: MutexGuard<'a, Buffers>,
    /// How many layers are done.
    depth: usize,
    /// Heads of one key head that are worked on together, and how many such bundles there are.
    bundle: (usize, usize),
}

impl<'a, 'b, 't> Pass<'a, 'b, 't> {
    fn new(native: &'a Native, texts: &'t mut [Text<'a, 'b>]) -> Self {
        let config = &native.config;
        let group = config.heads / config.key_heads;
        let bundle = (1..=group.min(QUERIES)).rev().find(|n| group.is_multiple_of(*n)).unwrap_or(1);
        let tile = (QUERIES / bundle).max(1);
        let mut places = Vec::new();
        for (tokens, kept, _) in &*texts {
            for n in 0..tokens.len() {
                let first = n / tile * tile;
                let tile = (places.len() - n % tile, tile.min(tokens.len() - first));
                places.push(Place { position: kept.len() + n, tile });
            }
        }
        let mut buffers = native.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.rows.clear();
        buffers.rows.resize(places.len() * config.width, 0.0);
        buffers.added_sheets.clear();
        let ids = texts.iter().flat_map(|(tokens, _, _)| *tokens);
        let mut items: Vec<_> = buffers.rows.chunks_exact_mut(config.width).zip(ids).collect();
        native.pool.each(&mut items, |(row, id)| native.embedding.row(**id as usize, row));
        Self { native, texts, places, buffers, depth: 0, bundle: (bundle, config.heads / bundle) }
    }

    fn layer(&mut self, layer: &Layer) {
        let native = self.native;
        let multiplier = Multiplier { level: native.level, pool: &native.pool };
        self.norm(&layer.attention_norm);
        {
            let Buffers { narrow, extras, query_sheets, key_sheets, value_sheets, .. } =
                &mut *self.buffers;
            let outs = [
                (&layer.query, query_sheets),
                (&layer.key, key_sheets),
                (&layer.value, value_sheets),
            ];
            multiplier.apply_all(outs, narrow, extras);
        }
        self.keep(layer);
        self.attend(layer);
        {
            let Buffers { narrow, extras, added_sheets, .. } = &mut *self.buffers;
            multiplier.apply_all([(&layer.output, added_sheets)], narrow, extras);
        }
        self.norm(&layer.feed_norm);
        let count = self.places.len();
        let Buffers { narrow, wide, extras, wide_sheets, added_sheets, .. } = &mut *self.buffers;
        multiplier.apply_gated((&layer.gate, &layer.up), narrow, extras, wide_sheets);
        let width = layer.down.inputs();
        wide.shape(count, width);
        rows_of_sheets(native, wide, wide_sheets, count, width);
        multiplier.apply_all([(&layer.down, added_sheets)], wide, extras);
        self.depth += 1;
    }

    /// Adds what the last product gave to the rows; norms them into 8 bits.
    fn norm(&mut self, gain: &[f32]) {
        let (native, count) = (self.native, self.places.len());
        let width = native.config.width;
        let Buffers { rows, narrow, added_sheets, .. } = &mut *self.buffers;
        narrow.shape(count, width);
        let share = share(native, count);
        let norm = RootNorm { gain, epsilon: native.config.epsilon };
        let parts = narrow.parts(share).zip(rows.chunks_mut(share * width));
        let mut items: Vec<_> =
            parts.enumerate().map(|(n, (part, rows))| (n * share, Some(part), rows)).collect();
        native.pool.each(&mut items, |(first, part, rows)| {
            add_sheets(rows, width, added_sheets, count, *first);
            let mut normed = vec![0.0; rows.len()];
            loops::root_norm(native.level, rows, norm, &mut normed);
            if let Some(part) = part.take() {
                quantise(native.level, &normed, part);
            }
        });
    }

    /// Turns the keys and keeps them with the values.
    fn keep(&mut self, layer: &Layer) {
        let (native, count, depth) = (self.native, self.places.len(), self.depth);
        let heads = native.heads();
        let Buffers { key_sheets, value_sheets, .. } = &*self.buffers;
        let mut items = Vec::new();
        let mut row = 0;
        for (tokens, kept, _) in &mut *self.texts {
            let (start, end) = (kept.len(), kept.len() + tokens.len());
            let Memory { keys, values } = &mut kept.layers[depth];
            let blocks =
                keys.chunks_exact_mut(heads.block()).zip(values.chunks_exact_mut(heads.block()));
            for (n, block) in blocks
                .enumerate()
                .skip(start / POSITIONS)
                .take(end.div_ceil(POSITIONS) - start / POSITIONS)
            {
                let from = start.max(n * POSITIONS);
                items.push((block, from..end.min((n + 1) * POSITIONS), row + from - start));
            }
            row += tokens.len();
        }
        native.pool.each(&mut items, |((keys, values), positions, first)| {
            let (mut key, mut value) =
                (vec![0.0; heads.count * heads.size], vec![0.0; heads.count * heads.size]);
            for (n, position) in positions.clone().enumerate() {
                columns_of_sheets(key_sheets, count, *first + n, 0, &mut key);
                columns_of_sheets(value_sheets, count, *first + n, 0, &mut value);
                native.turn(&mut key, position, layer.key_norm.as_deref());
                heads.put((keys, values), position % POSITIONS, (&key, &value));
            }
        });
    }

    /// Attention of all rows, rounded to 8 bits for the next product.
    fn attend(&mut self, layer: &Layer) {
        let (native, count, depth) = (self.native, self.places.len(), self.depth);
        let (heads, (together, bundles)) = (native.heads(), self.bundle);
        let width = bundles * together * heads.size;
        let places = &self.places;
        let Buffers { query_sheets, gathered, narrow, .. } = &mut *self.buffers;
        gathered.resize(count * width, 0.0);
        let mut items = Vec::new();
        let (mut rest, mut row) = (&mut gathered[..], 0);
        for (tokens, kept, _) in &*self.texts {
            let end = row + tokens.len();
            while row < end {
                let tile = places[row].tile.1;
                for bundle in 0..bundles {
                    let (out, others) = rest.split_at_mut(tile * together * heads.size);
                    rest = others;
                    items.push((&kept.layers[depth], row..row + tile, bundle, out));
                }
                row += tile;
            }
        }
        let scale = 1.0 / (heads.size as f32).sqrt();
        let query_sheets = &*query_sheets;
        native.pool.each(&mut items, |(memory, rows, bundle, out)| {
            let (mut numbers, mut seen) = (vec![0.0; out.len()], Vec::with_capacity(QUERIES));
            for (row, numbers) in rows.clone().zip(numbers.chunks_exact_mut(together * heads.size))
            {
                columns_of_sheets(
                    query_sheets,
                    count,
                    row,
                    *bundle * together * heads.size,
                    numbers,
                );
                native.turn(numbers, places[row].position, layer.query_norm.as_deref());
                numbers.iter_mut().for_each(|x| *x *= scale);
                seen.extend(std::iter::repeat_n(places[row].position + 1, together));
            }
            let head = *bundle * together / (native.config.heads / heads.count);
            let queries = attention::Queries { heads, numbers: &numbers, seen: &seen, head };
            attention::attend(native.level, memory, queries, out);
        });
        narrow.shape(count, width);
        let share = share(native, count);
        let mut items: Vec<_> =
            narrow.parts(share).enumerate().map(|(n, part)| (n * share, Some(part))).collect();
        let (gathered, run) = (&*gathered, together * heads.size);
        native.pool.each(&mut items, |(first, part)| {
            let rows = *first..(*first + share).min(count);
            let mut numbers = Vec::with_capacity(rows.len() * width);
            for row in rows {
                let (top, tile) = places[row].tile;
                for bundle in 0..bundles {
                    let at = top * width + (bundle * tile + row - top) * run;
                    numbers.extend_from_slice(&gathered[at..at + run]);
                }
            }
            if let Some(part) = part.take() {
                quantise(native.level, &numbers, part);
            }
        });
    }

    /// The wanted logits, text by text; the texts have grown.
    fn logits(mut self) -> Vec<Logits> {
        let (native, count) = (self.native, self.places.len());
        let width = native.config.width;
        let output = native.output.as_ref().unwrap_or(&native.embedding);
        let mut wanted = Vec::new();
        let mut row = 0;
        for (tokens, kept, want) in &mut *self.texts {
            kept.advance(tokens.len());
            row += tokens.len();
            wanted.extend(row - want.rows(tokens.len())..row);
        }
        let Buffers { rows, narrow, extras, added_sheets, logit_sheets, .. } = &mut *self.buffers;
        let mut normed = vec![0.0; wanted.len() * width];
        for (row, out) in wanted.iter().zip(normed.chunks_exact_mut(width)) {
            let row_numbers = &mut rows[row * width..(row + 1) * width];
            add_sheets(row_numbers, width, added_sheets, count, *row);
            let norm = RootNorm { gain: &native.norm, epsilon: native.config.epsilon };
            loops::root_norm(native.level, row_numbers, norm, out);
        }
        let vocabulary = output.outputs();
        if !wanted.is_empty() {
            narrow.shape(wanted.len(), width);
            narrow.parts(wanted.len()).for_each(|part| quantise(native.level, &normed, part));
            let multiplier = Multiplier { level: native.level, pool: &native.pool };
            multiplier.apply_all([(output, logit_sheets)], narrow, extras);
        }
        let mut row = 0;
        let mut all = Vec::with_capacity(self.texts.len());
        for (tokens, _, want) in &*self.texts {
            let mut logits = Logits::new(want.rows(tokens.len()), vocabulary);
            for numbers in logits.numbers.chunks_exact_mut(vocabulary) {
                columns_of_sheets(logit_sheets, wanted.len(), row, 0, numbers);
                row += 1;
            }
            all.push(logits);
        }
        all
    }
}

impl Native {
    /// Norms heads where there is something to norm by, and turns them by the angles of a position.
    fn turn(&self, heads: &mut [f32], position: usize, norm: Option<&[f32]>) {
        let size = self.config.head_size;
        if let Some(gain) = norm {
            let copy = heads.to_vec();
            loops::root_norm(
                self.level,
                &copy,
                RootNorm { gain, epsilon: self.config.epsilon },
                heads,
            );
        }
        let angles = &self.angles[position * size / 2..][..size / 2];
        for head in heads.chunks_exact_mut(size) {
            let (first, second) = head.split_at_mut(size / 2);
            for ((x, y), (cos, sin)) in first.iter_mut().zip(second).zip(angles) {
                (*x, *y) = (*x * cos - *y * sin, *x * sin + *y * cos);
            }
        }
    }
}

/// Rows that one item of work takes.
fn share(native: &Native, count: usize) -> usize {
    if count <= FEW_ROWS { count.max(1) } else { count.div_ceil(4 * native.pool.threads()) }
}

/// Rounds rows that stand in sheets to 8 bits.
fn rows_of_sheets(native: &Native, rows: &mut Rows, sheets: &[f32], count: usize, width: usize) {
    debug_assert!(width.is_multiple_of(BLOCK));
    let share = share(native, count);
    let mut items: Vec<_> =
        rows.parts(share).enumerate().map(|(n, part)| (n * share, Some(part))).collect();
    native.pool.each(&mut items, |(first, part)| {
        let mut numbers = vec![0.0; share.min(count - *first) * width];
        for (n, row) in numbers.chunks_exact_mut(width).enumerate() {
            columns_of_sheets(sheets, count, *first + n, 0, row);
        }
        if let Some(part) = part.take() {
            quantise(native.level, &numbers, part);
        }
    });
}
