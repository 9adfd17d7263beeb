//! `notify.toml`: who is told about what, where, and when not.

use std::path::PathBuf;

use engine::tasks::BookError;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use engine::metrics::event::What;

use super::Event;
use super::address::Address;
use crate::config::HostPort;
use crate::outbox::Channel;

/// Channels and routes at most: each notice may become one parcel for each.
const MOST: usize = 50;
/// Minutes of `unanswered_minutes` at most.
const LONGEST_MINUTES: u32 = 1_440;

/// `notify.toml`, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notify {
    /// When only urgent notices leave.
    pub quiet: Option<Quiet>,
    /// Minutes after which a visitor who waits for a person counts as unanswered; none for never.
    pub unanswered_minutes: Option<u32>,
    /// Hosts that may be called although their addresses are private.
    pub allow_private: Vec<HostPort>,
    /// Addresses that get mail.
    pub mail: Vec<Address>,
    /// Programs that are called.
    pub webhook: Vec<Webhook>,
    /// Topics of ntfy servers.
    pub ntfy: Vec<Ntfy>,
    /// What goes where.
    pub route: Vec<Route>,
}

/// Stands for all events of the stream.
const ALL: &str = "*";

/// A program that is called over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name in routes.
    pub id: String,
    /// Where it listens.
    pub url: Url,
    /// File with its secret, `whsec_…`; two lines while it is changed.
    pub secret_file: PathBuf,
    /// What it is told without a route.
    pub events: Vec<Event>,
    /// Names of the events of the stream that it gets, `*` for all.
    pub stream: Vec<String>,
}

impl Webhook {
    /// Whether it gets an event of the stream.
    pub fn streams(&self, name: &str) -> bool {
        self.stream.iter().any(|one| one == ALL || one == name)
    }
}

/// A topic of an ntfy server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntfy {
    /// The server.
    pub url: Url,
    /// The topic; its name in routes.
    pub topic: String,
    /// File with an access token.
    pub token_file: Option<PathBuf>,
}

/// What goes where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What happened.
    pub event: Vec<Event>,
    /// Who is told.
    pub to: Vec<(Channel, String)>,
    /// Whether it may break the quiet hours.
    pub urgent: bool,
}

