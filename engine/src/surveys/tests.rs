//! Surveys held against cases and properties.

use proptest::prelude::*;

use super::*;

const BOTH: &str = "[csat]\n[nps]\n";

fn rules(text: &str) -> Rules {
    Rules::parse(text).unwrap()
}

#[test]
fn what_is_asked_when() {
    use Kind::{Csat, Nps};
    use Status::{Answered, Declined, Expired, Open};
    let check = |text: &str, (confirmed, resolved, nps_at), case: &[_], expect| {
        let past = Past { confirmed, case: case.to_vec(), resolved, nps_at };
        assert_eq!(ask(&rules(text), &past, 100 * DAY_MS), expect, "{text} {past:?}");
    };
    let third = (true, 3, None);
    for (text, past, case, expect) in [
        (BOTH, (true, 1, None), &[][..], Some(Csat)),
        (BOTH, (false, 1, None), &[], None),
        (BOTH, (false, 3, None), &[(Csat, Answered)], None),
        (BOTH, (true, 1, None), &[(Csat, Open)], None),
        (BOTH, (true, 1, None), &[(Csat, Answered)], None),
        (BOTH, third, &[], Some(Csat)),
        (BOTH, third, &[(Csat, Open)], None),
        (BOTH, third, &[(Csat, Declined)], None),
        (BOTH, third, &[(Csat, Expired)], None),
        (BOTH, third, &[(Csat, Answered)], Some(Nps)),
        (BOTH, third, &[(Csat, Answered), (Nps, Open)], None),
        (BOTH, third, &[(Csat, Answered), (Nps, Declined)], None),
        (BOTH, (true, 4, Some(0)), &[(Csat, Answered)], None),
        (BOTH, (true, 6, Some(0)), &[(Csat, Answered)], Some(Nps)),
        (BOTH, (true, 0, None), &[(Csat, Answered)], None),
        ("", third, &[], None),
        ("[csat]", third, &[(Csat, Answered)], None),
        ("[nps]", third, &[], Some(Nps)),
        ("[nps]", (true, 2, None), &[], None),
        // Turned on between the two questions: the first does not come after the second.
        (BOTH, third, &[(Nps, Answered)], None),
        ("[csat]\n[nps]\nevery = 0\ndays = 90", (true, 1, None), &[(Csat, Answered)], Some(Nps)),
        (
            "[csat]\n[nps]\nevery = 0\ndays = 90",
            (true, 1, Some(10 * DAY_MS)),
            &[(Csat, Answered)],
            Some(Nps),
        ),
        (
            "[csat]\n[nps]\nevery = 0\ndays = 90",
            (true, 3, Some(11 * DAY_MS)),
            &[(Csat, Answered)],
            None,
        ),
        (
            "[csat]\n[nps]\nevery = 2\ndays = 90",
            (true, 2, Some(99 * DAY_MS)),
            &[(Csat, Answered)],
            Some(Nps),
        ),
    ] {
        check(text, past, case, expect);
    }
}

#[test]
fn when_silence_ends_a_chat() {
    use Speaker as S;
    let quiet = |state, last, open| Quiet { state, last, asks: false, last_at: 5 * HOUR_MS, open };
    for (text, quiet, now, expect) in [
        ("", quiet(State::Bot, Some(S::Bot), 0), 29, Silence::Resolves),
        ("", quiet(State::Bot, Some(S::Bot), 0), 28, Silence::Until(29 * HOUR_MS)),
        ("", quiet(State::Owner, Some(S::Owner), 0), 30, Silence::Resolves),
        ("", quiet(State::Owner, Some(S::Visitor), 0), 99, Silence::Keeps),
        ("", quiet(State::Bot, Some(S::Visitor), 0), 99, Silence::Keeps),
        ("", quiet(State::Bot, None, 0), 99, Silence::Keeps),
        ("", quiet(State::Waiting, Some(S::Bot), 0), 99, Silence::Keeps),
        ("", quiet(State::Closed, Some(S::Bot), 0), 99, Silence::Keeps),
        ("", quiet(State::Bot, Some(S::Bot), 1), 99, Silence::Keeps),
        ("[resolve]\nsilence_hours = 0", quiet(State::Bot, Some(S::Bot), 0), 99, Silence::Keeps),
        ("[resolve]\nsilence_hours = 2", quiet(State::Bot, Some(S::Bot), 0), 7, Silence::Resolves),
    ] {
        assert_eq!(silence(&rules(text), quiet, now * HOUR_MS), expect, "{text} {quiet:?} {now}");
        let asking = Quiet { asks: true, ..quiet };
        assert_eq!(
            silence(&rules(text), asking, now * HOUR_MS),
            Silence::Keeps,
            "a question waits"
        );
    }
}

