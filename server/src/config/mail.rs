//! What the settings of mail have to be.

use std::net::IpAddr;

use super::{Imap, Mail, Security};
use crate::notify::address::Address;

/// The key whose value cannot be used, and why.
pub(super) fn problem(mail: &Mail, imap: &Imap) -> Option<(&'static str, String)> {
    sent(mail).or_else(|| read(imap))
}

fn sent(mail: &Mail) -> Option<(&'static str, String)> {
    match (&mail.server, &mail.from) {
        (Some(_), None) => {
            return Some(("mail.from", "no address of yours is set; mail needs one".into()));
        }
        (_, Some(from)) if Address::parse(from).is_none() => {
            let problem = format!("`{from}` is no e-mail address like chat@example.org");
            return Some(("mail.from", problem));
        }
        _ => {}
    }
    if mail.user.is_some() != mail.password_file.is_some() {
        let problem = "user and password_file are set together or not at all".into();
        return Some(("mail.user", problem));
    }
    open(mail.server.as_deref(), mail.tls).map(|problem| ("mail.tls", problem))
}

fn read(imap: &Imap) -> Option<(&'static str, String)> {
    if !(10..=3_600).contains(&imap.every_s) {
        return Some(("imap.every_s", "give 10 to 3600 seconds".into()));
    }
    let signs_in = imap.user.is_some() && imap.password_file.is_some();
    if imap.server.is_some() && !signs_in {
        let problem = "nobody is set who signs in; give user and password_file".into();
        return Some(("imap.user", problem));
    }
    open(imap.server.as_deref(), imap.tls).map(|problem| ("imap.tls", problem))
}

/// Nothing goes over a network in the clear.
fn open(server: Option<&str>, tls: Security) -> Option<String> {
    let here = |server: &str| {
        server == "localhost" || server.parse().is_ok_and(|at: IpAddr| at.is_loopback())
    };
    let open = tls == Security::None && server.is_some_and(|server| !here(server));
    open.then(|| {
        "`none` is for a mail server on this very machine; write \"starttls\" or \"tls\"".into()
    })
}
