//! Vectors row by row, searched exactly: below about 50,000 rows a scan is faster than any graph.

/// A matrix of unit-length rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    dimension: usize,
    numbers: Vec<f32>,
}

impl Vectors {
    /// An empty matrix of rows of `dimension` numbers.
    pub fn new(dimension: usize) -> Self {
        Self { dimension, numbers: Vec::new() }
    }

    /// Adds a row; rows of another length are refused.
    pub fn push(&mut self, row: &[f32]) -> bool {
        let fits = row.len() == self.dimension;
        if fits {
            self.numbers.extend_from_slice(row);
        }
        fits
    }

    /// Length of a row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.numbers.len() / self.dimension.max(1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// One row.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.numbers[index * self.dimension..(index + 1) * self.dimension]
    }

    /// Cosine of `query` and each row.
    pub fn cosines(&self, query: &[f32]) -> Vec<f32> {
        self.numbers.chunks_exact(self.dimension.max(1)).map(|row| dot(row, query)).collect()
    }

    /// Little-endian bytes, row after row.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Reads [`Vectors::to_bytes`]; `None` when the bytes are no whole rows of finite numbers.
    pub fn from_bytes(bytes: &[u8], dimension: usize) -> Option<Self> {
        if dimension == 0 || !bytes.len().is_multiple_of(4 * dimension) {
            return None;
        }
        let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let numbers: Vec<f32> = bytes.chunks_exact(4).map(number).collect();
        numbers.iter().all(|n| n.is_finite()).then_some(Self { dimension, numbers })
    }
}

/// Sixteen sums side by side, so that the compiler uses the widest registers there are.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_in_and_come_out() {
        let mut vectors = Vectors::new(18);
        let row: Vec<f32> = (0..18).map(|n| n as f32).collect();
        assert!(vectors.push(&row));
        assert!(!vectors.push(&row[..3]));
        assert_eq!(vectors.len(), 1);
        assert_eq!(vectors.cosines(&row), [(0..18).map(|n| (n * n) as f32).sum::<f32>()]);
        assert_eq!(Vectors::from_bytes(&vectors.to_bytes(), 18), Some(vectors.clone()));
        assert_eq!(Vectors::from_bytes(&vectors.to_bytes()[1..], 18), None);
        assert_eq!(Vectors::from_bytes(&f32::NAN.to_le_bytes(), 1), None);
    }
}