/// The file as it is written, with the places of what may be wrong.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    quiet: Option<Spanned<String>>,
    unanswered_minutes: Option<Spanned<u32>>,
    #[serde(default)]
    allow_private: Vec<HostPort>,
    #[serde(default)]
    mail: Vec<Spanned<MailLine>>,
    #[serde(default)]
    webhook: Vec<Spanned<WebhookLine>>,
    #[serde(default)]
    ntfy: Vec<Spanned<NtfyLine>>,
    #[serde(default)]
    route: Vec<Spanned<RouteLine>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailLine {
    address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookLine {
    id: String,
    url: String,
    secret_file: PathBuf,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    stream: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NtfyLine {
    url: String,
    topic: String,
    token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteLine {
    event: Vec<Event>,
    to: Vec<String>,
    #[serde(default)]
    urgent: bool,
}

impl Notify {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`BookError`] with the line: bad TOML, unknown keys and events, addresses that are none, routes to nobody.
    pub fn parse(text: &str) -> Result<Self, BookError> {
        let file: File =
            toml::from_str(text).map_err(|e| BookError::Toml(e.to_string().trim_end().into()))?;
        let line = |start: usize| text[..start].matches('\n').count() + 1;
        let at = |start: usize, problem: String| BookError::At { line: line(start), problem };
        let mut read = Self { allow_private: file.allow_private, ..Self::default() };
        if let Some(quiet) = file.quiet {
            let start = quiet.span().start;
            read.quiet = Some(Quiet::parse(quiet.get_ref()).map_err(|p| at(start, p))?);
        }
        if let Some(minutes) = file.unanswered_minutes {
            if !(1..=LONGEST_MINUTES).contains(minutes.get_ref()) {
                let problem = format!("unanswered_minutes is 1 to {LONGEST_MINUTES}");
                return Err(at(minutes.span().start, problem));
            }
            read.unanswered_minutes = Some(minutes.into_inner());
        }
        each(file.mail, &at, |line| read.add_mail(line))?;
        each(file.webhook, &at, |line| read.add_webhook(line))?;
        each(file.ntfy, &at, |line| read.add_ntfy(line))?;
        each(file.route, &at, |line| read.add_route(line))?;
        Ok(read)
    }

    /// All channels that are set up, the console's browsers last.
    pub fn channels(&self) -> Vec<(Channel, String)> {
        let mail = self.mail.iter().map(|one| (Channel::Mail, one.as_str().to_owned()));
        let webhook = self.webhook.iter().map(|one| (Channel::Webhook, one.id.clone()));
        let ntfy = self.ntfy.iter().map(|one| (Channel::Ntfy, one.topic.clone()));
        let browser = [(Channel::Browser, String::new())];
        mail.chain(webhook).chain(ntfy).chain(browser).collect()
    }

    /// Who is told about an event, each once, and whether a route calls it urgent there.
    pub fn told(&self, event: Event) -> Vec<(Channel, String, bool)> {
        let mut told: Vec<(Channel, String, bool)> = Vec::new();
        let routes = self.route.iter().filter(|route| route.event.contains(&event));
        let routed = routes.flat_map(|route| route.to.iter().map(|to| (to, route.urgent)));
        for ((channel, target), urgent) in routed {
            match told.iter_mut().find(|(c, t, _)| c == channel && t == target) {
                Some(known) => known.2 |= urgent,
                None => told.push((*channel, target.clone(), urgent)),
            }
        }
        for hook in self.webhook.iter().filter(|hook| hook.events.contains(&event)) {
            if !told.iter().any(|(c, t, _)| *c == Channel::Webhook && *t == hook.id) {
                told.push((Channel::Webhook, hook.id.clone(), false));
            }
        }
        told
    }

    fn has(&self, channel: Channel, target: &str) -> bool {
        self.channels().iter().any(|(c, t)| *c == channel && t == target)
    }

    fn add_mail(&mut self, line: MailLine) -> Result<(), String> {
        let address = Address::parse(&line.address).ok_or_else(|| {
            format!("`{}` is no e-mail address like ada@example.org", line.address)
        })?;
        self.fresh(Channel::Mail, address.as_str())?;
        self.mail.push(address);
        Ok(())
    }

    fn add_webhook(&mut self, line: WebhookLine) -> Result<(), String> {
        named(&line.id)?;
        self.fresh(Channel::Webhook, &line.id)?;
        let WebhookLine { id, url, secret_file, events, stream } = line;
        if let Some(unknown) =
            stream.iter().find(|name| *name != ALL && !What::NAMES.contains(&name.as_str()))
        {
            let names = What::NAMES.join(", ");
            return Err(format!(
                "`{unknown}` is no event of the stream; it has {names}, and \"{ALL}\" for all"
            ));
        }
        self.webhook.push(Webhook { id, url: address(&url)?, secret_file, events, stream });
        Ok(())
    }

    fn add_ntfy(&mut self, line: NtfyLine) -> Result<(), String> {
        named(&line.topic)?;
        self.fresh(Channel::Ntfy, &line.topic)?;
        let NtfyLine { url, topic, token_file } = line;
        self.ntfy.push(Ntfy { url: address(&url)?, topic, token_file });
        Ok(())
    }

    fn add_route(&mut self, line: RouteLine) -> Result<(), String> {
        let mut to = Vec::new();
        for name in &line.to {
            let found = Channel::named(name).filter(|(channel, t)| self.has(*channel, t));
            to.push(found.ok_or_else(|| {
                let known: Vec<String> =
                    self.channels().iter().map(|(channel, t)| channel.name(t)).collect();
                format!("there is no channel `{name}`; this file has {}", known.join(", "))
            })?);
        }
        if line.event.is_empty() || to.is_empty() {
            return Err("a route names at least one event and one channel".into());
        }
        self.route.push(Route { event: line.event, to, urgent: line.urgent });
        if self.route.len() > MOST {
            return Err(format!("there are more than {MOST} routes"));
        }
        Ok(())
    }

    fn fresh(&self, channel: Channel, target: &str) -> Result<(), String> {
        if self.has(channel, target) {
            return Err(format!("the channel `{}` stands here twice", channel.name(target)));
        }
        if self.channels().len() > MOST {
            return Err(format!("there are more than {MOST} channels"));
        }
        Ok(())
    }
}

fn each<T>(
    lines: Vec<Spanned<T>>,
    at: &impl Fn(usize, String) -> BookError,
    mut add: impl FnMut(T) -> Result<(), String>,
) -> Result<(), BookError> {
    for spanned in lines {
        let start = spanned.span().start;
        add(spanned.into_inner()).map_err(|problem| at(start, problem))?;
    }
    Ok(())
}

/// Names that may stand in addresses and headers.
fn named(name: &str) -> Result<(), String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    match (1..=64).contains(&name.len()) && name.bytes().all(fits) {
        true => Ok(()),
        false => Err(format!("`{name}` is no name: 1 to 64 letters, digits, - and _")),
    }
}

fn address(text: &str) -> Result<Url, String> {
    let refused =
        || format!("`{text}` is no address like https://example.org/hook (no password in it)");
    let url = Url::parse(text).map_err(|_| refused())?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    match web && url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err(refused()),
    }
}

