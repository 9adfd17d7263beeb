//! Mail on its way out: over real servers, and over one that refuses, hangs or hangs up wherever it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use server::config::{Mail as MailSettings, Security, Settings};
use server::notify::mail::{Mail, MailError, Mailer};
use server::startup::Outside;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::house::{Hands, House};
use crate::mailroom::{FROM, Mailroom, OWNER, free_port, header};
use crate::notices::shown;

const NOW: i64 = 1_700_000_000_000;

fn letter(subject: &str, text: &str) -> Mail {
    Mail { to: OWNER.into(), subject: subject.into(), text: text.into(), ..Mail::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_out_over_every_kind_of_connection() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut room = Mailroom::open().await;
    for (n, tls) in [Security::None, Security::Starttls, Security::Tls].into_iter().enumerate() {
        let settings = room.smtp(tls).await;
        let mailer = Mailer::new(settings.clone(), &room.trust());
        let text = "Grüße,\nund eine Zeile.\n.\nnach dem Punkt";
        mailer.send(&letter("Frage: ä", text), "0123", NOW).await.unwrap();
        let mail = room.until(|mails| mails.len() > n).await.remove(n).0;
        assert_eq!(header(&mail, "From"), FROM);
        assert_eq!(header(&mail, "To"), OWNER);
        assert_eq!(header(&mail, "Message-ID"), "<porchlight.0123@porchlight.example>");
        assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
        assert!(header(&mail, "Date").starts_with("Tue, 14 Nov 2023 22:13:20"), "{mail}");
        if tls != Security::None {
            let strange = Mailer::new(settings, &[]).send(&letter("a", "b"), "1", NOW).await;
            let Err(MailError::Unreached(words)) = strange else { panic!("{strange:?}") };
            assert!(words.to_lowercase().contains("certificate"), "{words}");
        }
    }
    // A server that offers no TLS gets nothing when TLS is asked for.
    let plain = room.smtp(Security::None).await;
    let settings = MailSettings { tls: Security::Starttls, ..plain };
    let sent = Mailer::new(settings, &room.trust()).send(&letter("a", "b"), "1", NOW).await;
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(room.mails().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_breaks_out_of_a_header() {
    let mut room = Mailroom::open().await;
    let mailer = Mailer::new(room.smtp(Security::None).await, &[]);
    for to in [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org>\r\nRCPT TO:<eve@example.org",
        "ada@example.org, eve@example.org",
        "Ada <ada@example.org>",
        "",
    ] {
        let sent = mailer.send(&Mail { to: to.into(), ..letter("a", "b") }, "1", NOW).await;
        assert_eq!(sent, Err(MailError::Address(to.into())));
    }
    let evil = "Hi\r\nBcc: eve@example.org\r\n\r\nother body\u{0}\u{85}x";
    mailer.send(&letter(evil, "a\r\n.\r\nMAIL FROM:<x@y>\r\n\u{8}"), "1", NOW).await.unwrap();
    let mail = room.until(|mails| !mails.is_empty()).await.remove(0).0;
    assert_eq!(header(&mail, "Bcc"), "");
    assert_eq!(header(&mail, "Subject"), "Hi Bcc: eve@example.org other body x");
    assert!(mail.contains("MAIL FROM:<x@y>") && !mail.contains('\u{8}'), "{mail}");
    assert_eq!(room.mails().len(), 1);
}

/// What a mail server does at which of its turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Greeting,
    Ehlo,
    Auth,
    From,
    To,
    Data,
    Body,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Say(&'static str),
    Hang,
    Reset,
}

/// A mail server that does one thing at one turn, and otherwise as it should; what it was told.
pub(crate) async fn office(turn: Turn, deed: Deed) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let own = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let heard = Arc::clone(&own);
            tokio::spawn(async move {
                let _ = serve(stream, (turn, deed), &heard).await;
            });
        }
    });
    (port, heard)
}

