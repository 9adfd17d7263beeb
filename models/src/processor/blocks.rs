//! The weights of a GGUF file as blocks: 32 codes with a scale, and perhaps a minimum.
//!
//! The layouts are those of ggml's `block_*` structures; a code of `n` bits is stored with its offset of 2^(n-1) where
//! the type has no minimum, so that all codes are unsigned.

use candle_core::quantized::GgmlDType;
use half::f16;

use super::rows::BLOCK;

/// How weights are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Bits of a code: 4, 5, 6 or 8. Six come with a scale for each half of a block.
    pub(crate) bits: u8,
    /// Whether blocks have a minimum: `weight = scale * code + min`, else `weight = scale * (code - offset)`.
    pub(crate) mins: bool,
}

/// 8 bits and no minimum: what weights become that have no kernel of their own.
pub(crate) const EIGHT: Kind = Kind { bits: 8, mins: false };

impl Kind {
    /// What is taken from each code.
    pub(crate) fn offset(self) -> i32 {
        if self.mins { 0 } else { 1 << (self.bits - 1) }
    }

    /// How a type of GGUF is coded here; `None` for types that are turned into numbers first.
    pub(crate) fn of(stored: GgmlDType) -> Option<Self> {
        let (bits, mins) = match stored {
            GgmlDType::Q4_0 => (4, false),
            GgmlDType::Q4_1 | GgmlDType::Q4K => (4, true),
            GgmlDType::Q5_0 => (5, false),
            GgmlDType::Q5_1 | GgmlDType::Q5K => (5, true),
            GgmlDType::Q6K => (6, false),
            GgmlDType::Q8_0 => (8, false),
            _ => return None,
        };
        Some(Self { bits, mins })
    }
}

/// The types that [`Kind::of`] knows.
#[cfg(test)]
pub(crate) const TYPES: [GgmlDType; 8] = [
    GgmlDType::Q4_0,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q8_0,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

/// 32 weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Block {
    /// Unsigned codes.
    pub(crate) codes: [u8; BLOCK],
    /// Of the first and the second half.
    pub(crate) scales: [f16; 2],
    /// Zero for kinds without.
    pub(crate) min: f16,
}

impl Block {
    const EMPTY: Self = Self { codes: [0; BLOCK], scales: [f16::ZERO; 2], min: f16::ZERO };

    fn new(scale: f16, min: f16) -> Self {
        Self { scales: [scale; 2], min, ..Self::EMPTY }
    }
}

/// Calls `each` with the blocks of a row in order. `bytes` hold whole blocks of the type.
///
/// Scales of the K types are products of two numbers and are rounded to 16 bits here: by 2^-11 of them at most, below
/// 6e-5 by 3e-8.
pub(crate) fn read(stored: GgmlDType, bytes: &[u8], each: &mut impl FnMut(Block)) {
    match stored {
        GgmlDType::Q4_0 => chunks::<18>(bytes, |b| each(four(b, half(b, 0), f16::ZERO, 2))),
        GgmlDType::Q4_1 => chunks::<20>(bytes, |b| each(four(b, half(b, 0), half(b, 2), 4))),
        GgmlDType::Q5_0 => chunks::<22>(bytes, |b| each(five(b, half(b, 0), f16::ZERO, 2))),
        GgmlDType::Q5_1 => chunks::<24>(bytes, |b| each(five(b, half(b, 0), half(b, 2), 4))),
        GgmlDType::Q8_0 => chunks::<34>(bytes, |b| {
            let mut block = Block::new(half(b, 0), f16::ZERO);
            block.codes = std::array::from_fn(|at| b[2 + at].wrapping_add(128));
            each(block);
        }),
        GgmlDType::Q4K => chunks::<144>(bytes, |b| k_blocks(b, None, &b[16..], each)),
        GgmlDType::Q5K => chunks::<176>(bytes, |b| k_blocks(b, Some(&b[16..48]), &b[48..], each)),
        GgmlDType::Q6K => chunks::<210>(bytes, |b| six(b, each)),
        _ => {}
    }
}

/// Rounds numbers to 8 bits: to the nearest of 255 steps between the largest number of a block and its negative.
pub(crate) fn round(numbers: &[f32], each: &mut impl FnMut(Block)) {
    for numbers in numbers.as_chunks::<BLOCK>().0 {
        let top = numbers.iter().fold(0.0_f32, |top, x| top.max(x.abs()));
        let mut scale = f16::from_f32(top / 127.0);
        if scale.to_f32() * 127.0 < top {
            // 16 bits round a scale down; the next one up keeps the largest weight.
            scale = f16::from_bits(scale.to_bits() + 1);
        }
        if numbers.iter().any(|x| !x.is_finite()) {
            scale = f16::NAN;
        }
        let inverse = if scale > f16::ZERO { 1.0 / scale.to_f32() } else { 0.0 };
        let mut block = Block::new(scale, f16::ZERO);
        let code = |x: f32| (x * inverse).round().clamp(-127.0, 127.0) as i8;
        block.codes = numbers.map(|x| (code(x) as u8).wrapping_add(128));
        each(block);
    }
}