/// Hours in which only urgent notices leave: from the first time to the second, over midnight where that is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    from: Time,
    to: Time,
}

impl Quiet {
    /// Reads `22:00-07:00`.
    fn parse(text: &str) -> Result<Self, String> {
        let time = |text: &str| -> Option<Time> {
            let (hour, minute) = text.trim().split_once(':')?;
            let digits = |text: &str| -> Option<i8> {
                let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
                fits.then(|| text.parse().ok()).flatten()
            };
            Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()
        };
        let read = || {
            let (from, to) = text.split_once('-')?;
            Some(Self { from: time(from)?, to: time(to)? })
        };
        match read() {
            Some(quiet) if quiet.from == quiet.to => {
                Err(format!("the quiet hours `{text}` are empty; leave `quiet` out to have none"))
            }
            Some(quiet) => Ok(quiet),
            None => Err(format!("`{text}` are no quiet hours like 22:00-07:00")),
        }
    }

    /// When the quiet hours end that `now` lies in, both in milliseconds since 1970; none outside of them.
    pub fn until(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        let here = Timestamp::from_millisecond(now).ok()?.to_zoned(zone.clone());
        let time = here.time();
        let wraps = self.to < self.from;
        let inside = match wraps {
            true => time >= self.from || time < self.to,
            false => (self.from..self.to).contains(&time),
        };
        let tomorrow = wraps && time >= self.from;
        let day = match tomorrow {
            true => here.date().checked_add(1.day()).ok()?,
            false => here.date(),
        };
        let end = day.to_datetime(self.to).to_zoned(zone.clone()).ok()?;
        // In the hour that comes twice the first end may lie behind already.
        inside.then(|| end.timestamp().as_millisecond().max(now + 1))
    }
}