#[test]
fn what_deserves_a_second_look() {
    let ended = |csat, nps, frustration| Ended { csat, nps, frustration };
    for (ended, expect) in [
        (ended(None, None, None), None),
        (ended(Some((2, 5)), Some(9), Some(0.1)), Some(Why::Csat)),
        (ended(Some((3, 5)), None, None), None),
        (ended(Some((1, 3)), None, None), Some(Why::Csat)),
        (ended(Some((2, 3)), None, None), None),
        (ended(Some((5, 5)), Some(6), None), Some(Why::Nps)),
        (ended(Some((5, 5)), Some(7), None), None),
        (ended(Some((4, 5)), None, Some(0.9)), None),
        (ended(None, None, Some(0.7)), Some(Why::Frustration)),
        (ended(None, Some(9), Some(0.9)), Some(Why::Frustration)),
        (ended(None, None, Some(0.69)), None),
    ] {
        assert_eq!(why(ended), expect, "{ended:?}");
    }
}

#[test]
fn the_shipped_file_asks_both_and_mistakes_name_their_line() {
    let own = rules(include_str!("../../../prompts/surveys.toml"));
    assert!(own.csat.is_some() && own.nps.is_some() && own.ask_solved);
    assert_eq!(own.silence_hours, Some(24));
    assert_eq!(rules(""), Rules::default());
    assert_eq!(rules("[csat]\non = false\n[nps]\non = false"), Rules::default());
    assert_eq!(rules("[csat]\nlook = \"faces\"\nscale = 3").csat.unwrap().scale, 3);
    for (text, line, word) in [
        ("[csat]\nscale = 4", 2, "3 or 5"),
        ("[csat]\non = false\nscale = 4", 3, "3 or 5"),
        ("\n[csat]\nlook = \"hearts\"", 3, "faces"),
        ("[csat]\nquestion = \" \"", 2, "question is empty"),
        ("[nps]\nevery = 5000", 2, "between 0 and 3650"),
        ("[resolve]\nsilence_hours = 9000", 2, "between 0 and 8760"),
        ("[csat]\n\n[nps]\nevery = 0", 3, "never ask"),
    ] {
        let error = Rules::parse(text).unwrap_err().to_string();
        assert!(
            error.contains(&format!("line {line}:")) && error.contains(word),
            "{text}: {error}"
        );
    }
    for text in
        ["[csat]\nsize = 5", "stars = 3", "[csat]\nscale = \"5\"", "[csat", "[nps]\nevery = -1"]
    {
        assert!(matches!(Rules::parse(text), Err(crate::tasks::BookError::Toml(_))), "{text}");
    }
}

/// What may happen to a visitor's chats.
#[derive(Debug, Clone, Copy)]
enum Move {
    Resolve { confirmed: bool },
    Answer,
    Decline,
    Expire,
    Reopen,
    Begin,
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => any::<bool>().prop_map(|confirmed| Move::Resolve { confirmed }),
        3 => Just(Move::Answer),
        1 => Just(Move::Decline),
        1 => Just(Move::Expire),
        1 => Just(Move::Reopen),
        2 => Just(Move::Begin),
        1 => (0i64..60).prop_map(Move::Wait),
    ];
    prop::collection::vec(one, 0..80)
}

/// One visitor's chats as the server keeps them: cases with what was asked in each.
#[derive(Default)]
struct World {
    /// What was asked, and whether the resolve was confirmed, once.
    cases: Vec<(Vec<(Kind, Status)>, bool)>,
    resolved: bool,
    now: i64,
    nps_at: Option<i64>,
}

