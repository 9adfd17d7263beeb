//! The program itself: what it prints, and how it refuses to start. The way through runs the real models.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::json;
use server::config::Security;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::hook::Hook;
use crate::house::{Client, prompts};
use crate::mailroom::{FROM, Mailroom, OWNER, header};

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porchlight"));
    command.current_dir(folder).env("PORCHLIGHT__SERVER__DATA_DIR", folder.join("data"));
    command.env("PORCHLIGHT__SERVER__LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn knowledge(folder: &Path) {
    std::fs::create_dir(folder.join("knowledge")).unwrap();
    let text = "# Opening hours\n\n## When is the shop open?\n\nThe shop is open from Monday to Friday, 9 to 17 hours.\n";
    std::fs::write(folder.join("knowledge/hours.md"), text).unwrap();
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs the program in a folder that `prepare` has filled; it must refuse, and say why.
fn check_refused(prepare: impl Fn(&Path, &mut Command), expect: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    prepare(folder.path(), &mut command);
    let output = command.output().unwrap();
    let said = text(&output);
    assert!(!output.status.success(), "{said}");
    for part in expect {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_start_that_cannot_be_is_refused_with_what_to_do() {
    check_refused(
        |folder, _| {
            std::fs::write(
                folder.join("porchlight.toml"),
                "[server]\nlisten = \"127.0.0.1:0\"\nprot = 80\n",
            )
            .unwrap()
        },
        &["porchlight.toml, line 3: unknown field `prot`"],
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    check_refused(
        |folder, command| {
            knowledge(folder);
            command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        },
        &["is in use", "--listen", &port],
    );
    check_refused(|_, _| {}, &["the knowledge folder knowledge cannot be read", "[knowledge] dir"]);
    check_refused(
        |folder, _| std::fs::create_dir(folder.join("knowledge")).unwrap(),
        &["holds no document"],
    );
    check_refused(
        |folder, _| {
            std::fs::create_dir(folder.join("knowledge")).unwrap();
            std::fs::write(folder.join("knowledge/a.md"), b"one\n\xff").unwrap();
        },
        &["holds no document that can be read", "a.md: line 2: is no UTF-8 text"],
    );
    check_refused(
        |folder, command| {
            knowledge(folder);
            command.env("PORCHLIGHT__MODELS__DRAFTER", "gpt-9");
        },
        &["there is no model `gpt-9`; known are minilm-l6, smollm2-135m"],
    );
    check_refused(
        |folder, command| {
            knowledge(folder);
            std::fs::create_dir(folder.join("data")).unwrap();
            std::fs::write(
                folder.join("data/porchlight.db"),
                "this is no database, but long enough to look like one",
            )
            .unwrap();
            command.arg("reset-owner");
        },
        &["porchlight.db cannot be opened", "Porchlight database"],
    );
    check_refused(
        |_, command| {
            command.arg("dump");
        },
        &["there is no database", "porchlight.db", "--data-dir"],
    );
}

#[test]
fn the_dump_is_whole_and_waits_for_the_server_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str| {
        let output = program(folder.path()).arg(command).output().unwrap();
        (output.status.success(), text(&output))
    };
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let (good, said) = run("reset-owner");
    assert!(good, "{said}");
    let (good, said) = run("dump");
    assert!(good && said.contains(r#""integrity":["ok"]"#), "{said}");
    let end = r#"{"type":"end","conversations":0,"messages":0,"jobs":0}"#;
    assert!(said.lines().any(|line| line == end), "{said}");
    let lock = std::fs::File::create(folder.path().join("data/lock")).unwrap();
    lock.lock().unwrap();
    let (good, said) = run("dump");
    assert!(!good && said.contains("another Porchlight uses the data folder"), "{said}");
}

#[test]
fn models_that_cannot_be_used_are_named_and_never_used() {
    let nowhere = |command: &mut Command| {
        command
            .env("HF_ENDPOINT", "http://127.0.0.1:9")
            .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple");
        command.env_remove("HTTP_PROXY").env_remove("http_proxy").env_remove("ALL_PROXY");
    };
    check_refused(
        |folder, command| {
            knowledge(folder);
            nowhere(command);
            command.env("PORCHLIGHT__MODELS__DIR", folder.join("models"));
        },
        &[
            "minilm-l6",
            "hub http://127.0.0.1:9",
            "package index http://127.0.0.1:9/simple",
            "put these files into",
        ],
    );
    check_refused(
        |folder, command| {
            nowhere(command);
            let at = folder.join("models/smollm2-135m");
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join("SmolLM2-135M-Instruct.Q4_1.gguf"), "GGUF, or so it says")
                .unwrap();
            command.env("PORCHLIGHT__MODELS__DIR", folder.join("models")).args([
                "models",
                "verify",
                "smollm2-135m",
            ]);
        },
        &["smollm2-135m", "19 bytes"],
    );
}

/// The program at work; ended when dropped.
struct Started {
    child: Child,
    base: String,
    _folder: Option<TempDir>,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the program and waits for its addresses.
fn start(mut command: Command, folder: Option<TempDir>) -> Started {
    let mut started =
        Started { child: command.spawn().unwrap(), base: String::new(), _folder: folder };
    let mut out = BufReader::new(started.child.stdout.take().unwrap());
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        if out.read_line(&mut line).unwrap() == 0 {
            let mut errors = String::new();
            started.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            panic!("it ended:\n{seen}{errors}");
        }
        seen.push_str(&line);
        if let Some(base) =
            line.trim().strip_prefix("Demo site").map(|rest| rest.trim().trim_end_matches('/'))
        {
            started.base = base.to_owned();
            return started;
        }
    }
}

fn ask(started: &Started, question: &str) -> serde_json::Value {
    let address = started.base.strip_prefix("http://").unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut visitor = Client::connect(address, "/widget/ws").await;
        visitor.hello(json!(null), json!(null), 0).await;
        visitor.say(1, question).await;
        visitor.message("bot").await
    })
}

#[test]
fn the_program_answers_from_the_documents_and_holds_its_data_alone() {
    let folder = tempfile::tempdir().unwrap();
    knowledge(folder.path());
    let started = start(program(folder.path()), None);
    let reply = ask(&started, "When is your shop open?");
    assert_eq!(reply["text"], "The shop is open from Monday to Friday, 9 to 17 hours.");
    assert_eq!(reply["citations"][0]["doc"], "hours.md");
    let second = program(folder.path()).output().unwrap();
    assert!(text(&second).contains("another Porchlight uses the data folder"), "{}", text(&second));
    drop(started);
    let started = start(program(folder.path()), Some(folder));
    assert!(
        started.base.starts_with("http://127.0.0.1:"),
        "what a killed program held is free again"
    );
}

#[test]
fn the_better_drafter_is_one_setting_and_composes() {
    let folder = tempfile::tempdir().unwrap();
    knowledge(folder.path());
    let mut command = program(folder.path());
    command.env("PORCHLIGHT__MODELS__DRAFTER", "qwen2.5-coder-0.5b");
    let started = start(command, Some(folder));
    let reply = ask(&started, "When is your shop open?");
    let said = reply["text"].as_str().unwrap();
    assert!(said.contains("Monday") && said.contains("Friday"), "{reply}");
    assert_eq!(reply["citations"][0]["doc"], "hours.md", "{reply}");
}

#[test]
fn settings_and_models_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("porchlight.toml"), "[site]\nname = \"Shop\"\n").unwrap();
    let output = program(folder.path()).arg("print-config").output().unwrap();
    let said = text(&output);
    assert!(said.contains("name = \"Shop\"  # porchlight.toml"), "{said}");
    assert!(said.contains("# environment variable PORCHLIGHT__SERVER__LISTEN"), "{said}");
    let said = text(&program(folder.path()).args(["models", "list"]).output().unwrap());
    assert!(said.contains("* smollm2-135m") && said.contains("qwen2.5-1.5b"), "{said}");
    knowledge(folder.path());
    let said = text(&program(folder.path()).arg("index").output().unwrap());
    assert!(said.contains("1 documents, 1 passages"), "{said}");
}

