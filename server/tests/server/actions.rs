//! Actions as visitors and owners meet them: an order behind a code, a write behind a button, the owner's yes, and codes that are
//! guessed, doubled, late, borrowed or never sent.

use futures_util::future::join_all;
use serde_json::{Value, json};
use server::actions::codes;
use server::clock::fingerprint;
use server::conversation::Visitor;

use crate::house::{Client, Hands, House};

pub(crate) const SHIPPED: &str = include_str!("../../../prompts/actions.toml");
pub(crate) const ADA: &str = "ada@demo.example";

/// A visitor at the demo's site.
pub(crate) struct Guest {
    pub(crate) client: Client,
    pub(crate) id: String,
    token: String,
    number: u32,
}

impl Guest {
    /// Says hello and writes a first message.
    pub(crate) async fn saying(house: &House, text: &str) -> Self {
        let (client, welcome) = house.greeted().await;
        let token = welcome["token"].as_str().unwrap().to_owned();
        let mut guest = Self { client, id: String::new(), token, number: 0 };
        guest.say(text).await;
        let ack = guest.client.until("ack").await;
        guest.id = ack["conversation"].as_str().unwrap().to_owned();
        guest
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.number += 1;
        self.client.say(self.number, text).await;
    }

    /// Writes, and reads the bot's next message.
    pub(crate) async fn ask(&mut self, text: &str) -> Value {
        self.say(text).await;
        self.client.message("bot").await
    }

    async fn code(&mut self, code: &str) {
        self.client.send(&json!({ "type": "code", "code": code })).await;
    }

    async fn press(&mut self, card: &Value, yes: bool) {
        let request = &card["request"];
        self.client.send(&json!({ "type": "confirm", "request": request, "yes": yes })).await;
    }

    /// The visitor as the server's core knows them.
    fn visitor(&self) -> Visitor {
        Visitor {
            conversation: Some(self.id.clone()),
            token_hash: fingerprint(&self.token),
            epoch: String::new(),
            scope: engine::scope::Scope::default(),
            visit: None,
        }
    }

    /// Shows that the address is theirs, from the question for it on.
    async fn show(&mut self, house: &House, email: &str) {
        let asked = self.ask(email).await;
        assert_eq!(asked["card"]["kind"], "code", "{asked}");
        let code = mailed(house, email, 1).await;
        self.code(&code).await;
        let line = self.client.message("system").await;
        assert!(line["text"].as_str().unwrap().contains("is theirs"), "{line}");
    }
}

/// The newest code in the demo's inbox for an address, once there are `count` mails for it.
async fn mailed(house: &House, email: &str, count: usize) -> String {
    for _ in 0..10_000 {
        let inbox = house.get("/demo/inbox", "").await.json();
        let mails: Vec<&Value> =
            inbox.as_array().unwrap().iter().filter(|mail| mail["to"] == email).collect();
        if mails.len() >= count {
            let text = mails[0]["text"].as_str().unwrap();
            return text.chars().filter(char::is_ascii_digit).take(6).collect();
        }
        tokio::task::yield_now().await;
    }
    panic!("no mail came to {email}");
}

pub(crate) async fn open(hands: &Hands) -> House {
    House::acting(SHIPPED, hands, |_| {}).await
}

/// A guest who is waited for with a code, and that code.
async fn waiting(house: &House, email: &str) -> (Guest, String) {
    let mut guest = Guest::saying(house, "Where is my order 12345?").await;
    guest.client.message("bot").await;
    let asked = guest.ask(email).await;
    assert_eq!(asked["card"]["to"], json!(engine::actions::mask(email)), "{asked}");
    let code = mailed(house, email, 1).await;
    (guest, code)
}

