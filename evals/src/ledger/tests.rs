//! A bad ledger and a good one for every letter.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{Dump, Event, Log, check, log};

fn conversation(id: &str, head: i64) -> Value {
    json!({"type": "conversation", "id": id, "epoch": "e", "head": head, "state": "bot", "generation": 0,
        "marks": {"owner_read": 0, "visitor_read": head}})
}

fn visitor(conversation: &str, seq: i64, id: &str, text: &str) -> Value {
    json!({"type": "message", "conversation": conversation, "seq": seq, "from": "visitor", "id": id, "text": text,
        "reply_to": null, "draft_id": null})
}

fn bot(conversation: &str, seq: i64, reply_to: i64) -> Value {
    json!({"type": "message", "conversation": conversation, "seq": seq, "from": "bot", "id": null, "text": "reply",
        "reply_to": reply_to, "draft_id": "d"})
}

fn job(conversation: &str, seq: i64, status: &str) -> Value {
    json!({"type": "job", "conversation": conversation, "for_seq": seq, "status": status, "leased_until": 0})
}

fn attempt(client: &str, id: &str, text: &str) -> Value {
    json!({"type": "attempt", "at": 1, "client": client, "conversation": null, "id": id, "text": text})
}

fn ack(client: &str, id: &str, conversation: &str, seq: i64) -> Value {
    json!({"type": "ack", "at": 2, "client": client, "id": id, "conversation": conversation, "seq": seq})
}

fn show(client: &str, stored: &Value) -> Value {
    let field = |name: &str| stored[name].clone();
    json!({"type": "show", "at": 3, "client": client, "conversation": field("conversation"), "seq": field("seq"),
        "from": field("from"), "id": field("id"), "text": field("text"), "draft_id": field("draft_id")})
}

fn resumed(client: &str, conversation: &str, head: i64) -> Value {
    json!({"type": "resumed", "at": 4, "client": client, "conversation": conversation, "head": head})
}

fn person(what: &str, conversation: &str, seq: i64) -> Value {
    json!({"type": what, "at": 5, "conversation": conversation, "generation": 1, "seq": seq})
}

fn dump(integrity: &[&str], stored: &[Value]) -> Dump {
    let count = |kind: &str| stored.iter().filter(|line| line["type"] == kind).count();
    let first = json!({"type": "database", "sqlite": "3.51.3", "integrity": integrity});
    let last = json!({"type": "end", "conversations": count("conversation"), "messages": count("message"), "jobs": count("job")});
    let lines = [&[first], stored, &[last]].concat();
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    Dump::parse(text.as_bytes()).unwrap()
}

fn events(lines: Vec<Value>) -> Vec<Event> {
    lines.into_iter().map(|line| serde_json::from_value(line).unwrap()).collect()
}

/// What is found has to be one violation that begins with `expect`, or nothing where that is empty.
fn expect(stored: &[Value], happened: Vec<Value>, expect: &str) {
    let found = check(&dump(&["ok"], stored), &events(happened));
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    let right = match expect {
        "" => said.is_empty(),
        start => said.len() == 1 && said[0].starts_with(start),
    };
    assert!(right, "expected `{expect}`, found {said:#?}");
}

#[test]
fn a_b_messages_are_stored_once_as_acknowledged() {
    let (hello, again) = (visitor("c", 1, "i1", "hello"), visitor("c", 2, "i1", "hello"));
    let one = [conversation("c", 1), hello.clone()];
    let twice = [conversation("c", 2), hello.clone(), again];
    let sent = || attempt("v", "i1", "hello");
    expect(&one, vec![sent(), ack("v", "i1", "c", 1), ack("v", "i1", "c", 1)], "");
    expect(&one, vec![sent(), sent()], "");
    expect(&[], vec![sent()], "");
    expect(
        &[],
        vec![sent(), ack("v", "i1", "c", 1)],
        "(a) id i1: acknowledged as seq 1 of conversation c, stored nowhere",
    );
    let twin = vec![sent(), ack("v", "i1", "c", 1)];
    expect(&twice, twin, "(a) id i1: stored more than once: as seq 1 of c, as seq 2 of c");
    expect(&twice, vec![sent()], "(b) id i1: stored more than once");
    let moved = [conversation("c", 2), bot("c", 1, 0), visitor("c", 2, "i1", "hello")];
    let found = check(&dump(&["ok"], &moved), &events(vec![sent(), ack("v", "i1", "c", 1)]));
    assert!(found[0].to_string().starts_with("(a) id i1: acknowledged as seq 1"), "{found:?}");
    let other = [conversation("c", 1), visitor("c", 1, "i1", "other")];
    expect(
        &other,
        vec![sent(), ack("v", "i1", "c", 1)],
        "(a) id i1: attempted as {\"hello\"}, stored as \"other\"",
    );
    expect(&other, vec![sent()], "(b) id i1: attempted as");
}