/// The program with this `notify.toml`, after it has ended at `place` of sending a notice and was started again.
fn killed_at(runtime: &Runtime, place: &str, (notify, settings): (&str, &str)) -> Started {
    let folder = tempfile::tempdir().unwrap();
    knowledge(folder.path());
    prompts(folder.path());
    std::fs::write(folder.path().join("prompts/notify.toml"), notify).unwrap();
    std::fs::write(folder.path().join("porchlight.toml"), settings).unwrap();
    let own = || {
        let mut command = program(folder.path());
        command.env("PORCHLIGHT__REPLIES__PROMPTS", folder.path().join("prompts"));
        command
    };
    let mut command = own();
    command.env("PORCHLIGHT_FAILPOINT", format!("{place}:1:abort"));
    let mut started = start(command, None);
    let address = started.base.strip_prefix("http://").unwrap().parse().unwrap();
    runtime.block_on(async {
        let mut visitor = Client::connect(address, "/widget/ws").await;
        visitor.hello(json!(null), json!(null), 0).await;
        visitor.say(1, "Is anybody there?").await;
    });
    assert!(!started.child.wait().unwrap().success(), "it ends at {place}");
    start(own(), Some(folder))
}

#[test]
fn what_was_sent_and_not_marked_is_sent_again_under_the_same_id() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let hook = runtime.block_on(Hook::open());
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let notify = format!(
        "allow_private = [\"127.0.0.1:{}\"]\n[[webhook]]\nid = \"crm\"\nurl = \"{}\"\n\
         secret_file = \"{}\"\nevents = [\"first_message\"]\n",
        hook.port,
        hook.url("/"),
        secret.path().display()
    );
    let again = killed_at(&runtime, "K16", (&notify, ""));
    let called = runtime.block_on(hook.until(2));
    assert_eq!(called[0].header("webhook-id"), called[1].header("webhook-id"));
    assert_eq!(called[0].body, called[1].body);
    drop(again);
    let mut room = runtime.block_on(Mailroom::open());
    let mail = runtime.block_on(room.smtp(Security::None));
    let settings = format!(
        "[mail]\nserver = \"localhost\"\nport = {}\ntls = \"none\"\nfrom = \"{FROM}\"\n",
        mail.port.unwrap()
    );
    let notify = format!(
        "[[mail]]\naddress = \"{OWNER}\"\n[[route]]\nevent = [\"first_message\"]\nto = [\"mail:{OWNER}\"]\n"
    );
    let again = killed_at(&runtime, "K18", (&notify, &settings));
    let mails = runtime.block_on(room.until(|mails| mails.len() == 2));
    let ids: Vec<String> = mails.iter().map(|(mail, _)| header(mail, "Message-ID")).collect();
    assert!(ids[0] == ids[1] && ids[0].len() > 40, "{ids:?}");
    drop(again);
}
