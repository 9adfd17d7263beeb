//! Checks the header of a GGUF file before candle's reader sees it: every count, size and offset against the file.
//!
//! candle-core 0.11.1 divides by `general.alignment` and multiplies a tensor's sizes unchecked, so a file of 57 bytes
//! can bring the process down. Nothing here allocates more than the header's own strings.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// Where tensors start unless the file says otherwise (GGUF specification).
const DEFAULT_ALIGNMENT: u64 = 32;
/// Sizes of one tensor at most (ggml's own bound).
const MAX_DIMS: u32 = 4;
/// Lists inside lists at most; real files have none.
const MAX_DEPTH: u32 = 4;
/// Bytes of a name at most; ggml allows 64 for tensors and 65,535 for keys.
const MAX_NAME: u64 = 65_535;

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
#[error("{path} is not a GGUF file that can be loaded: {problem} (at byte {at}). Fetch it again with `porchlight models pull`.", path = .path.display())]
pub struct GgufError {
    /// Which file.
    pub path: PathBuf,
    /// Where in it.
    pub at: u64,
    /// What is wrong.
    pub problem: String,
}

/// Checks the header of the file at `path`.
///
/// # Errors
/// [`GgufError`] naming file, byte and problem.
pub fn validate(path: &Path) -> Result<(), GgufError> {
    let fail = |at: u64, problem: String| GgufError { path: path.into(), at, problem };
    let file = File::open(path).map_err(|e| fail(0, e.to_string()))?;
    let meta = file.metadata().map_err(|e| fail(0, e.to_string()))?;
    if !meta.is_file() {
        return Err(fail(0, "it is no ordinary file".into()));
    }
    let mut header = Header { reader: BufReader::new(file), at: 0, size: meta.len() };
    header.check().map_err(|problem| fail(header.at, problem))
}

/// A header being read, with the place where it is read.
struct Header<R> {
    reader: R,
    at: u64,
    size: u64,
}

/// A tensor as the header describes it.
struct Tensor {
    name: String,
    offset: u64,
    bytes: u64,
}

impl<R: Read> Header<R> {
    fn check(&mut self) -> Result<(), String> {
        if &self.bytes::<4>()? != b"GGUF" {
            return Err("it does not start with GGUF".into());
        }
        let version = self.u32()?;
        if !(2..=3).contains(&version) {
            return Err(format!("version {version} is not supported; 2 and 3 are"));
        }
        let (tensors, keys) = (self.u64()?, self.u64()?);
        // A tensor takes 24 bytes at least, a key 13: larger counts cannot be true.
        self.plausible("tensors", tensors, 24)?;
        self.plausible("keys", keys, 13)?;
        let alignment = self.keys(keys)?;
        let mut found = Vec::new();
        let mut names = HashSet::new();
        for _ in 0..tensors {
            let tensor = self.tensor(alignment)?;
            if !names.insert(tensor.name.clone()) {
                return Err(format!("the tensor `{}` stands twice", tensor.name));
            }
            found.push(tensor);
        }
        self.places(found, alignment)
    }

    /// Reads all keys; gives back the alignment.
    fn keys(&mut self, count: u64) -> Result<u64, String> {
        let mut names = HashSet::new();
        let mut alignment = DEFAULT_ALIGNMENT;
        for _ in 0..count {
            let name = self.name("key")?;
            let kind = self.u32()?;
            if name == "general.alignment" {
                if kind != 4 {
                    return Err("`general.alignment` is no 32-bit number".into());
                }
                alignment = u64::from(self.u32()?);
                if !alignment.is_power_of_two() || alignment > 1 << 20 {
                    return Err(format!(
                        "`general.alignment` is {alignment}, not a power of two up to 2^20"
                    ));
                }
            } else {
                self.value(kind, 0)?;
            }
            if !names.insert(name.clone()) {
                return Err(format!("the key `{name}` stands twice"));
            }
        }
        Ok(alignment)
    }

