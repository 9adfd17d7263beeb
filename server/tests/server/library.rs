//! The owner's page on the documents: list, search, versions, a look for what is wrong, and edits with a gate.

use serde_json::{Value, json};
use server::config::Knowledge;
use server::knowledge::status::Status;
use tokio::time::timeout;

use crate::house::{ANSWER, House, PATIENCE, QUESTION};
use crate::site::Site;

async fn get(house: &House, path: &str, cookie: &str) -> Value {
    let answer = house.get(&format!("/console/api/knowledge{path}"), cookie).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

async fn post(house: &House, path: &str, cookie: &str, body: &Value) -> (u16, Value) {
    let answer = house.post(&format!("/console/api/knowledge/{path}"), cookie, body).await;
    (answer.status, answer.json())
}

async fn until(house: &House, wanted: impl Fn(&Status) -> bool) -> Status {
    let mut status = house.running.app.mind.knowledge.status();
    let found = timeout(PATIENCE, status.wait_for(|status| wanted(status))).await.expect("in time");
    found.unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_listed_and_searched_with_their_scores() {
    let house = House::open().await;
    for path in ["", "/versions", "/check", "/document?path=port.md"] {
        assert_eq!(
            house.get(&format!("/console/api/knowledge{path}"), "").await.status,
            401,
            "{path}"
        );
    }
    for path in ["search", "rollback", "release", "try", "save", "fetch"] {
        assert_eq!(post(&house, path, "", &json!({})).await.0, 401, "{path}");
    }
    let cookie = house.owner().await;
    let page = get(&house, "", &cookie).await;
    let line = &page["documents"][1];
    assert_eq!(
        (&line["path"], &line["title"], &line["passages"], &line["url"]),
        (&json!("port.md"), &json!("Ports"), &json!(1), &json!("/kb/port.md"))
    );
    assert!(line["written_at"].as_i64().unwrap() > 1_600_000_000_000);
    assert_eq!(
        (&page["status"]["documents"], &page["status"]["pinned"]),
        (&json!(2), &Value::Null)
    );
    let (status, found) = post(&house, "search", &cookie, &json!({ "question": QUESTION })).await;
    let hit = &found["hits"][0];
    assert_eq!((status, &hit["doc"], &hit["text"]), (200, &json!("port.md"), &json!(ANSWER)));
    for score in ["score", "cosine", "bm25", "coverage"] {
        assert!(hit[score].as_f64().unwrap() > 0.0, "{score}: {hit}");
    }
    assert_eq!((&found["version"], &found["floor"]), (&page["status"]["version"], &json!(0.25)));
    for question in ["", " ", &"x".repeat(4_001)] {
        assert_eq!(post(&house, "search", &cookie, &json!({ "question": question })).await.0, 422);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_rolls_back_and_another_publishes_again() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let mut console = house.console(&cookie).await;
    let first = until(&house, |_| true).await.version;
    let file = house.folder.path().join("knowledge/port.md");
    std::fs::write(&file, "# Ports\n\nThe port is a secret.\n").unwrap();
    until(&house, |status| status.version != first).await;
    let told = console.find(|frame| {
        frame["type"] == "knowledge" && frame["knowledge"]["version"] != json!(first)
    });
    let second = told.await["knowledge"]["version"].clone();
    let list = get(&house, "/versions", &cookie).await["versions"].clone();
    assert_eq!(
        (&list[0]["id"], &list[0]["answers"], &list[1]["id"]),
        (&second, &json!(true), &json!(first))
    );
    assert_eq!(list[0]["changed"], json!({ "count": 1, "paths": ["port.md"] }));
    assert_eq!(post(&house, "rollback", &cookie, &json!({ "id": "ffffffff" })).await.0, 404);
    assert_eq!(post(&house, "rollback", &cookie, &json!({ "id": first })).await.0, 204);
    until(&house, |status| status.version == first && status.behind).await;
    let list = get(&house, "/versions", &cookie).await["versions"].clone();
    assert_eq!((&list[1]["answers"], &list[1]["pinned"]), (&json!(true), &json!(true)));
    let edit = json!({ "path": "port.md", "text": "x", "base": null });
    assert_eq!(post(&house, "save", &cookie, &edit).await.1["error"]["code"], "pinned");
    assert_eq!(post(&house, "release", &cookie, &json!({})).await.0, 204);
    let again = until(&house, |status| status.pinned.is_none()).await;
    assert_eq!(json!(again.version), second);
    assert!(file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_wrong_is_listed_with_what_answers_have_reached() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let first = until(&house, |_| true).await.version;
    let file = house.folder.path().join("knowledge/more.md");
    std::fs::write(&file, "# More\n\nSee [ports](port.md) and [gone](gone.md).\n").unwrap();
    until(&house, |status| status.version != first).await;
    let report = get(&house, "/check", &cookie).await;
    let link = &report["links"][0];
    assert_eq!(
        (&link["at"], &link["target"]),
        (&json!({ "doc": "more.md", "line": 3 }), &json!("gone.md"))
    );
    assert_eq!(report["unreached"], json!([]), "no answer was given yet");
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    visitor.message("bot").await;
    let report = get(&house, "/check", &cookie).await;
    assert_eq!(report["unreached"], json!(["backup.md", "more.md"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_loses_an_answer_is_stopped_unless_the_owner_insists() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let golden =
        json!({ "question": QUESTION, "doc": "port.md", "answer": "port 7878" }).to_string();
    std::fs::write(house.folder.path().join("knowledge/golden.jsonl"), format!("{golden}\n"))
        .unwrap();
    let opened = get(&house, "/document?path=port.md", &cookie).await;
    let text = opened["text"].as_str().unwrap().to_owned();
    let edit = |text: &str| json!({ "path": "port.md", "text": text, "base": opened["base"] });
    let lost = text.replace("port 7878 unless you change the port", "some number");
    let (status, trial) =
        post(&house, "try", &cookie, &json!({ "path": "port.md", "text": lost })).await;
    assert_eq!(
        (status, &trial["right_before"], &trial["right_after"]),
        (200, &json!(1), &json!(0))
    );
    assert_eq!(trial["passages"].as_array().map(Vec::len), Some(1), "{trial}");
    let (status, stopped) = post(&house, "save", &cookie, &edit(&lost)).await;
    assert_eq!((status, &stopped["error"]["code"]), (409, &json!("answers_lost")));
    assert_eq!(stopped["trial"]["flips"][0]["question"], QUESTION);
    let file = house.folder.path().join("knowledge/port.md");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing was written");
    let mut insisting = edit(&lost);
    insisting["all_the_same"] = json!(true);
    assert_eq!(post(&house, "save", &cookie, &insisting).await.0, 200);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lost);
    let (_, late) = post(&house, "save", &cookie, &edit(&text)).await;
    assert_eq!(late["error"]["code"], "changed_meanwhile");
    // A new document, then its end.
    let new = json!({ "path": "new/page.md", "text": "# New\n\nNews.\n", "base": null });
    assert_eq!(post(&house, "save", &cookie, &new).await.0, 200);
    until(&house, |status| status.documents == 3).await;
    let base = get(&house, "/document?path=new/page.md", &cookie).await["base"].clone();
    let end = json!({ "path": "new/page.md", "text": null, "base": base });
    assert_eq!(post(&house, "save", &cookie, &end).await.0, 200);
    until(&house, |status| status.documents == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_as_it_is_after_the_same_gate() {
    let house = House::open().await;
    assert_eq!(house.upload("try?path=a.md", "", "x").await.status, 401);
    let cookie = house.owner().await;
    let golden = json!({ "question": QUESTION, "doc": "port.md", "answer": "port 7878" });
    let folder = house.folder.path().join("knowledge");
    std::fs::write(folder.join("golden.jsonl"), format!("{golden}\n")).unwrap();
    let trial = house.upload("try?path=notes/new.txt", &cookie, "Some news.\n").await;
    assert_eq!((trial.status, &trial.json()["right_after"]), (200, &json!(1)), "{}", trial.body);
    assert_eq!(trial.json()["passages"][0]["text"], "Some news.");
    assert!(!folder.join("notes").exists(), "nothing was written");
    let saved = house.upload("save?path=notes/new.txt", &cookie, "Some news.\n").await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    assert_eq!(std::fs::read_to_string(folder.join("notes/new.txt")).unwrap(), "Some news.\n");
    until(&house, |status| status.documents == 3).await;
    let base = get(&house, "/document?path=port.md", &cookie).await["base"].clone();
    let named = format!("save?path=port.md&base={}", base.as_str().unwrap());
    for (path, body, status, code) in [
        ("save?path=notes/new.txt", "Other news.", 409, "changed_meanwhile"),
        (named.as_str(), "# Ports\n\nNo number.\n", 409, "answers_lost"),
        ("save?path=../out.pdf", "x", 422, "bad_name"),
        ("save?path=golden.jsonl", "x", 422, "bad_name"),
        ("save?path=a.xlsx", "x", 422, "bad_name"),
        ("try?path=a.pdf", "no PDF", 422, "bad_text"),
        ("try?path=a.md", "---\ntitle: [\n---\n", 422, "bad_text"),
        ("try?path=a.md&x=y", "x", 400, "bad_request"),
        ("try?path=a.pdf", &"x".repeat(33 << 20), 413, "too_big"),
    ] {
        let answer = house.upload(path, &cookie, body).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (status, &json!(code)),
            "{path}"
        );
    }
    let named = format!("{named}&all_the_same=true");
    let insisting = house.upload(&named, &cookie, "# Ports\n\nNo number.\n").await;
    assert_eq!(insisting.status, 200, "{}", insisting.body);
    let json =
        house.post("/console/api/knowledge/upload/try?path=a.md", &cookie, &json!("x")).await;
    assert_eq!(json.status, 415, "no form of another site can send it");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_web_answer_and_name_their_address() {
    let site = Site::open();
    let page = "# Shelter\n\n## Where is the bus shelter?\n\nThe bus shelter is behind the mill.\n";
    site.page("/shelter.md", "text/markdown", page);
    let url = |path: &str| site.url(path).try_into().unwrap();
    let mut knowledge =
        Knowledge { urls: vec![url("/shelter.md"), url("/none")], ..Knowledge::default() };
    knowledge.allow_private = vec![format!("127.0.0.1:{}", site.port).try_into().unwrap()];
    let house = House::with_pages(knowledge).await;
    let fetched = until(&house, |status| {
        status.documents == 3 && status.web.as_ref().is_some_and(|web| web.asked_at.is_some())
    });
    let web = fetched.await.web.unwrap();
    assert_eq!((web.pages, web.fetching, web.missed.len()), (1, None, 1));
    assert!(web.missed[0].problem.starts_with("answers 404"), "{web:?}");
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, "Where is the bus shelter?").await;
    let reply = visitor.message("bot").await;
    assert_eq!(reply["text"], "The bus shelter is behind the mill.");
    let shown = house.get(reply["citations"][0]["url"].as_str().unwrap(), "").await.body;
    assert!(shown.contains(&format!("From <a href=\"{}\"", site.url("/shelter.md"))), "{shown}");
    let cookie = house.owner().await;
    let documents = get(&house, "", &cookie).await["documents"].clone();
    assert_eq!(documents[2]["source"], json!(site.url("/shelter.md")));
    // A new text is fetched when the owner asks for it, and a page that is gone answers no more.
    let first = until(&house, |_| true).await.version;
    site.page("/shelter.md", "text/markdown", page.replace("mill", "church"));
    assert_eq!(post(&house, "fetch", &cookie, &json!({})).await.0, 204);
    until(&house, |status| status.version != first).await;
    site.remove("/shelter.md");
    assert_eq!(post(&house, "fetch", &cookie, &json!({})).await.0, 204);
    until(&house, |status| status.documents == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_texts_that_cannot_be_are_refused() {
    let house = House::open().await;
    let cookie = house.owner().await;
    std::os::unix::fs::symlink("/tmp", house.folder.path().join("knowledge/link")).unwrap();
    for path in [
        "../out.md",
        "/etc/x.md",
        "a/../../x.md",
        ".hidden.md",
        "a//b.md",
        "x.sh",
        "link/x.md",
        "a\\b.md",
        "",
    ] {
        let edit = json!({ "path": path, "text": "x", "base": null });
        let (status, answer) = post(&house, "save", &cookie, &edit).await;
        assert_eq!((status, &answer["error"]["code"]), (422, &json!("bad_name")), "{path}");
    }
    let bad = json!({ "path": "x.md", "text": "---\ntitle: [\n---\n" });
    assert_eq!(post(&house, "try", &cookie, &bad).await.1["error"]["code"], "bad_text");
    std::fs::write(house.folder.path().join("knowledge/golden.jsonl"), "{}\nno\n").unwrap();
    let good = json!({ "path": "x.md", "text": "x" });
    let (_, answer) = post(&house, "try", &cookie, &good).await;
    let said = answer["error"]["message"].as_str().unwrap();
    assert!(said.starts_with("golden.jsonl: line 1: "), "{said}");
}
