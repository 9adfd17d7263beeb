//! Whether surveys came at the right moment.

use super::audit::Found;
use super::clock::Running;
use super::event::{By, Event, What};
use super::rates::normalised;

/// A conversation as far as surveys are concerned.
#[derive(Default)]
struct Talk {
    running: Running,
    /// The last case that was resolved, and by whom.
    resolved: Option<(i64, By)>,
    csat_asked: bool,
    csat_declined: bool,
    nps_asked: bool,
}

impl Talk {
    /// Messages, resolves and reopenings; true for everything else.
    fn passes(&mut self, event: &Event) -> bool {
        match &event.what {
            What::MessageSent { from, written_at, .. } => {
                self.running.said(*from, written_at.unwrap_or(event.at));
            }
            What::ChatReopened { .. } => {
                self.running.reopened(event.at);
            }
            What::ChatResolved { by, .. } => {
                self.running.resolved(*by, event.at, Vec::new());
                if self.resolved.is_none_or(|(place, _)| place != self.running.place) {
                    (self.csat_asked, self.nps_asked, self.csat_declined) = Default::default();
                }
                self.resolved = Some((self.running.place, *by));
            }
            _ => return true,
        }
        false
    }

    /// Whether a survey may be asked now: right after a resolve by owner or visitor.
    fn may_ask(&self, name: &str) -> Result<(), String> {
        match self.resolved {
            None => Err(format!("{name} stands there before a chat_resolved.")),
            Some((_, By::Silence)) => {
                Err(format!("{name} follows a resolve by silence: nobody is there to answer."))
            }
            Some(_) if self.running.resolved_at.is_none() => {
                Err(format!("{name} stands there while the chat is open again."))
            }
            Some(_) => Ok(()),
        }
    }
}

/// CSAT is asked once a case, after a resolve by owner or visitor, and answered only when it was asked.
pub(super) fn csat(events: &[Event]) -> Found {
    let (mut talk, mut last) = (Talk::default(), None);
    for event in events {
        if !talk.passes(event) {
            continue;
        }
        match &event.what {
            What::CsatAsked {} => {
                talk.may_ask("csat_asked")?;
                once(&mut talk.csat_asked, "csat_asked")?;
                last = Some("Asked, no answer yet.".to_owned());
            }
            What::CsatSubmitted { score, scale, .. } => {
                asked(talk.csat_asked, "csat_submitted")?;
                if normalised(*score, *scale).is_none() {
                    return Err(format!("csat_submitted has {score} on a scale of {scale}."));
                }
                last = Some(format!("Rated {score} of {scale}."));
            }
            What::CsatDeclined {} => {
                asked(talk.csat_asked, "csat_declined")?;
                last = Some("Asked and declined.".to_owned());
            }
            _ => {}
        }
    }
    last.map_or_else(|| unasked(&talk), Ok)
}

/// Nobody was asked: right while nothing is resolved but by silence.
fn unasked(talk: &Talk) -> Found {
    match talk.resolved {
        Some((_, By::Owner | By::Visitor)) => {
            Err("No csat_asked follows the chat_resolved: is the survey switched off?".into())
        }
        Some((_, By::Silence)) => Ok("Not asked: the chat was resolved by silence.".into()),
        None => Ok("Not asked yet: it comes after the chat is resolved.".into()),
    }
}

/// NPS is asked at most once a case, after a resolve by owner or visitor, never after a declined CSAT, and answered only when it was asked.
pub(super) fn nps(events: &[Event]) -> Found {
    let (mut talk, mut last) = (Talk::default(), None);
    for event in events {
        if !talk.passes(event) {
            continue;
        }
        match &event.what {
            What::CsatDeclined {} => talk.csat_declined = true,
            What::CsatSubmitted { .. } => talk.csat_declined = false,
            What::NpsAsked {} => {
                talk.may_ask("nps_asked")?;
                once(&mut talk.nps_asked, "nps_asked")?;
                if talk.csat_declined {
                    return Err("nps_asked follows a declined rating.".into());
                }
                last = Some("Asked, no answer yet.".to_owned());
            }
            What::NpsSubmitted { score, .. } => {
                asked(talk.nps_asked, "nps_submitted")?;
                if *score > 10 {
                    return Err(format!("nps_submitted has {score}, more than 10."));
                }
                last = Some(format!("Answered {score} of 10."));
            }
            What::NpsDeclined {} => {
                asked(talk.nps_asked, "nps_declined")?;
                last = Some("Asked and declined.".to_owned());
            }
            _ => {}
        }
    }
    Ok(last.unwrap_or_else(|| "Not asked; it is asked now and then only.".to_owned()))
}

fn once(seen: &mut bool, name: &str) -> Result<(), String> {
    if *seen {
        return Err(format!("{name} stands there twice for one case."));
    }
    *seen = true;
    Ok(())
}

fn asked(seen: bool, name: &str) -> Result<(), String> {
    if seen { Ok(()) } else { Err(format!("{name} stands there, but nobody was asked.")) }
}
