//! Documents that are edited while the server runs: published whole, rolled back, and never lost to a bad file.

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use retrieval::Versions;
use serde_json::{Value, json};
use server::knowledge::status::Status;
use tokio::time::timeout;

use crate::house::{ANSWER, Client, Gate, House, PATIENCE, QUESTION};

const NEW: &str = "Porchlight listens on port 9999 unless you change the port.";

fn write(house: &House, name: &str, text: &str) {
    std::fs::write(house.folder.path().join("knowledge").join(name), text).unwrap();
}

fn remove(house: &House, name: &str) {
    std::fs::remove_file(house.folder.path().join("knowledge").join(name)).unwrap();
}

fn page(answer: &str) -> String {
    format!("# Ports\n\n## Which port does Porchlight listen on?\n\n{answer}\n")
}

/// Waits until the documents stand so.
async fn until(house: &House, wanted: impl Fn(&Status) -> bool) -> Status {
    let mut status = house.running.app.mind.knowledge.status();
    let found = timeout(PATIENCE, status.wait_for(|status| wanted(status))).await;
    let found = found.map(|status| status.unwrap().clone());
    found.unwrap_or_else(|_| {
        panic!("in vain: {:?}", house.running.app.mind.knowledge.status().borrow())
    })
}

fn status(house: &House) -> Status {
    house.running.app.mind.knowledge.status().borrow().clone()
}

async fn answer(house: &House) -> Value {
    let (mut visitor, _): (Client, Value) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    visitor.message("bot").await
}

fn versions(house: &House) -> Versions {
    Versions::new(house.folder.path().join("data/versions"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_answers_without_a_restart_and_a_deleted_document_no_more() {
    let house = House::open().await;
    let first = status(&house);
    assert_eq!(answer(&house).await["text"], ANSWER);
    write(&house, "port.md", &page(NEW));
    let second = until(&house, |status| status.version != first.version).await;
    let reply = answer(&house).await;
    assert_eq!((&reply["text"], &reply["citations"][0]["excerpt"]), (&json!(NEW), &json!(NEW)));
    let health = house.get("/healthz", "").await.json();
    assert!(health["knowledge"].as_str().unwrap().starts_with(&second.version), "{health}");
    remove(&house, "port.md");
    until(&house, |status| status.documents == 1 && status.version != second.version).await;
    let reply = answer(&house).await;
    assert!(reply["text"].as_str().unwrap().contains("asked a person"), "{reply}");
    assert_eq!(house.get("/kb/port.md", "").await.status, 404);
    let kept = versions(&house).list().unwrap();
    assert_eq!(kept.len(), 3);
    assert_eq!(
        (&kept[0].removed, &kept[1].changed),
        (&vec!["port.md".into()], &vec!["port.md".into()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_on_its_way_keeps_the_documents_it_began_with() {
    let gate = Gate::default();
    let house = House::with(gate.model(ANSWER), Mode::Compose).await;
    let cookie = house.owner().await;
    let first = status(&house).version;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    gate.reached().await;
    write(&house, "port.md", &page(NEW));
    until(&house, |status| status.version != first).await;
    gate.open();
    let reply = visitor.message("bot").await;
    assert_eq!(
        (&reply["text"], &reply["citations"][0]["excerpt"]),
        (&json!(ANSWER), &json!(ANSWER))
    );
    let path = format!("/console/api/conversations/{}", reply["conversation"].as_str().unwrap());
    let detail = house.get(&path, &cookie).await.json();
    assert_eq!(detail["decision"]["knowledge"], json!(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_leaves_the_last_good_state() {
    let house = House::open().await;
    let first = status(&house);
    write(&house, "port.md", "---\ntitle: [\n---\nNobody reads this.\n");
    let bad = until(&house, |status| !status.problems.is_empty()).await;
    assert_eq!((bad.problems[0].path.as_str(), bad.problems[0].kept), ("port.md", true));
    assert!(bad.problems[0].problem.starts_with("line "), "{bad:?}");
    assert_eq!(
        (bad.version, answer(&house).await["text"].clone()),
        (first.version.clone(), json!(ANSWER))
    );
    // The same holds over a restart.
    let house = house.again(ScriptedModel::default(), Mode::Quote).await;
    assert_eq!((status(&house).version, status(&house).problems.len()), (first.version.clone(), 1));
    write(&house, "port.md", &page(NEW));
    let mended = until(&house, |status| status.problems.is_empty()).await;
    assert_ne!(mended.version, first.version);
    for name in ["port.md", "backup.md"] {
        remove(&house, name);
    }
    let emptied = until(&house, |status| status.error.is_some()).await;
    assert!(emptied.error.unwrap().contains("holds no document"));
    assert_eq!(house.get("/healthz", "").await.status, 200);
    write(&house, "port.md", &page(ANSWER));
    until(&house, |status| status.error.is_none() && status.documents == 1).await;
    assert_eq!(answer(&house).await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_version_answers_until_it_is_released() {
    let house = House::open().await;
    let first = status(&house).version;
    write(&house, "port.md", &page(NEW));
    let second = until(&house, |status| status.version != first).await.version;
    // As another process does it.
    versions(&house).pin(&first).unwrap();
    let pinned = until(&house, |status| status.pinned.is_some() && status.behind).await;
    assert_eq!((&pinned.version, pinned.pinned.as_ref()), (&first, Some(&first)));
    assert_eq!(answer(&house).await["text"], ANSWER);
    write(&house, "backup.md", "# Backups\n\nBackups are copies.\n");
    let house = house.again(ScriptedModel::default(), Mode::Quote).await;
    let still = until(&house, |status| status.behind).await;
    assert_eq!((&still.version, still.pinned.as_ref()), (&first, Some(&first)));
    assert_eq!(answer(&house).await["text"], ANSWER);
    versions(&house).release().unwrap();
    let third = until(&house, |status| status.pinned.is_none()).await;
    assert!(![first, second].contains(&third.version) && !third.behind, "{third:?}");
    assert_eq!(answer(&house).await["text"], NEW);
}
