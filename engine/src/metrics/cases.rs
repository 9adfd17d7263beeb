//! From the events of a conversation to its cases.

use std::collections::BTreeSet;

use super::case::{Case, Conversion, Trend};
use super::clock::Running;
use super::event::{By, Event, What};
use super::rates::normalised;
use crate::turn::Speaker;

/// How long after a resolve a conversion still counts for it: two hours, in milliseconds (mission text: "a resolved chat within 2 hours
/// of purchase").
pub const ASSIST_MS: i64 = 2 * 3_600_000;
/// Most that one message of a person counts as handling time, in milliseconds: 15 minutes, for a chat may lie open.
pub const HANDLING_MS: i64 = 15 * 60_000;

/// The cases of one conversation, from its events in the order of `n`. Empty when the visitor has not written, and for a
/// conversation that tries the measuring out.
pub fn cases(events: &[Event]) -> Vec<Case> {
    let mut reader = Reader::default();
    for event in events {
        reader.read(event);
        if reader.staging {
            return Vec::new();
        }
    }
    let tracks = reader.tracks.into_iter();
    tracks.map(|track| track.case).collect()
}

/// What is known while the events are read.
#[derive(Default)]
struct Reader {
    staging: bool,
    page: String,
    campaign: String,
    running: Running,
    tracks: Vec<Track>,
}

/// A case, and what is needed only until it is made.
#[derive(Default)]
struct Track {
    case: Case,
    /// The message that the tags are of.
    tagged: i64,
    /// The message whose tag the owner gave.
    corrected: Option<i64>,
    /// Frustration of the first and of the last decided reply.
    mood: Option<(f32, f32)>,
    /// The place of its first message in the conversation.
    first_seq: i64,
    /// Moments from which a person's message may have been in the making: messages of visitor and person, take-overs.
    at_hand: BTreeSet<i64>,
    /// The flows that have brought a lead.
    flows: BTreeSet<String>,
    /// The last resolve by owner or visitor.
    confirmed_at: Option<i64>,
}

/// A message as it is stored.
struct Said<'a> {
    seq: i64,
    from: Speaker,
    moment: i64,
    answer: bool,
    template: Option<&'a String>,
}

impl Reader {
    fn read(&mut self, event: &Event) {
        match &event.what {
            What::ConversationStarted { visit, staging } => {
                self.staging = *staging;
                (self.page, self.campaign) = (visit.page.clone(), visit.campaign.clone());
            }
            What::MessageSent { seq, from, answer, written_at, template, .. } => self.said(&Said {
                seq: *seq,
                from: *from,
                moment: written_at.unwrap_or(event.at),
                answer: *answer,
                template: template.as_ref(),
            }),
            What::ChatResolved { by, tags, .. } => self.resolved(*by, event.at, tags),
            What::ChatReopened { .. } => self.reopened(event.at),
            What::TagCorrected { seq, tag } => {
                // The message may be one of an earlier case.
                let track = self.tracks.iter_mut().rev().find(|track| track.first_seq <= *seq);
                if let Some(track) = track {
                    track.corrected(*seq, tag);
                }
            }
            What::Converted { value, currency, by_page, .. } => {
                // What a page says of money anybody can make it say.
                let value = value.filter(|_| !by_page);
                let currency = currency.clone().unwrap_or_default();
                self.converted(event.at, Conversion { value, currency });
            }
            What::CsatAsked {}
            | What::CsatSubmitted { .. }
            | What::CsatDeclined {}
            | What::NpsAsked {}
            | What::NpsSubmitted { .. }
            | What::NpsDeclined {}
            | What::RubricScored { .. } => self.judged(&event.what),
            other => {
                if let Some(track) = self.tracks.last_mut() {
                    track.note(other, event.at);
                }
            }
        }
    }

    fn said(&mut self, said: &Said) {
        let place = self.running.place;
        let closed = self.running.resolved_at.is_some();
        let timed = self.running.said(said.from, said.moment);
        if self.running.place != place {
            self.begin(said);
        }
        let Some(track) = self.tracks.last_mut() else { return };
        if timed.reopened_after.is_some() {
            (track.case.reopened, track.case.open_again) = (true, true);
        }
        if said.from == Speaker::System || (closed && said.from != Speaker::Visitor) {
            return;
        }
        track.case.turns += 1;
        let since =
            |since: Option<i64>| since.map(|since| said.moment.saturating_sub(since).max(0));
        track.said(said, since(timed.first_since), since(timed.waited_since));
    }

    fn begin(&mut self, said: &Said) {
        let (began_at, first_seq) = (said.moment, said.seq);
        if let Some(before) = self.tracks.last_mut() {
            before.case.next_at = Some(began_at);
        }
        let (page, campaign) = (self.page.clone(), self.campaign.clone());
        let place = self.running.place;
        let case = Case { place, began_at, page, campaign, ..Case::default() };
        self.tracks.push(Track { case, first_seq, ..Track::default() });
    }

    fn resolved(&mut self, by: By, at: i64, tags: &[String]) {
        if self.running.resolved(by, at, Vec::new()).is_none() {
            return;
        }
        let Some(track) = self.tracks.last_mut() else { return };
        if let Some((before, _)) = track.case.resolved.replace((at, by)) {
            track.case.first_resolved_at.get_or_insert(before);
        }
        track.case.open_again = false;
        if by != By::Silence {
            track.confirmed_at = Some(at);
        }
        if !tags.is_empty() {
            track.case.tags = tags.to_vec();
        }
    }