    /// Steps over a value.
    fn value(&mut self, kind: u32, depth: u32) -> Result<(), String> {
        match kind {
            8 => {
                let length = self.u64()?;
                self.skip(length)
            }
            9 => {
                let (kind, count) = (self.u32()?, self.u64()?);
                if depth == MAX_DEPTH {
                    return Err(format!("lists stand in each other more than {MAX_DEPTH} deep"));
                }
                match width(kind) {
                    Some(width) => self.skip(count.checked_mul(width).ok_or("a list is too long")?),
                    None => {
                        self.plausible("list items", count, 8)?;
                        (0..count).try_for_each(|_| self.value(kind, depth + 1))
                    }
                }
            }
            _ => {
                let width =
                    width(kind).ok_or_else(|| format!("the value type {kind} is unknown"))?;
                self.skip(width)
            }
        }
    }

    fn tensor(&mut self, alignment: u64) -> Result<Tensor, String> {
        let name = self.name("tensor name")?;
        let dims = self.u32()?;
        if !(1..=MAX_DIMS).contains(&dims) {
            return Err(format!("`{name}` has {dims} sizes; 1 to {MAX_DIMS} are possible"));
        }
        let mut count = 1_u64;
        let mut first = 0;
        for index in 0..dims {
            let size = self.u64()?;
            first = if index == 0 { size } else { first };
            let product = count.checked_mul(size).filter(|product| *product > 0);
            count = product
                .ok_or_else(|| format!("the sizes of `{name}` do not multiply to a sane number"))?;
        }
        let kind = self.u32()?;
        let (block, bytes) = block(kind)
            .ok_or_else(|| format!("`{name}` has the type {kind}, which is not supported"))?;
        if first % block != 0 {
            return Err(format!(
                "a row of `{name}` has {first} numbers, not a multiple of {block}"
            ));
        }
        let bytes =
            (count / block).checked_mul(bytes).ok_or_else(|| format!("`{name}` is too large"))?;
        let offset = self.u64()?;
        if offset % alignment != 0 {
            return Err(format!(
                "`{name}` starts at {offset}, which is not aligned to {alignment}"
            ));
        }
        Ok(Tensor { name, offset, bytes })
    }

    /// Every tensor lies in the file, and on no other.
    fn places(&self, mut tensors: Vec<Tensor>, alignment: u64) -> Result<(), String> {
        let data = self.at.checked_next_multiple_of(alignment).ok_or("the header is too long")?;
        tensors.sort_by_key(|tensor| tensor.offset);
        let mut free = 0;
        for tensor in tensors {
            let end = tensor.offset.checked_add(tensor.bytes);
            let inside =
                end.and_then(|end| data.checked_add(end)).is_some_and(|end| end <= self.size);
            if !inside {
                return Err(format!(
                    "`{}` reaches past the end of the file; it is cut short or damaged",
                    tensor.name
                ));
            }
            if tensor.offset < free {
                return Err(format!("`{}` lies on another tensor", tensor.name));
            }
            free = tensor.offset + tensor.bytes;
        }
        Ok(())
    }

    fn plausible(&self, what: &str, count: u64, least: u64) -> Result<(), String> {
        let room = self.size.saturating_sub(self.at) / least;
        if count > room {
            return Err(format!("{count} {what} do not fit a file of {} bytes", self.size));
        }
        Ok(())
    }

    fn name(&mut self, what: &str) -> Result<String, String> {
        let length = self.u64()?;
        if length > MAX_NAME || length > self.size - self.at {
            return Err(format!("a {what} of {length} bytes is too long"));
        }
        let mut bytes = vec![0; length as usize];
        self.read(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| format!("a {what} is no UTF-8 text"))
    }