impl World {
    /// What is asked after a move.
    fn step(&mut self, rules: &Rules, step: Move) -> Option<Kind> {
        if self.cases.is_empty() {
            self.cases.push(Default::default());
        }
        let (asked, once) = self.cases.last_mut()?;
        let open = asked.iter_mut().find(|(_, status)| *status == Status::Open);
        let mut confirmed = false;
        match (step, open) {
            (Move::Resolve { confirmed: by_person }, _) if !self.resolved => {
                (self.resolved, confirmed) = (true, by_person);
                *once |= by_person;
            }
            (Move::Answer, Some(open)) if self.resolved => {
                (open.1, confirmed) = (Status::Answered, true)
            }
            (Move::Decline, Some(open)) if self.resolved => open.1 = Status::Declined,
            (Move::Expire, Some(open)) => open.1 = Status::Expired,
            (Move::Reopen, _) => self.resolved = false,
            (Move::Begin, _) => {
                self.resolved = false;
                self.cases.push(Default::default());
            }
            (Move::Wait(days), _) => self.now += days * DAY_MS,
            _ => {}
        }
        let resolved = self.cases.iter().filter(|(_, once)| *once).count();
        let (case, _) = self.cases.last()?;
        let past =
            Past { confirmed, case: case.clone(), resolved: resolved as u32, nps_at: self.nps_at };
        let kind = ask(rules, &past, self.now)?;
        if kind == Kind::Nps {
            self.nps_at = Some(self.now);
        }
        self.cases.last_mut()?.0.push((kind, Status::Open));
        Some(kind)
    }
}

proptest! {
    #[test]
    fn nobody_is_asked_too_much(moves in moves(), csat: bool, nps: bool, every in 0u32..4, days in 0u32..90) {
        let days = if every == 0 { days + 1 } else { days };
        let text = format!("[csat]\non = {csat}\n[nps]\non = {nps}\nevery = {every}\ndays = {days}");
        let rules = rules(&text);
        let mut world = World::default();
        for step in moves {
            let (before, asked_at) = (world.nps_at, world.now);
            let asked = world.step(&rules, step);
            let person = matches!(step, Move::Resolve { confirmed: true } | Move::Answer);
            prop_assert!(asked.is_none() || person, "{step:?} asks {asked:?}");
            prop_assert!(asked != Some(Kind::Csat) || csat);
            prop_assert!(asked != Some(Kind::Nps) || nps);
            if asked == Some(Kind::Nps) {
                let resolved = world.cases.iter().filter(|(_, once)| *once).count() as u32;
                let counted = every > 0 && resolved.is_multiple_of(every);
                let long_ago = days > 0 && before.is_none_or(|at| asked_at - at >= i64::from(days) * DAY_MS);
                prop_assert!(counted || long_ago, "{text} {resolved} {before:?}");
            }
        }
        for (case, _) in &world.cases {
            let of = |kind| case.iter().filter(|(asked, _)| *asked == kind).map(|(_, status)| *status).collect::<Vec<_>>();
            let (first, second) = (of(Kind::Csat), of(Kind::Nps));
            prop_assert!(first.len() <= 1 && second.len() <= 1, "{case:?}");
            prop_assert!(second.is_empty() || first.iter().all(|status| *status == Status::Answered), "{case:?}");
        }
    }

    #[test]
    fn silence_never_ends_what_is_open(open in 1u32..9, hours in 0u32..100, at in 0i64..1_000, now: i64, last in 0usize..4) {
        let last = [Speaker::Visitor, Speaker::Bot, Speaker::Owner, Speaker::System][last];
        let rules = rules(&format!("[resolve]\nsilence_hours = {hours}"));
        for state in [State::Bot, State::Waiting, State::Owner, State::Closed] {
            let quiet = Quiet { state, last: Some(last), asks: false, last_at: at, open };
            prop_assert_eq!(silence(&rules, quiet, now), Silence::Keeps);
            let ends = silence(&rules, Quiet { open: 0, ..quiet }, now) == Silence::Resolves;
            prop_assert!(!ends || (hours > 0 && now >= at + i64::from(hours) * HOUR_MS && last != Speaker::Visitor));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\[csat\\]|\\[nps\\]|scale = [0-9]|every = 0|look = \"[a-z]*\"|\n|.){0,12}") {
        let _ = Rules::parse(&text);
    }

    #[test]
    fn scores_stay_on_their_scale(score: u8, scale: u8) {
        let normal = crate::metrics::normalised(score, scale);
        prop_assert_eq!(normal.is_some(), matches!(scale, 3 | 5) && Kind::Csat.takes(score.into(), scale.into()));
    }
}