    /// The visitor has opened the case again without a message.
    fn reopened(&mut self, at: i64) {
        if self.running.reopened(at)
            && let Some(track) = self.tracks.last_mut()
        {
            (track.case.reopened, track.case.open_again) = (true, true);
        }
    }

    /// A conversion counts once, for the last case that owner or visitor resolved in the two hours before it.
    fn converted(&mut self, at: i64, conversion: Conversion) {
        let within = |track: &&mut Track| {
            track.confirmed_at.is_some_and(|resolved| at.saturating_sub(resolved) <= ASSIST_MS)
        };
        if let Some(track) = self.tracks.iter_mut().rev().find(within) {
            track.case.conversions.push(conversion);
        }
    }

    /// Surveys and rubric belong to the case that they name, else to the last one that had been resolved by then.
    fn judged(&mut self, what: &What) {
        let resolved = self.tracks.iter().rposition(|track| track.case.resolved.is_some());
        let named = match what {
            What::CsatSubmitted { case, .. }
            | What::NpsSubmitted { case, .. }
            | What::RubricScored { case, .. } => *case,
            _ => None,
        };
        let named = named.and_then(|case| usize::try_from(case - 1).ok());
        let place = named.or(resolved).unwrap_or(self.tracks.len().saturating_sub(1));
        let Some(Track { case, .. }) = self.tracks.get_mut(place) else { return };
        match what {
            What::CsatAsked {} => case.csat.asked = true,
            What::CsatSubmitted { score, scale, .. } if normalised(*score, *scale).is_some() => {
                case.csat.answered((*score, *scale));
            }
            What::CsatDeclined {} => case.csat.refused(),
            What::NpsAsked {} => case.nps.asked = true,
            What::NpsSubmitted { score, .. } if *score <= 10 => case.nps.answered(*score),
            What::NpsDeclined {} => case.nps.refused(),
            What::RubricScored { clarity, correctness, empathy, .. } => {
                let scores = [*clarity, *correctness, *empathy];
                case.rubric = Some(scores.map(|score| score.clamp(1, 3)));
            }
            _ => {}
        }
    }
}

impl Track {
    fn said(&mut self, said: &Said, first: Option<i64>, waited: Option<i64>) {
        let case = &mut self.case;
        match said.from {
            Speaker::Bot => {
                case.answered |= said.answer;
                case.frt_bot_ms = case.frt_bot_ms.or(first);
                case.latency_bot_ms.extend(waited);
            }
            Speaker::Owner => {
                case.frt_person_ms = case.frt_person_ms.or(first);
                case.latency_person_ms.extend(waited);
                if let Some(template) = said.template.filter(|id| !case.templates.contains(id)) {
                    case.templates.push(template.clone());
                }
                // What was said later than a mail was written is not what it answers.
                let since = self.at_hand.range(..=said.moment).next_back();
                let took = since.map_or(0, |since| said.moment.saturating_sub(*since));
                let took = took.min(HANDLING_MS);
                case.handling_ms = Some(case.handling_ms.unwrap_or(0) + took);
            }
            Speaker::Visitor | Speaker::System => {}
        }
        if matches!(said.from, Speaker::Visitor | Speaker::Owner) {
            self.at_hand.insert(said.moment);
        }
    }

    /// What happens beside messages, resolves and surveys.
    fn note(&mut self, what: &What, at: i64) {
        let case = &mut self.case;
        match what {
            What::FirstResponse { from: Speaker::Owner, open_ms, .. } => {
                case.frt_person_open_ms = case.frt_person_open_ms.or(*open_ms);
            }
            What::ReplyDecided { for_seq, frustration, tags, .. } => {
                let first = self.mood.map_or(*frustration, |(first, _)| first);
                case.sentiment = self.mood.map(|_| Trend::between(first, *frustration));
                self.mood = Some((first, *frustration));
                self.read_as(*for_seq, tags);
            }
            What::HandedOff { reason } => case.hand_offs.push(reason.clone()),
            What::TakenOver { .. } => {
                case.taken_over = true;
                self.at_hand.insert(at);
            }
            What::DraftCancelled { .. } => case.drafts_cancelled += 1,
            What::SuggestionAccepted { .. } => case.suggestions[0] += 1,
            What::SuggestionEdited { .. } => case.suggestions[1] += 1,
            What::SuggestionDiscarded { .. } => case.suggestions[2] += 1,
            What::LeadCaptured { flow, .. } => {
                self.flows.insert(flow.clone());
                case.leads = u32::try_from(self.flows.len()).unwrap_or(u32::MAX);
            }
            What::TicketOpened { .. } => case.ticket = true,
            _ => {}
        }
    }

    /// A message was read: the newest one that has tags gives them, what the owner has said of it stays.
    fn read_as(&mut self, seq: i64, tags: &[String]) {
        if !tags.is_empty() && seq >= self.tagged && self.corrected != Some(seq) {
            self.tagged = seq;
            self.case.tags = tags.to_vec();
        }
    }

    /// The owner has given a message's primary tag.
    fn corrected(&mut self, seq: i64, tag: &str) {
        if seq < self.tagged {
            return;
        }
        (self.tagged, self.corrected) = (seq, Some(seq));
        let tags = &mut self.case.tags;
        if !tags.is_empty() {
            tags.remove(0);
        }
        tags.retain(|other| other != tag);
        tags.insert(0, tag.to_owned());
    }
}