#[test]
fn c_seqs_are_dense() {
    let first = visitor("c", 1, "i1", "a");
    expect(&[conversation("c", 0)], vec![], "");
    expect(&[conversation("c", 2), first.clone(), visitor("c", 2, "i2", "b")], vec![], "");
    expect(
        &[conversation("c", 3), first.clone(), visitor("c", 3, "i2", "b")],
        vec![],
        "(c) conversation c: seq 3 stands where seq 2 is due",
    );
    expect(
        &[conversation("c", 2), first.clone()],
        vec![],
        "(c) conversation c: head is 2, the last message has seq 1",
    );
    let mut ahead = conversation("c", 1);
    ahead["marks"]["owner_read"] = json!(2);
    expect(&[ahead, first], vec![], "(c) conversation c: owner_read is 2, head is 1");
}

#[test]
fn d_clients_show_what_is_stored() {
    let (one, two) = (visitor("c", 1, "i1", "a"), visitor("c", 2, "i2", "b"));
    let stored = [conversation("c", 2), one.clone(), two.clone()];
    let (first, second) = (|| show("v", &one), || show("v", &two));
    expect(&stored, vec![first(), second(), resumed("v", "c", 2)], "");
    expect(&stored, vec![first(), resumed("v", "c", 1)], "");
    let reset = json!({"type": "reset", "at": 3, "client": "v"});
    expect(&stored, vec![first(), second(), resumed("v", "c", 2), reset, first(), second()], "");
    expect(
        &stored,
        vec![first(), resumed("v", "c", 2)],
        "(d) client v: conversation c: shown up to seq 1, resumed at head 2",
    );
    expect(
        &stored,
        vec![second(), first()],
        "(d) client v: conversation c, seq 2: shown where seq 1 is due",
    );
    expect(
        &stored,
        vec![first(), first()],
        "(d) client v: conversation c, seq 1: shown where seq 2 is due",
    );
    let mut changed = first();
    changed["text"] = json!("z");
    expect(&stored, vec![changed], "(d) client v: conversation c, seq 1: \"z\" of visitor");
    let ghost = show("v", &visitor("c", 3, "i3", "c"));
    expect(
        &stored,
        vec![first(), second(), ghost],
        "(d) client v: conversation c, seq 3: \"c\" of visitor",
    );
}

#[test]
fn e_the_bot_answers_once_and_not_after_a_take_over() {
    let asked = visitor("c", 1, "i1", "a");
    let stored = |extra: &[Value]| {
        [&[conversation("c", 1 + i64::try_from(extra.len()).unwrap()), asked.clone()], extra]
            .concat()
    };
    let line = |seq: i64| {
        json!({"type": "message", "conversation": "c", "seq": seq, "from": "system", "id": null,
        "text": "joined", "reply_to": null, "draft_id": null})
    };
    expect(&stored(&[bot("c", 2, 1)]), vec![], "");
    expect(
        &stored(&[bot("c", 2, 1), bot("c", 3, 1)]),
        vec![],
        "(e) conversation c: seq 2 and seq 3 both answer seq 1",
    );
    expect(
        &stored(&[bot("c", 2, 2)]),
        vec![],
        "(e) conversation c: seq 2 answers seq 2, no earlier",
    );
    let taken = || person("takeover", "c", 2);
    expect(
        &stored(&[line(2), bot("c", 3, 1)]),
        vec![taken()],
        "(e) conversation c: the bot's seq 3 follows the take-over at seq 2",
    );
    let back = person("hand_back", "c", 3);
    expect(&stored(&[line(2), line(3), bot("c", 4, 1)]), vec![back.clone(), taken()], "");
    expect(
        &stored(&[line(2), bot("c", 3, 1), line(4)]),
        vec![taken(), person("hand_back", "c", 4)],
        "(e)",
    );
    expect(
        &stored(&[line(2), line(3), line(4), bot("c", 5, 1)]),
        vec![taken(), back, person("takeover", "c", 4)],
        "(e)",
    );
}

