//! How much memory a process takes, where the system tells it.

/// Mebibytes of a process in memory (VmRSS); `None` where the system does not say. `process` is a number, or `self`.
pub(crate) fn mib(process: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    kib(&status).map(|kib| kib / 1024.0)
}

/// KiB on the line `VmRSS:` of a `/proc/self/status`.
fn kib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_size_is_read_from_its_line() {
        let rows = [
            ("Name:\tx\nVmRSS:\t  2048 kB\nVmSwap: 1 kB\n", Some(2048.0)),
            ("Name:\tx\n", None),
            ("VmRSS:\n", None),
            ("VmRSS: many kB\n", None),
        ];
        for (status, expect) in rows {
            assert_eq!(kib(status), expect, "{status}");
        }
    }
}
