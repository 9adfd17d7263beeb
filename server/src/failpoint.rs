//! Named places where a test build ends, stops or delays the process; without the feature `failpoints` nothing of it is built.

/// Passes a named place of `server/RELIABILITY.md`.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::pass($name)
    };
}

#[cfg(feature = "failpoints")]
mod plan {
    use std::io::Write as _;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// What to do where: `K5:3:abort`, the third time that K5 is passed.
    const VARIABLE: &str = "PORCHLIGHT_FAILPOINT";

    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Act {
        /// The process ends as with kill -9: nothing is unwound or flushed.
        Abort,
        /// The process stops until somebody lets it go on.
        #[cfg(unix)]
        Stop,
        /// The thread that came here waits.
        Hold(Duration),
    }

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Plan {
        name: String,
        at: u64,
        act: Act,
    }

    impl Plan {
        fn read(text: &str) -> Option<Self> {
            let mut parts = text.splitn(3, ':');
            let (name, at) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
            let act = match parts.next()?.split_once('=') {
                Some(("hold", ms)) => Act::Hold(Duration::from_millis(ms.parse().ok()?)),
                Some(_) => return None,
                #[cfg(unix)]
                None if text.ends_with(":stop") => Act::Stop,
                None if text.ends_with(":abort") => Act::Abort,
                None => return None,
            };
            Some(Self { name, at, act })
        }

        fn act(&self) {
            match self.act {
                Act::Abort => std::process::abort(),
                #[cfg(unix)]
                Act::Stop => {
                    let own = rustix::process::getpid();
                    // Nothing is lost when it cannot be stopped: the test that waits for it fails.
                    let _ = rustix::process::kill_process(own, rustix::process::Signal::STOP);
                }
                Act::Hold(time) => std::thread::park_timeout(time),
            }
        }
    }

    /// Does what the environment says about this place.
    pub fn pass(name: &str) {
        static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| {
            let text = std::env::var(VARIABLE).ok()?;
            let plan = Plan::read(&text);
            if plan.is_none() {
                let _ = writeln!(
                    std::io::stderr(),
                    "{VARIABLE} is `{text}`, and not NAME:TIMES:abort, :stop or :hold=MS"
                );
                std::process::exit(2);
            }
            plan
        });
        static PASSED: AtomicU64 = AtomicU64::new(0);
        if let Some(plan) = PLAN.as_ref().filter(|plan| plan.name == name)
            && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == plan.at
        {
            plan.act();
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_plan_names_place_time_and_deed() {
            let plan = |name: &str, at, act| Some(Plan { name: name.into(), at, act });
            for (text, expect) in [
                ("K5:3:abort", plan("K5", 3, Act::Abort)),
                ("K12:1:hold=700", plan("K12", 1, Act::Hold(Duration::from_millis(700)))),
                #[cfg(unix)]
                ("K12:1:stop", plan("K12", 1, Act::Stop)),
                ("K5:3", None),
                ("K5:x:abort", None),
                ("K5:3:hold", None),
                ("K5:3:hold=x", None),
                ("K5:3:laugh", None),
                ("", None),
            ] {
                assert_eq!(Plan::read(text), expect, "{text}");
            }
        }
    }
}

#[cfg(feature = "failpoints")]
pub use plan::pass;
