//! Answers to mail: from a real mailbox into the conversation, once, and nothing else.

use serde_json::{Value, json};
use server::config::Security;
use server::notify::mail;
use server::store::mail::Progress;

use crate::house::{Client, House};
use crate::mailroom::{FROM, Mailroom, OWNER, header};

fn toml() -> String {
    format!(
        "[[mail]]\naddress = \"{OWNER}\"\n[[route]]\nevent = [\"hand_off\"]\nto = [\"mail:{OWNER}\"]\n"
    )
}

/// A house whose owner was mailed about a visitor who waits.
struct Asked {
    room: Mailroom,
    house: House,
    visitor: Client,
    conversation: String,
    /// The Message-ID of the mail.
    asked: String,
}

async fn asked() -> Asked {
    let mut room = Mailroom::open().await;
    let settings = room.settings().await;
    let house = House::told(&toml(), settings, room.trusted()).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    let line = visitor.message("system").await;
    let mail = room.until(|mails| !mails.is_empty()).await.remove(0).0;
    let asked = header(&mail, "Message-ID");
    assert!(mail.contains("Answer this mail to write to the visitor."), "{mail}");
    assert!(asked.len() > 80, "{asked}");
    let conversation = line["conversation"].as_str().unwrap().to_owned();
    Asked { room, house, visitor, conversation, asked }
}

/// A mail with these lines in its head.
fn raw(lines: &[&str], body: &str) -> String {
    format!("{}\r\n\r\n{}", lines.join("\r\n"), body.replace('\n', "\r\n"))
}

impl Asked {
    /// An answer as a mail program writes it.
    fn answer(&self, id: &str, body: &str) -> String {
        let reply = format!("In-Reply-To: {}", self.asked);
        let id = format!("Message-ID: <{id}@example.org>");
        raw(&["From: Ada <Ada@Example.org>", &format!("To: {FROM}"), &id, &reply], body)
    }

    /// Has the mailbox looked at until all in it is dealt with.
    async fn looked(&self) {
        let app = &self.house.running.app;
        let marker = self.answer("marker", "x");
        // The last in the mailbox: once it is marked as seen, all before it were looked at.
        let last = self.room.put(marker.replace("marker@", &format!("{}@", app.ids.id())));
        app.inbox.ring();
        self.room.until_seen(&last).await;
        assert_eq!(app.inbox.problem(), None);
    }

