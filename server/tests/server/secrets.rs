//! Secrets stay where they are: none is in a log, however much is logged, nor in an answer or a stored error.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use server::config::{Mail, Security, Settings};
use server::startup::Outside;
use server::telemetry::without_secrets;
use tracing_subscriber::EnvFilter;

use crate::hook::{Act, Hook};
use crate::house::House;
use crate::letters::{Deed, Turn, office};
use crate::mailroom::{Mailroom, OWNER};
use crate::notices::{allowed, route, secret, shown, webhook};

/// The log of the whole process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const SMTP: &str = "canary-smtp-51e8";
const IMAP: &str = "canary-imap-a2f4";
const TOKEN: &str = "tk-canary-ntfy-7b90";
const HOOK: &str = "whsec_Y2FuYXJ5LWhvb2stOWQzZi1sb25nLWVub3VnaA==";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told_to_anybody() {
    let log = Log::default();
    let own = log.clone();
    let filter = without_secrets(EnvFilter::new("trace"));
    let made = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    made.with_writer(move || own.clone()).init();
    let (hook, room, folder) =
        (Hook::open().await, Mailroom::open().await, tempfile::tempdir().unwrap());
    let files: Vec<String> = [("mail", SMTP), ("ntfy", TOKEN), ("hook", HOOK)]
        .into_iter()
        .map(|(name, text)| {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            secret(&folder.path().join(name), text)
        })
        .collect();
    room.password(IMAP);
    let (port, _) = office(Turn::Body, Deed::Say("554 I do not like it")).await;
    let mail = Mail {
        user: Some("ada".into()),
        password_file: Some(files[0].clone().into()),
        ..Mailroom::sending(port, Security::None)
    };
    let settings = Settings { mail, imap: room.reading(Security::None), ..Settings::default() };
    let toml = allowed(&hook)
        + &webhook(&hook, "crm", &files[2], "/hook")
        + &format!("[[mail]]\naddress = \"{OWNER}\"\n")
        + &format!(
            "[[ntfy]]\nurl = \"{}\"\ntopic = \"t\"\ntoken_file = \"{}\"\n",
            hook.url("/"),
            files[1]
        )
        + &route("\"hand_off\"", &format!("\"mail:{OWNER}\", \"ntfy:t\", \"webhook:crm\""));
    hook.next([Act::Reset, Act::Say("403 Forbidden", String::new())]);
    let house = House::told(&toml, settings, Outside::system().unwrap()).await;
    let cookie = house.owner().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    let called = hook.until(2).await;
    assert!(called.iter().any(|call| call.header("authorization") == format!("Bearer {TOKEN}")));
    let shown = shown(&house, &cookie, |shown| {
        let failed = |row: &serde_json::Value| row["error"].is_string();
        shown["problem"].is_string()
            && shown["recent"].as_array().unwrap().iter().filter(|row| failed(row)).count() == 3
    })
    .await;
    let mut said = shown.to_string();
    for channel in [format!("mail:{OWNER}"), "ntfy:t".into(), "webhook:crm".into()] {
        hook.say("500 Internal Server Error");
        let test = json!({ "channel": channel });
        said.push_str(&house.post("/console/api/notifications/test", &cookie, &test).await.body);
    }
    said.push_str(&format!("{:?}", house.running.app));
    house.stopped().await;
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(
        logged.contains("a notice could not be sent"),
        "the log is heard: {} bytes",
        logged.len()
    );
    let canaries = ["canary", "Y2FuYXJ5", HOOK, "AGFkYQBjYW5hcnk"];
    for (place, text) in [("answers", &said), ("log", &logged)] {
        for canary in canaries {
            let at = text
                .find(canary)
                .map(|at| text[at.saturating_sub(200)..].chars().take(400).collect::<String>());
            assert_eq!(at, None, "{canary} is in the {place}");
        }
    }
}
