//! Mistakes in `flows.toml` name their line and what to write instead.

use crate::talk::{SHIPPED, parse};

fn check(text: &str, line: usize, part: &str) {
    let error = parse(text).unwrap_err().to_string();
    let place =
        error.contains(&format!("line {line}:")) || error.contains(&format!("line {line},"));
    assert!(place && error.contains(part), "{part} in line {line}: {error}\n{text}");
}

const CAPTURE: &str = "[[flow]]\nid='f'\nkind='capture'\ntitle='T'\nwords=['go']\n";
const LIST: &str = "[[flow]]\nid='f'\nkind='checklist'\ntitle='T'\nwords=['go']\n";

#[test]
fn the_shipped_flows_are_right() {
    let book = parse(SHIPPED).unwrap();
    let kinds: Vec<&str> = book.flows.iter().map(|flow| flow.kind()).collect();
    assert_eq!(kinds, ["capture", "steps", "checklist"]);
    assert!(parse("").unwrap().flows.is_empty());
}

#[test]
fn flows_that_make_no_sense_are_refused() {
    let slot = "[[flow.slot]]\nid='a'\nlabel='A'\nask='A?'\nkind='text'\n";
    check("flow = 1", 1, "expected");
    check(&format!("{CAPTURE}colour='red'\n"), 6, "colour");
    check(&CAPTURE.replace("'capture'", "'poem'"), 3, "poem");
    check(CAPTURE, 1, "has no `slot`");
    check(&format!("{CAPTURE}{slot}{CAPTURE}{slot}"), 11, "line 1 already");
    check(&format!("{}{slot}", CAPTURE.replace("words=['go']", "")), 1, "can never start");
    check(&format!("{}{slot}", CAPTURE.replace("'go'", "'||'")), 5, "empty word");
    check(&format!("{}over=['nobody']\n{slot}", CAPTURE), 6, "no rule `nobody`");
    check(&format!("{}intents=['nothing']\n{slot}", CAPTURE), 6, "no intent `nothing`");
    check(&format!("{}document='a.md'\n{slot}", CAPTURE), 1, "belongs to the kind steps");
    check(
        "[[flow]]\nid='f'\nkind='steps'\ntitle='T'\nwords=['go']\ndocument='/etc/x'\n",
        6,
        "no document",
    );
}

#[test]
fn slots_that_nothing_can_fill_are_refused() {
    let slot =
        |rest: &str| format!("{CAPTURE}[[flow.slot]]\nid='a'\nlabel='A'\nask='A?'\n{rest}\n");
    check(&slot("kind='colour'"), 10, "colour");
    check(&slot("kind='choice'"), 6, "fewer than two");
    check(&slot("kind='choice'\noptions=['x']"), 6, "fewer than two");
    check(&slot("kind='text'\noptions=['x','y']"), 6, "belong to the kind choice");
    check(&slot("kind='text'\npattern='('"), 11, "no regular expression");
    check(&slot("kind='text'\npattern='a*'"), 11, "no text at all");
    check(&slot("kind='choice'\noptions=['x','y']\nmeans={z=['q']}"), 12, "none of the options");
    check(
        &slot("kind='text'\n[[flow.slot]]\nid='a'\nlabel='A'\nask='A?'\nkind='text'"),
        11,
        "there already",
    );
    let rule =
        |when: &str| slot(&format!("kind='text'\n[[flow.qualify]]\nlevel='high'\nwhen=[{when}]"));
    check(&rule("{slot='b',at_least=1}"), 13, "no slot `b`");
    check(&rule("{slot='a',at_least=1}"), 13, "is none");
    check(&rule("{slot='a',one_of=['x']}"), 13, "no option");
    check(&rule("{slot='a'}"), 13, "either");
}

#[test]
fn checklists_that_never_end_are_refused() {
    let check_to = |id: &str, yes: &str, no: &str| {
        format!("[[flow.check]]\nid='{id}'\nask='?'\nyes='{yes}'\nno='{no}'\n")
    };
    let end = "[[flow.outcome]]\nid='x'\nsay='Bye.'\n";
    let list = |checks: &str| format!("{LIST}{checks}{end}");
    check(&list(&check_to("a", "x", "nowhere")), 10, "no check or outcome `nowhere`");
    check(&list(&check_to("a", "x", "a")), 10, "back to itself");
    check(
        &list(&format!("{}{}", check_to("a", "b", "x"), check_to("b", "x", "a"))),
        15,
        "back to itself",
    );
    check(
        &list(&format!("{}{}", check_to("a", "x", "x"), check_to("b", "x", "x"))),
        11,
        "nothing leads to `b`",
    );
    check(
        &list(&format!("{}{}", check_to("a", "x", "x"), check_to("a", "x", "x"))),
        11,
        "there already",
    );
    check(&list("[[flow.check]]\nid='a'\nask='?'\nyes='x'\n"), 6, "only one of");
    check(&list("[[flow.check]]\nid='a'\nask='?'\n"), 6, "needs `yes`");
    check(
        &list("[[flow.check]]\nid='a'\nask='?'\nupload='a log'\n"),
        6,
        "does not say with `next`",
    );
    // Two ways to one end are no circle.
    assert!(
        parse(&list(&format!("{}{}", check_to("a", "b", "x"), check_to("b", "x", "x")))).is_ok()
    );
}