async fn serve(
    stream: TcpStream,
    (turn, deed): (Turn, Deed),
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut now, mut usual) = (Turn::Greeting, "220 office".to_owned());
    loop {
        match deed {
            Deed::Say(words) if now == turn => usual = words.into(),
            Deed::Hang if now == turn => std::future::pending().await,
            Deed::Reset if now == turn => return Ok(()),
            _ => {}
        }
        stream.write_all(format!("{usual}\r\n").as_bytes()).await?;
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        heard.lock().unwrap().push(line.trim_end().to_owned());
        let word = line.split([' ', '\r']).next().unwrap_or_default().to_uppercase();
        (now, usual) = match word.as_str() {
            "EHLO" => (Turn::Ehlo, "250-office\r\n250 AUTH PLAIN LOGIN".into()),
            "AUTH" => (Turn::Auth, "235 welcome".into()),
            "MAIL" => (Turn::From, "250 ok".into()),
            "RCPT" => (Turn::To, "250 ok".into()),
            "DATA" if usual.starts_with('2') => (Turn::Data, "354 go on".into()),
            _ => (now, "250 ok".into()),
        };
        if now == Turn::Data && !matches!((turn, deed), (Turn::Data, _)) {
            stream.write_all(b"354 go on\r\n").await?;
            let mut line = String::new();
            while line != ".\r\n" {
                line.clear();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
            }
            (now, usual) = (Turn::Body, "250 taken".into());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mail_server_refuses_is_told_from_what_it_puts_off() {
    let turns =
        [Turn::Greeting, Turn::Ehlo, Turn::Auth, Turn::From, Turn::To, Turn::Data, Turn::Body];
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "canary-7f3a").unwrap();
    let send = async |turn, deed| {
        let (port, heard) = office(turn, deed).await;
        let settings = MailSettings {
            user: Some("ada".into()),
            password_file: Some(password.clone()),
            ..Mailroom::sending(port, Security::None)
        };
        let mailer = Mailer::new(settings, &[]).within(Duration::from_millis(500));
        (mailer.send(&letter("a", "b"), "1", NOW).await, heard)
    };
    let (sent, heard) = send(Turn::Body, Deed::Say("250 taken")).await;
    assert_eq!(sent, Ok(()));
    assert!(heard.lock().unwrap().iter().any(|line| line.starts_with("AUTH ")), "{heard:?}");
    for turn in turns {
        let (hung, _) = send(turn, Deed::Hang).await;
        assert!(matches!(hung, Err(MailError::Unreached(_))), "{turn:?}: {hung:?}");
        let (reset, _) = send(turn, Deed::Reset).await;
        assert!(matches!(reset, Err(MailError::Unreached(_))), "{turn:?}: {reset:?}");
        let (later, _) = send(turn, Deed::Say("451 try again later")).await;
        assert!(matches!(later, Err(MailError::Deferred(_))), "{turn:?}: {later:?}");
        let (never, _) = send(turn, Deed::Say("550 no such user")).await;
        assert!(matches!(never, Err(MailError::Refused(_))), "{turn:?}: {never:?}");
        for error in [hung, reset, later, never] {
            let words = error.unwrap_err().to_string();
            assert!(!words.contains("canary"), "{words}");
        }
    }
    let (wrong, _) = send(Turn::Auth, Deed::Say("535 wrong password")).await;
    assert!(matches!(wrong, Err(MailError::Deferred(_))), "settings can be mended: {wrong:?}");
    let unset = Mailer::new(MailSettings::default(), &[]).send(&letter("a", "b"), "1", NOW).await;
    assert_eq!(unset, Err(MailError::NotSet));
    let missing = MailSettings {
        user: Some("ada".into()),
        password_file: Some(folder.path().join("none")),
        ..Mailroom::sending(1, Security::None)
    };
    let error = Mailer::new(missing, &[]).send(&letter("a", "b"), "1", NOW).await.unwrap_err();
    assert!(error.to_string().contains("none cannot be read"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_waits_for_a_mail_server_that_is_down() {
    let mut room = Mailroom::open().await;
    let (port, hands) = (free_port(), Hands::new());
    let settings =
        Settings { mail: Mailroom::sending(port, Security::None), ..Settings::default() };
    let toml = format!(
        "[[mail]]\naddress = \"{OWNER}\"\n[[route]]\nevent = [\"hand_off\"]\nto = [\"mail:{OWNER}\"]\n"
    );
    let outside = Outside { clock: hands.clock(), ..Outside::system().unwrap() };
    let house = House::told(&toml, settings, outside).await;
    let cookie = house.owner().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    let down = shown(&house, &cookie, |shown| {
        shown["recent"][0]["attempts"] == 1 && shown["recent"][0]["error"].is_string()
    });
    let error = down.await["recent"][0]["error"].clone();
    assert!(error.as_str().unwrap().contains("cannot be reached"), "{error}");
    room.smtp_at(Security::None, port).await;
    hands.forward(10_000);
    house.running.app.outbox.ring();
    let mail = room.until(|mails| !mails.is_empty()).await.remove(0).0;
    assert_eq!(header(&mail, "Subject"), "A visitor waits for a person");
    assert!(mail.contains("Why: asked for person"), "{mail}");
    assert!(mail.contains("/console/#/c/"), "{mail}");
    assert!(!mail.contains("Answer this mail"), "nobody reads the answers: {mail}");
    shown(&house, &cookie, |shown| shown["recent"][0]["status"] == "sent").await;
    assert_eq!(room.mails().len(), 1);
}
