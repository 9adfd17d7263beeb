//! Columns in sheets, as products give them, and rows of them: all rows of the first columns, then of the next.

use crate::processor::matrix::SHEET;

/// Adds sheets of `count` rows, from row `first` on, to rows of `width` numbers; nothing where there are no sheets.
pub(super) fn add_sheets(
    rows: &mut [f32],
    width: usize,
    sheets: &[f32],
    count: usize,
    first: usize,
) {
    if sheets.is_empty() {
        return;
    }
    for (n, row) in rows.chunks_exact_mut(width).enumerate() {
        for (sheet, numbers) in sheets.chunks_exact(count * SHEET).zip(row.chunks_mut(SHEET)) {
            let added = &sheet[(first + n) * SHEET..][..SHEET];
            numbers.iter_mut().zip(added).for_each(|(x, y)| *x += y);
        }
    }
}

/// A row's columns from `first` on, a multiple of [`SHEET`].
pub(super) fn columns_of_sheets(
    sheets: &[f32],
    count: usize,
    row: usize,
    first: usize,
    out: &mut [f32],
) {
    let sheets = sheets.chunks_exact(count * SHEET).skip(first / SHEET);
    for (sheet, out) in sheets.zip(out.chunks_mut(SHEET)) {
        out.copy_from_slice(&sheet[row * SHEET..][..out.len()]);
    }
}
