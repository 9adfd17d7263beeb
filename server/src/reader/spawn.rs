//! Starts the process that reads one document, and ends it when it takes too long or answers too much.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use super::{Allowance, child};

/// Bytes of its complaints that are kept.
const MAX_COMPLAINT: u64 = 4 * 1024;

/// Why there is no Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It would be so the next time as well.
    Lasting(String),
    /// It may go well the next time.
    Passing(String),
}

/// Reads a document or a sitemap in a process of its own; `kind` says which.
pub(super) fn read(
    program: &Path,
    kind: &str,
    bytes: &[u8],
    allowance: Allowance,
) -> Result<String, Failure> {
    let started = start(program, kind);
    let mut process = started.map_err(|error| {
        Failure::Passing(format!("could not be read: no process can be started for it: {error}"))
    })?;
    let (answer, complaint) = listen(&mut process, bytes, allowance);
    let status = process.wait();
    let status = status.map_err(|error| Failure::Passing(format!("could not be read: {error}")))?;
    match answer {
        None => {
            let seconds = allowance.wall.as_secs();
            Err(Failure::Passing(format!("took more than {seconds} seconds to read")))
        }
        Some(answer) if answer.len() as u64 > most(allowance) => {
            let most = allowance.output;
            Err(Failure::Lasting(format!("has more than {most} bytes of text. Split it.")))
        }
        Some(answer) => said(status, &answer, &complaint),
    }
}

fn start(program: &Path, kind: &str) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.args(["read-document", "--kind", kind]);
    // It needs no settings, and no secrets that others are given.
    #[cfg(unix)]
    command.env_clear();
    // A Ctrl-C in the terminal is meant for this program, which ends its children itself.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn()
}

/// Bytes of an answer that are read at most.
fn most(allowance: Allowance) -> u64 {
    allowance.output + child::READ.len().max(child::REFUSED.len()) as u64
}

/// Gives it the document and takes its answer and its complaints; one that takes too long has no answer and is ended.
fn listen(process: &mut Child, bytes: &[u8], allowance: Allowance) -> (Option<Vec<u8>>, Vec<u8>) {
    let (input, output, errors) =
        (process.stdin.take(), process.stdout.take(), process.stderr.take());
    let (answers, answer) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            // One that ends before it has read all of it says why elsewhere.
            let _ = input.map(|mut input| input.write_all(bytes));
        });
        let complaint = scope.spawn(move || taken(errors, MAX_COMPLAINT));
        scope.spawn(move || {
            // Nobody waits for it any more when that fails.
            let _ = answers.send(taken(output, most(allowance) + 1));
        });
        let answer = answer.recv_timeout(allowance.wall).ok();
        if answer.as_ref().is_none_or(|answer| answer.len() as u64 > most(allowance)) {
            // It may have ended by itself meanwhile; its pipes are closed either way.
            let _ = process.kill();
        }
        (answer, complaint.join().unwrap_or_default())
    })
}

/// What comes out of a pipe, up to so many bytes; less when it breaks.
fn taken(pipe: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = pipe.map(|pipe| pipe.take(most).read_to_end(&mut bytes));
    bytes
}

/// What an answer means.
fn said(status: ExitStatus, answer: &[u8], complaint: &[u8]) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(answer);
    if let (true, Some(markdown)) = (status.success(), text.strip_prefix(child::READ)) {
        return Ok(markdown.to_owned());
    }
    if let (true, Some(reason)) = (status.success(), text.strip_prefix(child::REFUSED)) {
        return Err(Failure::Lasting(reason.to_owned()));
    }
    let complaint = String::from_utf8_lossy(complaint);
    tracing::debug!(%status, "a reading process failed: {complaint}");
    let why = why(status, &complaint);
    // Who stops this program stops its children; that says nothing of the document.
    if signal(status).is_some_and(|signal| STOPS.contains(&signal)) {
        return Err(Failure::Passing(why));
    }
    Err(Failure::Lasting(why))
}

/// Why a process ended without an answer, for people.
fn why(status: ExitStatus, complaint: &str) -> String {
    let memory = complaint.contains("memory allocation");
    if memory {
        let most = child::MEMORY_BYTES / (1024 * 1024);
        return format!("takes more than {most} MiB of memory to read");
    }
    if complaint.contains("overflowed its stack") {
        return "is nested too deeply to be read".into();
    }
    match signal(status) {
        Some(XCPU | KILL) => format!("takes more than {} seconds to read", child::CPU_SECONDS),
        _ => format!("is broken in a way that its reader does not understand ({status})"),
    }
}

/// Signals with which a person or the system ends a program: SIGHUP, SIGINT and SIGTERM.
const STOPS: [i32; 3] = [1, 2, 15];
/// Signal at the end of the allowed seconds of computing, the same on Linux and macOS.
const XCPU: i32 = 24;
/// Signal a second later.
const KILL: i32 = 9;

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    status.signal()
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    /// A program that does what this shell script says.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn check(script: &str, expect: Result<&str, Failure>) {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), script);
        let allowance = Allowance { wall: Duration::from_secs(20), output: 50 };
        let found = read(&program, "pdf", &[b'x'; 200_000], allowance);
        assert_eq!(found, expect.map(str::to_owned), "{script}");
    }

    #[test]
    fn every_end_of_the_process_has_its_reason() {
        let lasting = |why: &str| Err(Failure::Lasting(why.to_owned()));
        check("cat >/dev/null; echo porchlight document 1 read; echo hello", Ok("hello\n"));
        check("echo porchlight document 1 read; echo early", Ok("early\n"));
        check("echo porchlight document 1 refused; printf 'is empty'", lasting("is empty"));
        check(
            "echo porchlight document 1 read; cat /dev/zero",
            lasting("has more than 50 bytes of text. Split it."),
        );
        check(
            "echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$",
            lasting("takes more than 768 MiB of memory to read"),
        );
        check(
            "echo \"thread 'main' has overflowed its stack\" >&2; kill -ABRT $$",
            lasting("is nested too deeply to be read"),
        );
        check("kill -XCPU $$", lasting("takes more than 20 seconds to read"));
        let stopped =
            "is broken in a way that its reader does not understand (signal: 15 (SIGTERM))";
        check("kill -TERM $$", Err(Failure::Passing(stopped.into())));
        check(
            "exit 3",
            lasting("is broken in a way that its reader does not understand (exit status: 3)"),
        );
        check(
            "echo something else",
            lasting("is broken in a way that its reader does not understand (exit status: 0)"),
        );
    }

    #[test]
    fn one_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), "exec tail -f /dev/null");
        let allowance = Allowance { wall: Duration::from_millis(50), output: 50 };
        let found = read(&program, "pdf", &[b'x'; 200_000], allowance);
        assert_eq!(found, Err(Failure::Passing("took more than 0 seconds to read".into())));
        let found = read(&folder.path().join("none"), "pdf", b"", allowance);
        assert!(
            matches!(found, Err(Failure::Passing(why)) if why.contains("no process can be started"))
        );
    }
}