#[test]
fn f_jobs_end() {
    let asked = [conversation("c", 2), visitor("c", 1, "i1", "a"), visitor("c", 2, "i2", "b")];
    let with = |seq: i64, status: &str| [&asked[..], &[job("c", seq, status)]].concat();
    for (seq, status) in [(1, "done"), (1, "leased"), (2, "queued"), (2, "leased")] {
        expect(&with(seq, status), vec![], "");
    }
    expect(
        &with(1, "queued"),
        vec![],
        "(f) conversation c: the job for seq 1 is queued, the visitor's newest message is seq 2",
    );
    expect(&with(2, "lost"), vec![], "(f) conversation c: the job for seq 2 is `lost`");
}

#[test]
fn g_conversations_do_not_cross() {
    let (mine, other) = (visitor("c", 1, "i1", "a"), visitor("x", 1, "i2", "b"));
    let stored = [conversation("c", 1), mine.clone(), conversation("x", 1), other.clone()];
    expect(&stored, vec![show("v", &mine), show("w", &other)], "");
    expect(
        &stored,
        vec![resumed("v", "c", 0), show("v", &other)],
        "(g) client v: belongs to conversation c, was told of x",
    );
    let mut crossed = show("v", &other);
    crossed["conversation"] = json!("c");
    expect(
        &stored,
        vec![crossed],
        "(g) client v: conversation c, seq 1: shown is a message of conversation x",
    );
}

#[test]
fn h_the_file_is_sound() {
    let said = |integrity: &[&str]| {
        check(&dump(integrity, &[]), &[]).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(said(&["ok"]).is_empty());
    assert_eq!(
        said(&["row 7 missing"]),
        ["(h) SQLite 3.51.3: integrity_check says `row 7 missing`, not `ok`"]
    );
    assert_eq!(said(&[]).len(), 1);
}

#[test]
fn a_dump_that_was_cut_off_is_refused() {
    for (text, why) in [
        ("", "its last line is missing"),
        (
            "{\"type\":\"database\",\"sqlite\":\"3\",\"integrity\":[\"ok\"]}\n",
            "its last line is missing",
        ),
        (
            "{\"type\":\"end\",\"conversations\":1,\"messages\":0,\"jobs\":0}\n",
            "lines before it are missing",
        ),
        (
            "{\"type\":\"job\",\"conversation\":\"c\",\"for_seq\":1,\"status\":\"done\"}\n",
            "its conversation c does not",
        ),
        ("nonsense\n", "line 1"),
    ] {
        let error = Dump::parse(text.as_bytes()).unwrap_err();
        assert!(format!("{error:#}").contains(why), "{error:#}");
    }
}

#[test]
fn a_log_is_read_as_it_was_written_but_for_a_torn_end() {
    let folder = tempfile::tempdir().unwrap();
    let happened =
        events(vec![attempt("v", "i1", "a"), ack("v", "i1", "c", 1), resumed("v", "c", 1)]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (log, keeper) = Log::start(folder.path()).unwrap();
    runtime.block_on(async {
        log.sure(happened[0].clone()).await.unwrap();
        log.note(happened[1].clone()).await.unwrap();
        log.note(happened[2].clone()).await.unwrap();
    });
    drop(log);
    keeper.finish().unwrap();
    let path = folder.path().join(format!("log-{}.jsonl", std::process::id()));
    assert_eq!(log::read(&path).unwrap(), happened);
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    file.write_all(b"{\"type\":\"reset\",\"at\"").unwrap();
    assert_eq!(log::read(&path).unwrap(), happened);
    file.write_all(b"\n").unwrap();
    assert!(log::read(&path).unwrap_err().to_string().contains(".jsonl:4: "));
}
