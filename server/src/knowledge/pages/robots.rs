//! What a website's `robots.txt` allows, as RFC 9309 has it: the longest rule of the group for us counts.

use std::time::Duration;

/// Our name in `robots.txt`, in lower case.
const NAME: &str = "porchlight";
/// Bytes that are read; the RFC asks for 500 KiB at least.
const MAX_BYTES: usize = 512 * 1024;
/// The longest pause between two requests that is kept to.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// The rules for us.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Robots {
    /// Whether it allows, and the pattern.
    rules: Vec<(bool, String)>,
    delay: Option<Duration>,
}

impl Robots {
    /// Reads the file; lines that make no sense are passed over.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)]);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let (own, named) = Self::of(text, |agent| agent == NAME);
        if named { own } else { Self::of(text, |agent| agent == "*").0 }
    }

    /// The rules of all groups for an agent, and whether there is such a group.
    fn of(text: &str, is_meant: impl Fn(&str) -> bool) -> (Self, bool) {
        let (mut found, mut named) = (Self::default(), false);
        let (mut meant, mut in_rules) = (false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    // Lines of agents that follow each other begin one group.
                    meant = is_meant(&product(value)) || (meant && !in_rules);
                    in_rules = false;
                    named |= meant;
                }
                key @ ("allow" | "disallow") => {
                    in_rules = true;
                    if meant && !value.is_empty() {
                        found.rules.push((key == "allow", encoded(value)));
                    }
                }
                "crawl-delay" => {
                    in_rules = true;
                    let seconds = value.parse().ok().filter(|s: &f64| s.is_finite() && *s >= 0.0);
                    if let (true, Some(seconds)) = (meant, seconds) {
                        let most = MAX_DELAY.as_secs_f64();
                        found.delay = Some(Duration::from_secs_f64(seconds.min(most)));
                    }
                }
                _ => {}
            }
        }
        (found, named)
    }

    /// Whether a path with its query may be fetched.
    pub(super) fn allows(&self, path: &str) -> bool {
        let path = encoded(path);
        let fitting = self.rules.iter().filter(|(_, pattern)| fits(pattern, &path));
        // Of two rules of one length the one that allows.
        let longest = fitting.max_by_key(|(allow, pattern)| (pattern.len(), *allow));
        longest.is_none_or(|(allow, _)| *allow)
    }

    /// The pause that is asked for between two requests, 10 seconds at most.
    pub(super) fn delay(&self) -> Option<Duration> {
        self.delay
    }
}

/// The name of an agent without its version.
fn product(agent: &str) -> String {
    if agent.starts_with('*') {
        return "*".into();
    }
    let end = agent.find(|c: char| !(c.is_ascii_alphabetic() || c == '-' || c == '_'));
    agent[..end.unwrap_or(agent.len())].to_ascii_lowercase()
}

/// One way to write a path: letters beyond ASCII as `%XX`, its digits in upper case.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut digits = 0;
    for byte in path.bytes() {
        if byte.is_ascii() {
            out.push(if digits > 0 { byte.to_ascii_uppercase() } else { byte }.into());
            digits = if byte == b'%' { 2 } else { digits.max(1) - 1 };
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Whether a pattern with `*` for anything and `$` for the end fits the beginning of a path.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, whole) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut last: Option<&str> = None;
    for part in parts {
        // What stood before is found at its first place; only the last part may have to stand at the end.
        if let Some(part) = last {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        last = Some(part);
    }
    match last {
        None => !whole || rest.is_empty(),
        Some(part) if whole => rest.ends_with(part),
        Some(part) => rest.contains(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(robots: &str, path: &str, expect: bool) {
        assert_eq!(Robots::read(robots.as_bytes()).allows(path), expect, "{robots:?} {path}");
    }

    #[test]
    fn the_longest_rule_of_our_group_counts() {
        let robots = "User-agent: *\nDisallow: /\n\nuser-agent: Other\nUSER-AGENT: PorchLight/0.1 # us\nDisallow: /private\n\
            Allow: /private/open\nDisallow: /*.pdf$\nDisallow: /gr%c3%bcn\nAllow: /a\nDisallow: /a\n";
        for (path, expect) in [
            ("/", true),
            ("/private", false),
            ("/private.html", false),
            ("/private/open/x", true),
            ("/x/y.pdf", false),
            ("/x/y.pdf?z", true),
            ("/grün", false),
            ("/gr%C3%BCn", false),
            ("/a", true),
        ] {
            check(robots, path, expect);
        }
        for (robots, path, expect) in [
            ("", "/x", true),
            ("User-agent: *\nDisallow:\n", "/x", true),
            ("User-agent: *\nDisallow: /\n", "/x", false),
            ("Disallow: /\n", "/x", true),
            ("User-agent: a\nDisallow: /\nUser-agent: b\nDisallow: /b\n", "/x", true),
            (
                "User-agent: porchlight\nDisallow: /x\n\nUser-agent: porchlight\nDisallow: /y\n",
                "/y",
                false,
            ),
            ("User-agent: porchlightbot\nDisallow: /\n", "/x", true),
            ("\u{feff}User-agent: *\r\nDisallow: /x\r\n", "/x", false),
            ("<html>not found</html>", "/x", true),
        ] {
            check(robots, path, expect);
        }
    }

    #[test]
    fn patterns_fit_as_the_rfc_has_it() {
        for (pattern, path, expect) in [
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish", false),
            ("/fish*", "/fish", true),
            ("/fish/", "/fish", false),
            ("/*.php", "/folder/any.php.file", true),
            ("/*.php$", "/any.php?x", false),
            ("/*.php$", "/a.php/b.php", true),
            ("/fish*.php", "/fishheads/c.php?x", true),
            ("/fish*.php", "/Fish.PHP", false),
            ("/a*b*c$", "/abxbc", true),
            ("/a*b*c$", "/abc/d", false),
            ("/$", "/", true),
            ("/$", "/x", false),
            ("*", "/x", true),
            ("*$", "/x", true),
        ] {
            assert_eq!(fits(pattern, path), expect, "{pattern} {path}");
        }
        // A pattern of many stars takes no longer than it has letters.
        assert!(!fits(&"*a".repeat(10_000), &format!("/{}", "a".repeat(9_999))));
    }

    #[test]
    fn a_pause_is_kept_to_within_reason() {
        for (line, expect) in [
            ("Crawl-delay: 2.5", Some(2_500)),
            ("crawl-delay: 3600", Some(10_000)),
            ("Crawl-delay: -1", None),
            ("Crawl-delay: NaN", None),
            ("Crawl-delay: soon", None),
        ] {
            let robots = Robots::read(format!("User-agent: *\n{line}\n").as_bytes());
            assert_eq!(robots.delay(), expect.map(Duration::from_millis), "{line}");
        }
    }
}
