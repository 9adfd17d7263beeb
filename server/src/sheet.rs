//! Rows as a CSV file that a spreadsheet opens without running any of it.

/// What begins a formula in a spreadsheet, or is taken off before one is looked for.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '＠'];

/// A CSV file (RFC 4180) with a line for `head` and one for each row. A cell that could be a formula begins with an apostrophe.
///
/// # Errors
/// When the writer fails, which it has no reason to.
pub fn csv(head: &[String], rows: &[Vec<String>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in std::iter::once(head).chain(rows.iter().map(Vec::as_slice)) {
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// A moment in milliseconds since 1970 as a spreadsheet reads it: `2026-03-12T09:00:00Z`.
pub fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

fn harmless(cell: &str) -> String {
    let formula = cell.trim_start_matches(' ').starts_with(FORMULA);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let head = ["A".to_owned(), "B".to_owned()];
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let rows = [
            row("=cmd|' /C calc'!A0", "x"),
            row("+49 30 1", "-1"),
            row("@sum", " =1"),
            row("a,b", "say \"hi\"\nthere"),
            row("\t=1", "＝1"),
        ];
        let text = String::from_utf8(csv(&head, &rows).unwrap()).unwrap();
        assert_eq!(
            text,
            "A,B\r\n'=cmd|' /C calc'!A0,x\r\n'+49 30 1,'-1\r\n'@sum,' =1\r\n\"a,b\",\"say \"\"hi\"\"\nthere\"\r\n'\t=1,'＝1\r\n"
        );
    }
}