fn chunks<const N: usize>(bytes: &[u8], mut each: impl FnMut(&[u8; N])) {
    bytes.as_chunks::<N>().0.iter().for_each(&mut each);
}

fn half(bytes: &[u8], at: usize) -> f16 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// Nibbles from `at` on: the low ones are the first half.
fn four(bytes: &[u8], scale: f16, min: f16, at: usize) -> Block {
    let mut block = Block::new(scale, min);
    for (n, byte) in bytes[at..at + BLOCK / 2].iter().enumerate() {
        block.codes[n] = byte & 15;
        block.codes[n + BLOCK / 2] = byte >> 4;
    }
    block
}

/// 32 fifth bits from `at` on, then nibbles.
fn five(bytes: &[u8], scale: f16, min: f16, at: usize) -> Block {
    let mut block = four(bytes, scale, min, at + 4);
    for (n, code) in block.codes.iter_mut().enumerate() {
        *code |= (bytes[at + n / 8] >> (n % 8) & 1) << 4;
    }
    block
}

/// Eight blocks whose scales and minimums have 6 bits each, times two numbers of all of them.
fn k_blocks(bytes: &[u8], fifth: Option<&[u8]>, nibbles: &[u8], each: &mut impl FnMut(Block)) {
    let (scale, min) = (half(bytes, 0).to_f32(), half(bytes, 2).to_f32());
    let packed = &bytes[4..16];
    for n in 0..8 {
        let (s, m) = if n < 4 {
            (packed[n] & 63, packed[n + 4] & 63)
        } else {
            let (low, high) = (packed[n + 4], n - 4);
            (low & 15 | packed[high] >> 6 << 4, low >> 4 | packed[high + 4] >> 6 << 4)
        };
        let scale = f16::from_f32(scale * f32::from(s));
        let mut block = Block::new(scale, f16::from_f32(-min * f32::from(m)));
        let nibbles = &nibbles[n / 2 * BLOCK..][..BLOCK];
        for (at, code) in block.codes.iter_mut().enumerate() {
            *code = if n % 2 == 0 { nibbles[at] & 15 } else { nibbles[at] >> 4 };
            *code |= fifth.map_or(0, |bits| (bits[at] >> n & 1) << 4);
        }
        each(block);
    }
}

/// Eight blocks of 6-bit codes; each half of one has a scale of 8 bits, times one of all of them.
fn six(bytes: &[u8], each: &mut impl FnMut(Block)) {
    let (low, high, scales) = (&bytes[..128], &bytes[128..192], &bytes[192..208]);
    let all = half(bytes, 208).to_f32();
    for n in 0..8 {
        let (side, part) = (n / 4, n % 4);
        let mut block = Block::EMPTY;
        let of = |at: usize| f16::from_f32(all * f32::from(scales[2 * n + at] as i8));
        block.scales = [of(0), of(1)];
        for (at, code) in block.codes.iter_mut().enumerate() {
            let byte = low[side * 64 + part % 2 * 32 + at];
            let nibble = if part < 2 { byte & 15 } else { byte >> 4 };
            *code = nibble | (high[side * 32 + at] >> (2 * part) & 3) << 4;
        }
        each(block);
    }
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::QTensor;
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn every_type_reads_as_candle_reads_it() {
        let numbers =
            (0..3 * 512).map(|n| ((n * 37 % 211) as f32 / 70.0 - 1.4) * (n as f32 / 300.0).sin());
        let dense = Tensor::from_iter(numbers, &Device::Cpu).unwrap().reshape((3, 512)).unwrap();
        for stored in TYPES {
            let weight = QTensor::quantize(&dense, stored).unwrap();
            let wanted: Vec<f32> =
                weight.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let kind = Kind::of(stored).unwrap();
            let mut got = Vec::new();
            read(stored, &weight.data().unwrap(), &mut |block: Block| {
                assert!(block.codes.iter().all(|code| u32::from(*code) < 1 << kind.bits));
                got.extend(block.codes.iter().enumerate().map(|(at, code)| {
                    let scale = block.scales[at / 16].to_f32();
                    (i32::from(*code) - kind.offset()) as f32 * scale + block.min.to_f32()
                }));
            });
            assert_eq!(got.len(), wanted.len());
            for (at, (x, y)) in got.iter().zip(&wanted).enumerate() {
                assert!((x - y).abs() < 4e-3, "{stored:?} {at}: {x} for {y}");
            }
        }
        assert_eq!(Kind::of(GgmlDType::Q2K), None);
    }
}
