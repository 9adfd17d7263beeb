//! Just enough linear algebra for a closed form: rows of numbers, the Cholesky factor, and solving with it.

/// Numbers that are added side by side, so that the compiler can use the processor's wide registers.
const LANES: usize = 16;

/// A matrix, row after row.
#[derive(Debug, Clone, Default)]
pub(super) struct Matrix {
    columns: usize,
    numbers: Vec<f32>,
}

impl Matrix {
    /// A matrix whose rows are `row(0)`, `row(1)`, …, each of `columns` numbers.
    pub(super) fn of(rows: usize, columns: usize, mut row: impl FnMut(usize) -> Vec<f32>) -> Self {
        let mut numbers = Vec::with_capacity(rows * columns);
        for at in 0..rows {
            let row = row(at);
            debug_assert_eq!(row.len(), columns);
            numbers.extend(row);
        }
        Self { columns, numbers }
    }

    pub(super) fn rows(&self) -> usize {
        self.numbers.len().checked_div(self.columns).unwrap_or(0)
    }

    pub(super) fn row(&self, at: usize) -> &[f32] {
        &self.numbers[at * self.columns..(at + 1) * self.columns]
    }

    pub(super) fn row_mut(&mut self, at: usize) -> &mut [f32] {
        &mut self.numbers[at * self.columns..(at + 1) * self.columns]
    }

    /// This matrix times its own transpose, with `ridge` added on the diagonal; the upper half stays empty.
    pub(super) fn gram(&self, ridge: f32) -> Self {
        let n = self.rows();
        let mut gram = Self { columns: n, numbers: vec![0.0; n * n] };
        for i in 0..n {
            for j in 0..=i {
                gram.numbers[i * n + j] = dot(self.row(i), self.row(j));
            }
            gram.numbers[i * n + i] += ridge;
        }
        gram
    }

    /// Replaces a symmetric matrix by its lower Cholesky factor; only the lower half is read and written.
    ///
    /// A pivot that rounding made too small is lifted, so that the factor always exists.
    pub(super) fn factor(mut self) -> Self {
        let n = self.rows();
        for i in 0..n {
            let (above, from) = self.numbers.split_at_mut(i * n);
            let row = &mut from[..n];
            for j in 0..i {
                let other = &above[j * n..j * n + n];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            row[i] = (row[i] - dot(&row[..i], &row[..i])).max(1e-6).sqrt();
        }
        self
    }

    /// Solves `self · x = right` for a lower factor, in place.
    pub(super) fn solve(&self, right: &mut Self) {
        let width = right.columns;
        for i in 0..self.rows() {
            let (done, rest) = right.numbers.split_at_mut(i * width);
            let row = &mut rest[..width];
            for (j, solved) in done.chunks_exact(width).enumerate() {
                add(row, -self.row(i)[j], solved);
            }
            let scale = 1.0 / self.row(i)[i];
            row.iter_mut().for_each(|value| *value *= scale);
        }
    }

    /// Solves `selfᵀ · x = right` for a lower factor, in place.
    pub(super) fn solve_transposed(&self, right: &mut Self) {
        let width = right.columns;
        for i in (0..self.rows()).rev() {
            let (before, rest) = right.numbers.split_at_mut(i * width);
            let row = &mut rest[..width];
            let scale = 1.0 / self.row(i)[i];
            row.iter_mut().for_each(|value| *value *= scale);
            for (j, earlier) in before.chunks_exact_mut(width).enumerate() {
                add(earlier, -self.row(i)[j], row);
            }
        }
    }
}

/// Dot product; the cosine when both vectors have unit length.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_parts, b_parts) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_parts.remainder().iter().zip(b_parts.remainder()).map(|(x, y)| x * y).sum::<f32>();
    for (x, y) in a_parts.zip(b_parts) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    rest + sums.iter().sum::<f32>()
}

/// Adds `times` × `other` to `row`.
pub(super) fn add(row: &mut [f32], times: f32, other: &[f32]) {
    row.iter_mut().zip(other).for_each(|(value, o)| *value += times * o);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_solved_multiplies_back(
            numbers in proptest::collection::vec(-1.0_f32..1.0, 20 * 7),
            right in proptest::collection::vec(-1.0_f32..1.0, 7 * 3),
        ) {
            let tall = Matrix { columns: 20, numbers };
            let gram = tall.gram(0.5);
            let full = |i: usize, j: usize| gram.row(i.max(j))[i.min(j)];
            let factor = gram.clone().factor();
            let mut x = Matrix { columns: 3, numbers: right.clone() };
            factor.solve(&mut x);
            factor.solve_transposed(&mut x);
            for i in 0..7 {
                for c in 0..3 {
                    let back: f32 = (0..7).map(|j| full(i, j) * x.row(j)[c]).sum();
                    prop_assert!((back - right[i * 3 + c]).abs() < 1e-3, "{back} {}", right[i * 3 + c]);
                }
            }
        }
    }

    #[test]
    fn products_of_any_length() {
        for length in [0, 1, 15, 16, 17, 40] {
            let numbers: Vec<f32> = (0..length).map(|n| n as f32).collect();
            let expect: f32 = numbers.iter().map(|n| n * n).sum();
            assert_eq!(dot(&numbers, &numbers), expect);
        }
    }
}