impl std::fmt::Display for Quiet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<(), &str>) {
        match (Notify::parse(text), expect) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(expect)) => {
                assert!(error.to_string().contains(expect), "{text}: {error}");
            }
            (read, _) => panic!("{text}: {read:?}"),
        }
    }

    const HOOK: &str =
        "[[webhook]]\nid = \"crm\"\nurl = \"https://a.example/\"\nsecret_file = \"s\"\n";

    #[test]
    fn mistakes_name_their_line() {
        check("", Ok(()));
        check(include_str!("../../../prompts/notify.toml"), Ok(()));
        for (text, expect) in [
            ("quiet = \"22-7\"\n", "line 1: `22-7` are no quiet hours"),
            ("\nquiet = \"07:00-07:00\"\n", "line 2: the quiet hours `07:00-07:00` are empty"),
            ("quiet = \"24:00-07:00\"\n", "no quiet hours"),
            ("quiet = \"+2:00-07:00\"\n", "no quiet hours"),
            ("unanswered_minutes = 0\n", "line 1: unanswered_minutes is 1 to 1440"),
            ("unanswerd_minutes = 1\n", "unknown field `unanswerd_minutes`"),
            ("[[mail]]\naddress = \"Ada <a@b.c>\"\n", "line 1: `Ada <a@b.c>` is no e-mail"),
            (
                "[[mail]]\naddress = \"a@b.c\"\n[[mail]]\naddress = \"A@b.c\"\n",
                "line 3: the channel `mail:a@b.c` stands here twice",
            ),
            (
                "[[ntfy]]\nurl = \"https://n.example\"\ntopic = \"a/b\"\n",
                "line 1: `a/b` is no name",
            ),
            (
                "[[ntfy]]\nurl = \"ftp://n.example\"\ntopic = \"a\"\n",
                "line 1: `ftp://n.example` is no address",
            ),
            ("[[ntfy]]\nurl = \"https://a:b@n.example\"\ntopic = \"a\"\n", "no password in it"),
            ("[[route]]\nevent = [\"handoff\"]\nto = [\"browser\"]\n", "unknown variant `handoff`"),
            (
                "[[route]]\nevent = [\"hand_off\"]\nto = [\"mail:a@b.c\"]\n",
                "line 1: there is no channel `mail:a@b.c`; this file has browser",
            ),
            (
                "[[route]]\nevent = []\nto = [\"browser\"]\n",
                "line 1: a route names at least one event",
            ),
            ("allow_private = [\"wiki.lan\"]\n", "is no host with its port"),
        ] {
            check(text, Err(expect));
        }
        let many = "[[route]]\nevent = [\"hand_off\"]\nto = [\"browser\"]\n".repeat(51);
        check(&many, Err("more than 50 routes"));
    }

    #[test]
    fn routes_tell_each_channel_once() {
        let text = format!(
            "{HOOK}events = [\"new_lead\"]\n[[mail]]\naddress = \"a@b.c\"\n\
             [[route]]\nevent = [\"hand_off\", \"new_lead\"]\nto = [\"mail:A@b.c\", \"browser\"]\n\
             [[route]]\nevent = [\"hand_off\"]\nto = [\"mail:a@b.c\", \"webhook:crm\"]\nurgent = true\n"
        );
        let read = Notify::parse(&text).unwrap();
        let told = |event| -> Vec<(String, bool)> {
            read.told(event).iter().map(|(c, t, urgent)| (c.name(t), *urgent)).collect()
        };
        let own = |name: &str, urgent| (name.to_owned(), urgent);
        assert_eq!(
            told(Event::HandOff),
            [own("mail:a@b.c", true), own("browser", false), own("webhook:crm", true)]
        );
        assert_eq!(
            told(Event::NewLead),
            [own("mail:a@b.c", false), own("browser", false), own("webhook:crm", false)]
        );
        assert_eq!(told(Event::Approval), []);
    }

    #[test]
    fn quiet_hours_end_when_they_say() {
        // Midnight of 15 November 2023.
        const DAY: i64 = 1_700_006_400_000;
        let at = |hour: i64, minute: i64| DAY + (hour * 60 + minute) * 60_000;
        for (hours, now, expect) in [
            ("22:00-07:00", at(21, 59), None),
            ("22:00-07:00", at(22, 0), Some(at(31, 0))),
            ("22:00-07:00", at(23, 59), Some(at(31, 0))),
            ("22:00-07:00", at(0, 0), Some(at(7, 0))),
            ("22:00-07:00", at(6, 59), Some(at(7, 0))),
            ("22:00-07:00", at(7, 0), None),
            ("12:30-13:30", at(12, 29), None),
            ("12:30-13:30", at(13, 0), Some(at(13, 30))),
            ("00:00-23:59", at(0, 0), Some(at(23, 59))),
            ("23:00-00:00", at(23, 30), Some(at(24, 0))),
        ] {
            let quiet = Quiet::parse(hours).unwrap();
            assert_eq!(quiet.until(now, &TimeZone::UTC), expect, "{hours} {now}");
            assert_eq!(quiet.to_string(), hours);
        }
        // The hour that Berlin leaves out, and the one that comes twice.
        let berlin = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        for (hours, now, expect) in [
            ("22:00-02:30", "2026-03-28T21:30:00Z", "2026-03-29T01:30:00Z"),
            ("22:00-07:00", "2026-03-28T21:30:00Z", "2026-03-29T05:00:00Z"),
            ("22:00-07:00", "2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"),
            ("22:00-02:30", "2026-10-24T20:30:00Z", "2026-10-25T00:30:00Z"),
        ] {
            let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
            let until = Quiet::parse(hours).unwrap().until(ms(now), &berlin);
            assert_eq!(until, Some(ms(expect)), "{hours} {now}");
        }
        for now in [i64::MIN, -1, 0, 253_402_300_799_999, i64::MAX] {
            let _ = Quiet::parse("22:00-07:00").unwrap().until(now, &TimeZone::UTC);
        }
    }
}
