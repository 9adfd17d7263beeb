//! What the answer to a call means, and whether it may be called again.

use serde_json::Value;

use crate::outbound::actions::{Answer, CallError};

/// How often a call is begun at most.
pub(super) const ATTEMPTS: i64 = 3;

/// What has become of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// It worked.
    Done(Value),
    /// The other end does not know what it is about.
    Missing,
    /// The other end does not do it; nothing has changed there.
    Refused,
    /// It failed, and nothing has changed at the other end.
    Failed,
    /// It is begun again later.
    Again,
    /// A write may have worked: nobody knows, and it is never begun again.
    Unknown,
}

/// Judges an answer. `writes` is whether the call changes something, `attempts` how often it was begun.
pub(super) fn judge(writes: bool, attempts: i64, answer: &Result<Answer, CallError>) -> Verdict {
    let again = |otherwise| if attempts < ATTEMPTS { Verdict::Again } else { otherwise };
    match answer {
        Ok(Answer { status: 200..300, body }) => Verdict::Done(body.clone()),
        Ok(Answer { status: 404 | 410, .. }) => Verdict::Missing,
        Ok(Answer { status: 429 | 500.., .. }) if !writes => again(Verdict::Failed),
        Ok(Answer { status: 500.., .. }) => Verdict::Unknown,
        Ok(_) => Verdict::Refused,
        Err(CallError::Unreached(_)) => again(Verdict::Failed),
        Err(CallError::Closed(_)) => Verdict::Failed,
        Err(CallError::Lost(_)) if !writes => again(Verdict::Failed),
        Err(CallError::Lost(_)) => Verdict::Unknown,
        // Many programs answer a POST that has worked with a redirect.
        Err(CallError::Redirect { .. }) if writes => Verdict::Unknown,
        Err(CallError::Redirect { .. }) => Verdict::Refused,
        Err(CallError::Unreadable { .. }) if writes => Verdict::Unknown,
        Err(CallError::Unreadable { .. }) => Verdict::Failed,
    }
}

/// The answer in a sentence for the record: no body, which may hold anything.
pub(super) fn sentence(answer: &Result<Answer, CallError>) -> String {
    match answer {
        Ok(answer) => format!("HTTP status {}", answer.status),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_begun_again_only_when_nothing_was_sent() {
        let status = |status| Ok(Answer { status, body: Value::Null });
        let lost = || Err(CallError::Lost("reset".into()));
        let none = || Err(CallError::Unreached("refused".into()));
        let closed = || Err(CallError::Closed("private".into()));
        let odd = || Err(CallError::Unreadable { status: 200, problem: "no JSON".into() });
        let away = || Err(CallError::Redirect { status: 302 });
        use Verdict::{Again, Done, Failed, Missing, Refused, Unknown};
        for (answer, read, write) in [
            (status(200), Done(Value::Null), Done(Value::Null)),
            (status(204), Done(Value::Null), Done(Value::Null)),
            (status(400), Refused, Refused),
            (status(403), Refused, Refused),
            (status(404), Missing, Missing),
            (status(409), Refused, Refused),
            (status(429), Again, Refused),
            (status(500), Again, Unknown),
            (status(503), Again, Unknown),
            (lost(), Again, Unknown),
            (none(), Again, Again),
            (closed(), Failed, Failed),
            (odd(), Failed, Unknown),
            (away(), Refused, Unknown),
        ] {
            assert_eq!(judge(false, 1, &answer), read, "read {answer:?}");
            assert_eq!(judge(true, 1, &answer), write, "write {answer:?}");
            for writes in [false, true] {
                assert_ne!(judge(writes, ATTEMPTS, &answer), Again, "{answer:?}");
            }
        }
    }
}