fn other(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_shown_behind_a_code() {
    let hands = Hands::new();
    let house = open(&hands).await;
    let mut guest = Guest::saying(&house, "Where is my order 12345?").await;
    let asked = guest.client.message("bot").await;
    assert!(asked["text"].as_str().unwrap().contains("code"), "{asked}");
    guest.show(&house, ADA).await;
    let looking = guest.client.message("bot").await;
    assert!(looking["text"].as_str().unwrap().contains("looking that up"), "{looking}");
    let found = guest.client.message("bot").await;
    let rows = json!([
        { "label": "Order", "value": "12345" },
        { "label": "Status", "value": "On its way" },
        { "label": "Items", "value": "Porch lamp, brass, Two bulbs" },
        { "label": "Expected", "value": "Tomorrow, 9 to 12" },
    ]);
    let card = json!({ "kind": "result", "title": "Your order", "rows": rows });
    assert_eq!(found["card"], card);
    hands.forward(1);
    // Verified already: no further code, and of others nothing.
    guest.say("and where is my order 23456?").await;
    guest.client.message("bot").await;
    let missing = guest.client.message("bot").await;
    assert!(missing["text"].as_str().unwrap().contains("could not find"), "{missing}");
    let heard = house.running.app.demo.as_ref().unwrap().heard();
    let seen: Vec<(&str, &str, u16)> =
        heard.iter().map(|one| (one.line.as_str(), one.subject.as_str(), one.status)).collect();
    assert_eq!(seen, [("GET orders/12345", ADA, 200), ("GET orders/23456", ADA, 404)]);

    let cookie = house.owner().await;
    let path = format!("/console/api/calls?conversation={}", guest.id);
    let calls = house.get(&path, &cookie).await.json();
    let call = &calls["calls"][1];
    assert_eq!((&call["status"], &call["subject"]), (&json!("done"), &json!(ADA)));
    assert_eq!(call["arguments"], json!([{ "label": "Order", "value": "12345" }]));
    let events: Vec<&str> = call["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["asked", "arguments", "proof", "sent", "answered", "told"]);
    assert_eq!(heard[0].key, call["id"].as_str().unwrap());
    let detail =
        house.get(&format!("/console/api/conversations/{}", guest.id), &cookie).await.json();
    assert_eq!((&detail["verified"], detail["calls"].as_array().unwrap().len()), (&json!(ADA), 2));
    let actions = house.get("/console/api/actions", &cookie).await.json();
    assert_eq!(actions["actions"].as_array().unwrap().len(), 4);
    assert_eq!(house.get("/console/api/calls", "").await.status, 401);
    assert_eq!(house.get("/console/api/actions", "").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_typed_is_not_kept() {
    let house = open(&Hands::new()).await;
    let (mut guest, code) = waiting(&house, ADA).await;
    let wrong = other(&code);
    let reply = guest.ask(&format!(" {} {} ", &wrong[..3], &wrong[3..])).await;
    assert!(reply["text"].as_str().unwrap().contains("2 left"), "{reply}");
    let wide: String =
        code.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
    guest.say(&wide).await;
    let line = guest.client.message("system").await;
    assert_eq!(line["text"], "The visitor has shown that a•••@demo.example is theirs.");
    // Sent again after a break in the connection: stored already, and tried no more.
    guest.client.say(guest.number, &wide).await;
    let ack = guest.client.until("ack").await;
    assert_eq!(ack["client_msg_id"], format!("{:032x}", guest.number));
    let stored = house.running.app.store.messages(&guest.id, 0, 100).await.unwrap();
    let texts: Vec<&str> = stored.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(texts.iter().filter(|text| **text == codes::HIDDEN).count(), 2, "{texts:?}");
    for secret in [&code, &wide, &wrong] {
        assert!(!texts.iter().any(|text| text.contains(secret.as_str())), "{texts:?}");
    }
    // Six digits mean nothing in particular where no code is waited for.
    let mut guest = Guest::saying(&house, "123456").await;
    guest.client.message("bot").await;
    let stored = house.running.app.store.messages(&guest.id, 0, 1).await.unwrap();
    assert_eq!(stored[0].text, "123456");
}

/// What the outcomes of codes say, counted by a part of their text.
async fn outcomes(house: &House, visitor: &Visitor, guesses: Vec<String>) -> [usize; 3] {
    let app = &house.running.app;
    let tries = guesses.into_iter().map(|guess| {
        let (app, visitor) = (app.clone(), visitor.clone());
        tokio::spawn(async move { codes::enter(&app, &visitor, &guess).await.unwrap() })
    });
    let texts: Vec<String> = join_all(tries)
        .await
        .into_iter()
        .map(|changes| changes.unwrap().messages[0].text.clone())
        .collect();
    ["not right. Please", "no more tries", "is theirs"]
        .map(|part| texts.iter().filter(|text| text.contains(part)).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_guesses_at_once_three_are_looked_at() {
    let house = open(&Hands::new()).await;
    let (guest, code) = waiting(&house, ADA).await;
    let number: u32 = code.parse().unwrap();
    let guesses = (1..=200).map(|n| format!("{:06}", (number + n) % 1_000_000)).collect();
    let [wrong, over, right] = outcomes(&house, &guest.visitor(), guesses).await;
    assert_eq!((wrong, over, right), (2, 198, 0));
    assert_eq!(outcomes(&house, &guest.visitor(), vec![code]).await, [0, 1, 0]);
    let proved = house.running.app.store.proved(&guest.id, i64::MAX / 2).await.unwrap();
    assert_eq!(proved, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_code_counts_once_and_for_its_conversation_only() {
    let house = open(&Hands::new()).await;
    let (guest, code) = waiting(&house, ADA).await;
    let (thief, own) = waiting(&house, "grace@demo.example").await;
    assert_ne!(code, own, "one in a million");
    // Neither another conversation's code, nor a code of the same conversation for somebody without its secret.
    assert_eq!(outcomes(&house, &thief.visitor(), vec![code.clone()]).await, [1, 0, 0]);
    let stranger = Visitor { token_hash: fingerprint("x"), ..guest.visitor() };
    assert!(codes::enter(&house.running.app, &stranger, &code).await.is_err());
    let [wrong, over, right] =
        outcomes(&house, &guest.visitor(), vec![code.clone(), code.clone(), code.clone()]).await;
    assert_eq!((wrong, over, right), (0, 0, 1));
    let now = house.running.app.clock.now_ms();
    let store = &house.running.app.store;
    assert_eq!(store.proved(&guest.id, now).await.unwrap().as_deref(), Some(ADA));
    assert_eq!(store.proved(&thief.id, now).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_proofs_end_in_time_and_with_another_address() {
    let hands = Hands::new();
    let house = open(&hands).await;
    let (mut late, code) = waiting(&house, ADA).await;
    hands.forward(10 * 60 * 1_000);
    let reply = late.ask(&code).await;
    assert!(reply["text"].as_str().unwrap().contains("no longer good"), "{reply}");
    assert_eq!(late.ask("again").await["card"]["kind"], "code");
    let code = mailed(&house, ADA, 2).await;
    late.code(&code).await;
    late.client.message("system").await;
    let store = &house.running.app.store;
    assert_eq!(store.proved(&late.id, hands.now()).await.unwrap().as_deref(), Some(ADA));
    late.client.find(|frame| frame["card"]["kind"] == "result").await;
    hands.forward(1);
    // Another address is named: a code goes there, and the first one counts no more.
    let asked = late.ask("Where is my order 23456? I am grace@demo.example").await;
    assert_eq!(asked["card"]["to"], "g•••@demo.example");
    assert_eq!(store.proved(&late.id, hands.now()).await.unwrap(), None);
    let code = mailed(&house, "grace@demo.example", 1).await;
    late.code(&code).await;
    let found = late.client.find(|frame| frame["card"]["kind"] == "result").await;
    assert_eq!(found["card"]["rows"][1]["value"], "Being packed");
    hands.forward(30 * 60 * 1_000);
    assert_eq!(store.proved(&late.id, hands.now()).await.unwrap(), None);
    let asked = late.ask("where is my order 23456").await;
    assert!(asked["text"].as_str().unwrap().contains("e-mail address"), "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_sent_only_so_often() {
    let hands = Hands::new();
    let house = open(&hands).await;
    for count in 1..=3 {
        let mut guest = Guest::saying(&house, "Where is my order 12345?").await;
        guest.client.message("bot").await;
        assert_eq!(guest.ask(ADA).await["card"]["kind"], "code");
        mailed(&house, ADA, count).await;
    }
    let mut guest = Guest::saying(&house, "Where is my order 12345?").await;
    guest.client.message("bot").await;
    guest.ask("ADA@demo.example").await;
    let told = guest.client.message("bot").await;
    assert!(told["text"].as_str().unwrap().contains("So many codes"), "{told}");
    assert_eq!(guest.client.until("state").await["state"], "waiting");
    // An hour later the address may have codes again, and a conversation has six in all.
    hands.forward(60 * 60 * 1_000 + 1);
    let mut guest = Guest::saying(&house, "Where is my order 12345?").await;
    guest.client.message("bot").await;
    for name in ["ada", "b", "c", "d", "e", "f"] {
        let address = format!("{name}@demo.example");
        assert_eq!(guest.ask(&address).await["card"]["kind"], "code");
        mailed(&house, &address, if name == "ada" { 4 } else { 1 }).await;
    }
    guest.ask("g@demo.example").await;
    let told = guest.client.message("bot").await;
    assert!(told["text"].as_str().unwrap().contains("So many codes"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_does_not_go_out_is_not_counted_and_the_visitor_hears_of_it() {
    let hands = Hands::new();
    // No mail server is set: nothing to wait for.
    let house = open(&hands).await;
    let mut guest = Guest::saying(&house, "Where is my order 12345?").await;
    guest.client.message("bot").await;
    guest.ask("jo@example.org").await;
    let told = guest.client.message("bot").await;
    assert!(told["text"].as_str().unwrap().contains("could not send the code"), "{told}");
    assert_eq!(guest.client.until("state").await["state"], "waiting");

    // Nobody answers at the mail server's port: it is tried for a minute.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house = House::acting(SHIPPED, &hands, |settings| {
        settings.mail.server = Some("127.0.0.1".into());
        settings.mail.port = Some(closed.port());
        settings.mail.tls = server::config::Security::None;
        settings.mail.from = Some("shop@example.org".into());
    })
    .await;
    let mut guest = Guest::saying(&house, "Where is my order 12345?").await;
    guest.client.message("bot").await;
    guest.ask("jo@example.org").await;
    let (app, own) = (house.running.app.clone(), hands.clone());
    let began = hands.now();
    let pushed = tokio::spawn(async move { push(&app, &own).await });
    let told = guest.client.message("bot").await;
    pushed.abort();
    assert!(told["text"].as_str().unwrap().contains("could not send the code"), "{told}");
    assert!(hands.now() - began >= 40_000, "it was tried for {} ms", hands.now() - began);
    let mut tx = house.running.app.store.begin().await.unwrap();
    let wanted = server::store::codes::Wanted {
        id: String::new(),
        conversation: guest.id.clone(),
        email: "jo@example.org".into(),
        attempts: 0,
        wanted_at: 0,
    };
    let sent = tx.codes_sent(&wanted, 0).await.unwrap();
    assert_eq!((sent.to_address, sent.in_conversation), (0, 0));
}

/// Moves the clock to whatever is put off, again and again.
pub(crate) async fn push(app: &server::app::App, hands: &Hands) {
    loop {
        let due = [app.store.next_code().await.unwrap(), app.store.next_call().await.unwrap()];
        if let Some(left) =
            due.into_iter().flatten().map(|due| due - hands.now()).min().filter(|left| *left > 0)
        {
            hands.forward(left);
            app.actions.ring();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_waits_for_the_button_and_for_the_owner() {
    let house = open(&Hands::new()).await;
    let cookie = house.owner().await;
    let mut guest = Guest::saying(&house, "Please pause my subscription for 2 months").await;
    guest.client.message("bot").await;
    guest.show(&house, ADA).await;
    let card = guest.client.message("bot").await["card"].clone();
    let rows = json!([{ "label": "Months", "value": "2" }, { "label": "Account", "value": "a•••@demo.example" }]);
    assert_eq!((&card["kind"], &card["rows"]), (&json!("confirm"), &rows));
    let told = guest.ask("yes please").await;
    assert!(told["text"].as_str().unwrap().contains("press one of the buttons"), "{told}");
    // A card of another request, and one that is pressed twice.
    guest.press(&json!({ "request": "0".repeat(32) }), true).await;
    guest.press(&card, true).await;
    guest.press(&card, true).await;
    let told = guest.client.message("bot").await;
    assert!(told["text"].as_str().unwrap().contains("A person has to agree"), "{told}");
    let calls = house.get("/console/api/calls", &cookie).await.json();
    assert_eq!(calls["calls"].as_array().unwrap().len(), 1);
    assert_eq!(calls["calls"][0]["status"], "waiting_owner");
    assert!(house.running.app.demo.as_ref().unwrap().heard().is_empty());
    let id = calls["calls"][0]["id"].as_str().unwrap().to_owned();
    let approve = format!("/console/api/calls/{id}/approve");
    assert_eq!(house.post(&approve, "", &json!({})).await.status, 401);
    assert_eq!(house.post(&approve, &cookie, &json!({})).await.status, 204);
    let line = guest.client.message("system").await;
    assert_eq!(line["text"], "Ada agreed to: Pause the subscription");
    let done = guest.client.message("bot").await;
    assert_eq!(done["card"]["rows"][0]["value"], "Paused", "{done}");
    assert_eq!(house.post(&approve, &cookie, &json!({})).await.status, 409);
    assert_eq!(house.running.app.demo.as_ref().unwrap().heard().len(), 1);
    let events = house.running.app.store.call_events(&id).await.unwrap();
    let whats: Vec<(&str, &str)> =
        events.iter().map(|one| (one.what.as_str(), one.detail.as_str())).collect();
    assert!(whats.contains(&("confirmed", "by the visitor, with the card's button")), "{whats:?}");
    assert!(whats.contains(&("approved", "by Ada")), "{whats:?}");

    // The owner declines another one.
    let card = guest.ask("pause my subscription for 3 months").await["card"].clone();
    guest.press(&card, true).await;
    guest.client.message("bot").await;
    let calls = house.get("/console/api/calls", &cookie).await.json();
    let id =
        calls["calls"].as_array().unwrap().iter().find(|call| call["status"] == "waiting_owner");
    let refuse = format!("/console/api/calls/{}/refuse", id.unwrap()["id"].as_str().unwrap());
    assert_eq!(house.post(&refuse, &cookie, &json!({})).await.status, 204);
    let told = guest.client.message("bot").await;
    assert!(told["text"].as_str().unwrap().contains("decided not to"), "{told}");
    assert_eq!(house.running.app.demo.as_ref().unwrap().heard().len(), 1);
    assert_eq!(guest.client.until("state").await["state"], "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_can_be_switched_off_and_its_shop_is_locked() {
    let house = House::acting(SHIPPED, &Hands::new(), |settings| settings.site.demo = false).await;
    assert_eq!(house.get("/demo/inbox", "").await.status, 404);
    assert_eq!(house.get("/demo/shop/orders/12345", "").await.status, 404);
    let house = open(&Hands::new()).await;
    assert_eq!(house.get("/demo/shop/orders/12345", "").await.status, 401);
    let head = "GET /demo/shop/orders/12345 HTTP/1.1\r\nX-Customer-Email: ada@demo.example\r\nX-Porchlight-Key: x\r\n";
    assert_eq!(house.request(head, "").await.status, 401);
}

/// K17 and K18: the server ended after the code was counted, whether or not its mail had gone out.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_being_sent_is_sent_anew_after_a_restart() {
    let hands = Hands::new();
    let house = open(&hands).await;
    let mut guest = Guest::saying(&house, "Where is my order 12345?").await;
    guest.client.message("bot").await;
    let mut tx = house.running.app.store.begin().await.unwrap();
    codes::want(&house.running.app, &mut tx, &guest.id, ADA, hands.now()).await.unwrap();
    let wanted = tx.due_code(hands.now(), 0).await.unwrap().unwrap();
    let hash = fingerprint(format!("salt:{}:{ADA}:123456", guest.id));
    let times = (hands.now(), hands.now() + 600_000);
    tx.reserve_code(&wanted, ("salt", &hash), times).await.unwrap();
    tx.commit().await.unwrap();
    let visitor = guest.visitor();
    let folder = house.stopped().await.0;
    let house = House::acting_in(folder, &hands, |_| {}).await;
    let code = mailed(&house, ADA, 1).await;
    if code != "123456" {
        assert_eq!(outcomes(&house, &visitor, vec!["123456".into()]).await, [1, 0, 0]);
    }
    assert_eq!(outcomes(&house, &visitor, vec![code]).await, [0, 0, 1]);
    let mut tx = house.running.app.store.begin().await.unwrap();
    assert_eq!(tx.codes_sent(&wanted, 0).await.unwrap().to_address, 1);
}