    fn skip(&mut self, length: u64) -> Result<(), String> {
        if length > self.size - self.at {
            return Err("a value reaches past the end of the file".into());
        }
        let copied = std::io::copy(&mut self.reader.by_ref().take(length), &mut std::io::sink());
        match copied {
            Ok(copied) if copied == length => {
                self.at += length;
                Ok(())
            }
            Ok(_) => Err("the file ends early".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        self.reader.read_exact(bytes).map_err(|_| "the file ends early".to_owned())?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        self.read(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.bytes().map(u64::from_le_bytes)
    }
}

/// Bytes of a value of fixed width.
fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// Numbers and bytes of one block of a tensor type that candle 0.11.1 computes with.
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 => (1, 4),
        1 | 30 => (1, 2),
        2 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        9 => (32, 36),
        10 => (256, 84),
        11 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        15 => (256, 292),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }

    /// A whole small file: one key beside the alignment, one tensor of 32 numbers.
    fn file(alignment: u32, sizes: &[u64], kind: u32, offset: u64) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(2_u64.to_le_bytes());
        text(&mut bytes, "general.alignment");
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend(alignment.to_le_bytes());
        text(&mut bytes, "general.name");
        bytes.extend(8_u32.to_le_bytes());
        text(&mut bytes, "small");
        text(&mut bytes, "weight");
        bytes.extend((sizes.len() as u32).to_le_bytes());
        sizes.iter().for_each(|size| bytes.extend(size.to_le_bytes()));
        bytes.extend(kind.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.resize(bytes.len().next_multiple_of(32) + 128, 0);
        bytes
    }

    fn check(bytes: &[u8]) -> Result<(), String> {
        Header { reader: Cursor::new(bytes), at: 0, size: bytes.len() as u64 }.check()
    }

    #[test]
    fn good_files_pass_and_bad_ones_say_why() {
        assert_eq!(check(&file(32, &[32], 0, 0)), Ok(()));
        for (bytes, expect) in [
            (vec![], "ends early"),
            (b"GGUF".to_vec(), "ends early"),
            (b"PK\x03\x04rest of a zip".to_vec(), "does not start"),
            (file(0, &[32], 0, 0), "power of two"),
            (file(3, &[32], 0, 0), "power of two"),
            (file(32, &[], 0, 0), "0 sizes"),
            (file(32, &[1; 5], 0, 0), "5 sizes"),
            (file(32, &[0], 0, 0), "sane number"),
            (file(32, &[1 << 40, 1 << 40], 0, 0), "sane number"),
            (file(32, &[32], 99, 0), "type 99"),
            (file(32, &[31], 8, 0), "not a multiple of 32"),
            (file(32, &[32], 0, 7), "not aligned"),
            (file(32, &[32], 0, 1 << 40), "past the end"),
            (file(32, &[64], 0, 0), "past the end"),
        ] {
            let problem = check(&bytes).unwrap_err();
            assert!(problem.contains(expect), "{problem} lacks {expect}");
        }
    }

    #[test]
    fn the_57_byte_file_with_alignment_0_is_refused() {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        text(&mut bytes, "general.alignment");
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend(0_u32.to_le_bytes());
        assert_eq!(bytes.len(), 57);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.gguf");
        std::fs::write(&path, &bytes).unwrap();
        let error = validate(&path).unwrap_err().to_string();
        assert!(error.contains("bad.gguf") && error.contains("models pull"), "{error}");
    }

    #[test]
    fn huge_counts_cost_nothing() {
        for at in [8, 16] {
            let mut bytes = file(32, &[32], 0, 0);
            bytes[at..at + 8].copy_from_slice(&(1_u64 << 63).to_le_bytes());
            assert!(check(&bytes).unwrap_err().contains("do not fit"));
        }
    }

    proptest! {
        #[test]
        fn no_damage_panics(cut in 0_usize..300, at in 0_usize..300, byte: u8) {
            let mut bytes = file(32, &[8, 4], 0, 0);
            bytes.truncate(cut.max(1));
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = check(&bytes);
        }
    }
}