    async fn messages(&self, from: &str) -> Vec<Value> {
        let rows =
            self.house.running.app.store.messages(&self.conversation, 0, 1_000).await.unwrap();
        let rows = rows.into_iter().filter(|row| row.speaker == from);
        rows.map(|row| json!({ "text": row.text, "author": row.author, "at": row.at, "written_at": row.written_at })).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_answers_by_mail_once() {
    let mut at = asked().await;
    at.house.owner().await;
    let body = "Hello!\nIt is in the cellar.\n\nOn Tue, 3 Nov 2026 at 10:00, Porchlight\n<chat@porchlight.example> wrote:\n> A visitor waits\n> Why: asked for person\n\n-- \nAda\n";
    let date = "Date: Tue, 3 Jan 2006 10:00:00 +0000\r\nMessage-ID:";
    let answer = at.answer("one", body).replace("Message-ID:", date);
    at.room.put(&answer);
    at.house.running.app.inbox.ring();
    let message = at.visitor.message("owner").await;
    assert_eq!(
        (&message["text"], &message["author"]),
        (&json!("Hello!\nIt is in the cellar."), &json!("Ada"))
    );
    // The same mail once more, under another number.
    at.room.put(&answer);
    at.looked().await;
    let said = at.messages("owner").await;
    assert_eq!(said.len(), 2, "one, and the marker: {said:?}");
    let (at_ms, written) =
        (said[0]["at"].as_i64().unwrap(), said[0]["written_at"].as_i64().unwrap());
    assert!(written <= at_ms && written > at_ms - 60_000, "not before the question: {said:?}");
    assert!(
        at.room
            .mails()
            .iter()
            .filter(|(mail, _)| mail.contains("In-Reply-To"))
            .all(|(_, seen)| *seen)
    );
    let asked =
        at.room.mails().into_iter().find(|(mail, _)| !mail.contains("In-Reply-To")).unwrap();
    assert!(!asked.1, "what is not an answer is left as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_with_a_new_meaning_double_nothing() {
    let at = asked().await;
    at.room.put(at.answer("one", "First"));
    at.looked().await;
    let app = &at.house.running.app;
    let name = "ada@localhost";
    let known = app.store.mailbox(name).await.unwrap().unwrap();
    let before = at.messages("owner").await.len();
    at.room.renumber();
    at.room.put(at.answer("two", "Second"));
    at.looked().await;
    let renumbered = app.store.mailbox(name).await.unwrap().unwrap();
    assert_ne!(known.uid_validity, renumbered.uid_validity);
    assert_eq!(at.messages("owner").await.len(), before + 2, "the new one and its marker");
    // As if the note had been lost: all is read again.
    let mut tx = app.store.begin().await.unwrap();
    tx.note_mailbox(name, Progress { uid_validity: 1, last_uid: 7_000 }).await.unwrap();
    tx.commit().await.unwrap();
    at.looked().await;
    assert_eq!(at.messages("owner").await.len(), before + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_was_asked_may_answer() {
    let at = asked().await;
    let (id, reply) = ("Message-ID: <x@example.org>", format!("In-Reply-To: {}", at.asked));
    let from = "From: ada@example.org";
    let secret = at.asked.trim_start_matches("<porchlight.").split('@').next().unwrap().to_owned();
    let other = format!("In-Reply-To: <porchlight.{}@porchlight.example>", "0".repeat(64));
    let short = format!("In-Reply-To: <porchlight.{}@porchlight.example>", &secret[..63]);
    let own = format!("From: {FROM}");
    for (n, (lines, body)) in [
        (vec![id, &reply, "From: eve@example.org"], "Another sender"),
        (vec![id, &reply, "From: ada@example.org, eve@example.org"], "Two senders"),
        (vec![id, &reply, "From: \"ada@example.org\" <eve@example.org>"], "A name like an address"),
        (vec![id, &reply], "Nobody"),
        (vec![id, &reply, &own], "Our own address"),
        (vec![id, &other, from], "A secret that is none"),
        (vec![id, &short, from], "A secret that is too short"),
        (vec![id, "Subject: porchlight.", from], "No secret"),
        (vec![id, &reply, from, "Auto-Submitted: auto-replied"], "I am away"),
        (vec![id, &reply, from, "X-Autoreply: yes"], "I am away"),
        (vec![id, &reply, from, "Precedence: bulk"], "Bulk"),
        (vec![id, &reply, from, "List-Id: <list.example.org>"], "A list"),
        (vec![id, &reply, from, "Return-Path: <>"], "A bounce"),
        (
            vec![id, &reply, from, "Content-Type: multipart/report; boundary=x"],
            "--x\n\nreport\n--x--\n",
        ),
        (vec![id, &reply, "From: MAILER-DAEMON@example.org"], "A bounce"),
        (vec![id, &reply, from], "> only\n> quoted\n"),
        (vec![id, &reply, from], "-- \nonly a signature\n"),
        (vec![id, &reply, from], ""),
    ]
    .into_iter()
    .enumerate()
    {
        at.room.put(raw(&lines, body).replace("<x@", &format!("<x{n}@")));
    }
    at.looked().await;
    let said = at.messages("owner").await;
    assert_eq!(said.len(), 1, "the marker alone: {said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_mails_harm_nobody() {
    let at = asked().await;
    let nested = |count: usize| format!("{}x{}", "(".repeat(count), ")".repeat(count));
    let head =
        |more: &str| at.answer("h", "Body").replace("\r\n\r\n", &format!("\r\n{more}\r\n\r\n"));
    let parts = |count: usize| {
        let mut body = String::new();
        for n in 0..count {
            body.push_str(&format!(
                "--b{n}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n",
                n + 1
            ));
        }
        head("Content-Type: multipart/mixed; boundary=b0").replace("Body", &body)
    };
    let many =
        format!("{}--x--\r\n", "--x\r\nContent-Type: text/plain\r\n\r\na\r\n".repeat(10_000));
    let ids = " <porchlight.aaaa@b>".repeat(50_000);
    let bomb = "Content-Type: text/html\r\nContent-Transfer-Encoding: base64";
    for (n, hostile) in [
        head(&format!("Date: Tue, 3 Nov 2026 10:00:00 +0000 {}", nested(100_000))),
        head(&format!("X-Comment: {}", nested(200_000))),
        at.answer("h", "Body").replace("From: Ada", &format!("From: {}", nested(100_000))),
        head("Date: Fri, 99 Zzz 99999999999999999999 99:99:99 +9999"),
        parts(5_000),
        head("Content-Type: multipart/mixed; boundary=x").replace("Body", &many),
        head(&format!("References:{ids}")),
        head(bomb).replace("Body", &"PGRpdj4=".repeat(60_000)),
        head("Content-Type: text/plain; charset=x-unknown")
            .replace("Body", "\u{fffd}\u{0}\u{1b}[2J"),
        head("Content-Type: message/rfc822").replace("Body", &at.answer("inner", "Inner")),
        head("Content-Transfer-Encoding: base64").replace("Body", "%%%%"),
        head("Content-Type: multipart/mixed").replace("Body", "--\r\n----\r\n"),
        format!("{}{}", at.answer("h", ""), "x".repeat(3_000_000)),
        "In-Reply-To: porchlight.".to_owned(),
        "\r\n\r\nporchlight.".to_owned(),
        format!("In-Reply-To: {}\r\n{}", at.asked, "X: y\r\n".repeat(100_000)),
    ]
    .into_iter()
    .enumerate()
    {
        at.room.put(hostile.replace("<h@", &format!("<h{n}@")));
    }
    let mut bytes = at.answer("bytes", "").into_bytes();
    bytes.extend((0..=255).cycle().take(20_000));
    at.room.put(bytes);
    at.looked().await;
    let said = at.messages("owner").await;
    for message in &said {
        let text = message["text"].as_str().unwrap();
        assert!(text.chars().count() <= 4_000 && !text.is_empty(), "{message}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{message}");
    }
    assert_eq!(said.last().unwrap()["text"], "x", "the marker came through");
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_named_and_left_out() {
    let at = asked().await;
    let body = "--x\nContent-Type: text/plain; charset=utf-8\n\nSee the plan – attached.\n--x\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../plan\u{202e}.pdf\"\n\nJVBERi0=\n--x--\n";
    let head = "Content-Type: multipart/mixed; boundary=x\r\nMessage-ID:";
    at.room.put(at.answer("one", body).replace("Message-ID:", head));
    at.looked().await;
    let said = at.messages("owner").await;
    assert_eq!(said[0]["text"], "See the plan – attached.\n[attachment left out: ../plan.pdf]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_answers_a_mail_of_the_owner() {
    let at = asked().await;
    let app = &at.house.running.app;
    let mut tx = app.store.begin().await.unwrap();
    let what = ("grace@example.net", "Your question (ticket 7)", "We look into it.");
    let about = (at.conversation.as_str(), "ticket_reply");
    assert!(mail::to_visitor(app, &mut tx, about, what, app.clock.now_ms()).await.unwrap());
    tx.commit().await.unwrap();
    let sent = at.room.until(|mails| mails.len() == 2).await;
    let sent = sent.iter().find(|(mail, _)| header(mail, "To") == "grace@example.net").unwrap();
    let reply = format!("In-Reply-To: {}", header(&sent.0, "Message-ID"));
    let lines = ["From: Grace <grace@example.net>", "Message-ID: <g@example.net>", &reply];
    at.room.put(raw(&lines, "Thank you!\n\n> We look into it.\n"));
    // Who was asked as the owner is no visitor, and the other way round.
    at.room.put(raw(&["From: ada@example.org", "Message-ID: <a@example.org>", &reply], "Me"));
    at.looked().await;
    let said = at.messages("visitor").await;
    assert_eq!(said.iter().map(|one| one["text"].clone()).collect::<Vec<_>>(), ["Thank you!"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_read_over_every_kind_of_connection() {
    let mut room = Mailroom::open().await;
    for (tls, trusted) in [
        (Security::None, true),
        (Security::Starttls, true),
        (Security::Tls, true),
        (Security::Starttls, false),
        (Security::Tls, false),
    ] {
        let settings =
            server::config::Settings { imap: room.reading(tls), ..room.settings().await };
        let outside =
            if trusted { room.trusted() } else { server::startup::Outside::system().unwrap() };
        let house = House::told(&toml(), settings, outside).await;
        let app = &house.running.app;
        app.inbox.ring();
        let looked = async {
            loop {
                let known = app.store.mailbox("ada@localhost").await.unwrap();
                if known.is_some() || app.inbox.problem().is_some() {
                    return app.inbox.problem();
                }
                // An empty mailbox leaves no note: something has to be in it.
                room.put("Subject: x\r\n\r\nx\r\n");
                app.inbox.ring();
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let problem = tokio::time::timeout(crate::house::PATIENCE, looked).await.unwrap();
        assert_eq!(problem.is_none(), trusted, "{tls:?}: {problem:?}");
        if let Some(problem) = problem {
            assert!(problem.to_lowercase().contains("certificate"), "{problem}");
        }
        house.stopped().await;
    }
    room.password("canary-91c2");
    let house = House::told(&toml(), room.settings().await, room.trusted()).await;
    let cookie = house.owner().await;
    let shown = crate::notices::shown(&house, &cookie, |shown| shown["problem"].is_string()).await;
    assert!(shown["problem"].as_str().unwrap().contains("cannot be read"), "{shown}");
    assert!(!shown.to_string().contains("canary"), "{shown}");
}
