//! The week in words: plain text in short lines that reads well on a phone.

use engine::metrics::scorecard::Scorecard;
use engine::metrics::{Csat, NPS_LEAST, Nps, Share, Timer};

use super::items::{Counted, Shown};

/// Hand-offs that are named.
const REASONS: usize = 3;

/// The mail about a period and the one before; `items` are the things to do, the newest first, `week` is the one that goes on.
pub(super) fn text(
    (card, before): (&Scorecard, &Scorecard),
    (items, week): (&[Shown], &str),
    page: &str,
) -> String {
    let mut lines =
        vec!["What changed against the week before stands in brackets.".into(), String::new()];
    lines.extend(headline(card, before));
    lines.extend(speed(card, before));
    lines.extend(reasons(card));
    lines.extend(closer(card));
    lines.extend(to_do(items, week));
    lines.extend([String::new(), "All figures, with charts:".into(), page.into()]);
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

fn headline(card: &Scorecard, before: &Scorecard) -> Vec<String> {
    let visits = card.funnel.iter().find(|step| step.step == "opened").map_or(0, |step| step.n);
    let change = signed(card.cases as f64 - before.cases as f64, 0);
    let mut lines = vec![
        format!("Chats: {}{change}", card.cases),
        format!("Visits that opened the chat: {visits}"),
        format!("Solved without a person: {}", share(card.containment, before.containment)),
        format!("Answered without a person: {}", share(card.deflection, before.deflection)),
        format!("Came back within 72 hours: {}", share(card.reopened, before.reopened)),
        format!("Rated good: {}", share(card.csat.positive, before.csat.positive)),
    ];
    lines.extend(mean(&card.csat, &before.csat));
    lines.push(format!("NPS of four weeks: {}", nps(&card.nps)));
    lines
}

fn mean(csat: &Csat, before: &Csat) -> Option<String> {
    let mean = csat.mean?;
    let change = before.mean.map_or(String::new(), |before| signed(mean - before, 1));
    Some(format!("Average rating: {mean:.1} of 5, n {}{change}", csat.n))
}

fn speed(card: &Scorecard, before: &Scorecard) -> Vec<String> {
    let line = |who: &str, timer: &Timer, before: &Timer| {
        let (Some(median), Some(p90)) = (timer.median_ms, timer.p90_ms) else {
            return format!("{who}: none");
        };
        let was = before.median_ms.map_or(String::new(), |was| format!(" (was {})", span(was)));
        format!("{who}: {}{was}, 9 in 10 within {}, n {}", span(median), span(p90), timer.n)
    };
    vec![
        String::new(),
        "First reply".into(),
        line("- Bot", &card.frt.bot, &before.frt.bot),
        line("- You", &card.frt.person, &before.frt.person),
        line("Time to solve", &card.resolution.all, &before.resolution.all),
    ]
}

fn reasons(card: &Scorecard) -> Vec<String> {
    if card.hand_offs.is_empty() {
        return vec![];
    }
    let named = card.hand_offs.iter().take(REASONS);
    let lines = named.map(|one| format!("- {}: {}", plain(&one.reason), one.n));
    [String::new(), "Why a person was asked for".into()].into_iter().chain(lines).collect()
}

fn closer(card: &Scorecard) -> Vec<String> {
    let Some(dive) = &card.deep_dive else { return vec![] };
    let time = |timer: &Timer| {
        timer.median_ms.map_or("none".into(), |ms| format!("{}, n {}", span(ms), timer.n))
    };
    vec![
        String::new(),
        format!("A closer look: {}", plain(&dive.tag)),
        format!("- Chats: {}", dive.n),
        format!("- Rated good: {}", of(dive.csat.positive)),
        format!("- First reply: {}", time(&dive.frt)),
        format!("- Time to solve: {}", time(&dive.resolution)),
        format!("- Solved without a person: {}", of(dive.containment)),
    ]
}

fn to_do(items: &[Shown], week: &str) -> Vec<String> {
    let mut lines = vec![String::new(), "One thing to do this week".into()];
    let (now, past): (Vec<&Shown>, Vec<&Shown>) = items.iter().partition(|item| item.week == week);
    lines.push(now.first().map_or("Nothing stands out.".into(), |item| item.text.clone()));
    if let Some(item) = past.first() {
        let done = if item.done_at.is_some() { "done" } else { "not marked as done" };
        let verdict = match item.verdict {
            Some(verdict) => format!("Credibly {verdict}."),
            None => "The difference may be chance.".into(),
        };
        let after = item.after.map_or("not known".into(), counted);
        lines.extend([
            String::new(),
            format!("What came of the week of {} ({done})", item.week),
            item.text.clone(),
            format!("{}: {} before, {after} then. {verdict}", item.metric, counted(item.before)),
        ]);
    }
    lines
}

fn counted(Counted { hits, of }: Counted) -> String {
    if of == 0 { "none".into() } else { format!("{} % of {of}", percent(hits as f64 / of as f64)) }
}

fn nps(nps: &Nps) -> String {
    match (nps.score, nps.low, nps.high) {
        (Some(score), Some(low), Some(high)) => {
            format!("{score:.0}, n {} (95 %: {low:.0} to {high:.0})", nps.n)
        }
        _ => format!("not yet, {} of the {NPS_LEAST} answers that it needs", nps.n),
    }
}

fn of(share: Share) -> String {
    share.share.map_or("none yet".into(), |value| format!("{} % of {}", percent(value), share.of))
}

fn share(share: Share, before: Share) -> String {
    let change = share.share.zip(before.share).map(|(now, then)| {
        let points = percent(now) - percent(then);
        if points == 0 { " (as before)".into() } else { format!(" ({points:+} points)") }
    });
    format!("{}{}", of(share), change.unwrap_or_default())
}

fn signed(change: f64, digits: usize) -> String {
    let said = format!("{change:+.digits$}");
    if said.chars().any(|c| c.is_ascii_digit() && c != '0') {
        format!(" ({said})")
    } else {
        " (as before)".into()
    }
}

fn percent(share: f64) -> i64 {
    (share * 100.0).round() as i64
}

/// A stretch of time in the two units that people would use.
fn span(ms: i64) -> String {
    let two = |ms: i64, (big, name): (i64, &str), (small, other): (i64, &str)| {
        // Rounded first, so that no 60 seconds are left over.
        let ms = (ms + small / 2) / small * small;
        match ms % big / small {
            0 => format!("{} {name}", ms / big),
            rest => format!("{} {name} {rest} {other}", ms / big),
        }
    };
    const MINUTE: i64 = 60_000;
    match ms {
        0..10_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        10_000..59_500 => format!("{} s", (ms + 500) / 1_000),
        59_500..3_599_500 => two(ms, (MINUTE, "min"), (1_000, "s")),
        3_599_500..86_370_000 => two(ms, (60 * MINUTE, "h"), (MINUTE, "min")),
        _ => two(ms, (1_440 * MINUTE, "d"), (60 * MINUTE, "h")),
    }
}

/// An id as words.
fn plain(id: &str) -> String {
    id.replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use engine::metrics::{Assumptions, Board, Case, Filter, Period, Survey};

    use super::*;

    #[test]
    fn spans_have_two_units_and_no_sixty() {
        for (ms, expect) in [
            (0, "0.0 s"),
            (1_149, "1.1 s"),
            (59_499, "59 s"),
            (59_500, "1 min"),
            (119_600, "2 min"),
            (125_000, "2 min 5 s"),
            (3_599_600, "1 h"),
            (5_400_000, "1 h 30 min"),
            (86_399_999, "1 d"),
            (180_000_000, "2 d 2 h"),
        ] {
            assert_eq!(span(ms), expect, "{ms}");
        }
    }

    fn card(cases: &[Case]) -> Scorecard {
        let period = Period { from: 0, to: 604_800_000 };
        let mut board =
            Board::new(period, 6_048_000_000, Assumptions::default(), Filter::default());
        cases.iter().for_each(|case| board.add(case));
        board.opened(9);
        board.finish()
    }

    #[test]
    fn the_mail_says_what_its_figures_stand_on() {
        let case = Case {
            began_at: 1,
            tags: vec!["bug_report".into()],
            frt_bot_ms: Some(1_200),
            turns: 4,
            csat: Survey { asked: true, declined: false, answer: Some((5, 5)) },
            hand_offs: vec!["no_passage".into()],
            ..Case::default()
        };
        let (full, empty) = (card(&[case.clone(), case]), card(&[]));
        let text =
            text((&full, &empty), (&[], "2026-11-16"), "https://shop.example/console/#/scorecard");
        for line in [
            "Chats: 2 (+2)",
            "Visits that opened the chat: 9",
            "Rated good: 100 % of 2",
            "Average rating: 5.0 of 5, n 2",
            "NPS of four weeks: not yet, 0 of the 40 answers that it needs",
            "- Bot: 1.2 s, 9 in 10 within 1.2 s, n 2",
            "- You: none",
            "- no passage: 2",
            "A closer look: bug report",
            "Nothing stands out.",
            "https://shop.example/console/#/scorecard",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} is missing:\n{text}");
        }
        assert!(!text.contains("NaN"), "{text}");
        assert!(!self::text((&empty, &empty), (&[], ""), "x").contains("NaN"));
    }
}
