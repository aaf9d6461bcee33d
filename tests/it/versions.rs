//! Who changed what, and versions, through the API [CANVAS-7].

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::app::{Answer, Client, PASSWORD, TestApp};

impl Client {
    async fn changes(&self, workflow: &str, query: &str) -> (String, Value) {
        let response = self.get(&format!("/api/v1/workflows/{workflow}/changes{query}")).await;
        let tag = response.headers()[header::ETAG].to_str().unwrap().to_owned();
        (tag, response.body_of(StatusCode::OK).await)
    }

    async fn publish(&self, workflow: &str, if_match: Option<&str>) -> reqwest::Response {
        let request = self.request(Method::POST, &format!("/api/v1/workflows/{workflow}/versions"));
        let request = if_match.into_iter().fold(request, |request, tag| request.header(header::IF_MATCH, tag));
        request.json(&json!({ "note": "first" })).send().await.unwrap()
    }

    /// Another member of the same tenant, signed in.
    async fn colleague(&self, app: &TestApp, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let person = json!({ "email": email, "password": PASSWORD, "name": name, "role": "member" });
        self.post("/api/v1/users", &person).await.body_of(StatusCode::CREATED).await;
        let mut client = app.anonymous();
        let login = json!({ "email": email, "password": PASSWORD });
        client.session = client.post("/api/v1/auth/login", &login).await.body_of(StatusCode::OK).await;
        client.token = client.session["access_token"].as_str().map(ToOwned::to_owned);
        client
    }
}

fn told(list: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let items = list["items"].as_array().unwrap().iter();
    let mut told: Vec<_> = items
        .map(|item| {
            let parts = [&item["by"]["name"], &item["change"], &item["kind"], &item["label"]];
            parts.map(text).join(" ")
        })
        .collect();
    told.sort();
    told
}

fn nodes(ids: &[&str]) -> Value {
    let node = |id: &&str| json!({ "id": id, "data": { "label": id.to_uppercase(), "nodeType": "limit" } });
    let edges: Vec<_> = ids
        .windows(2)
        .map(|pair| json!({ "id": format!("{}{}", pair[0], pair[1]), "source": pair[0], "target": pair[1] }))
        .collect();
    json!({ "nodes": ids.iter().map(node).collect::<Vec<_>>(), "edges": edges })
}

/// [CANVAS-7] Changes are told by author, page by page; what was not seen is not published; a version does not change.
#[tokio::test]
async fn changes_are_shown_and_published() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let bob = ann.colleague(&app, "bob").await;
    let workflow = ann.workflow("Flights").await;
    let place = |what: &str| format!("/api/v1/workflows/{workflow}/{what}");
    let diagram = place("diagram");

    ann.publish(&workflow, None).await.problem(428, "if_match_required").await;
    ann.publish(&workflow, Some("*")).await.problem(409, "nothing_to_publish").await;
    let drawn = ann.request(Method::PUT, &diagram).json(&nodes(&["a", "b"])).send().await.unwrap();
    drawn.body_of(StatusCode::OK).await;
    let (seen, list) = ann.changes(&workflow, "").await;
    assert_eq!(told(&list), ["ann added edge A → B", "ann added node A", "ann added node B"]);

    let moved = json!({ "nodes": { "a": { "position": { "x": 7 } } } });
    bob.patch(&diagram, &moved).await.body_of(StatusCode::OK).await;
    ann.publish(&workflow, Some(&seen)).await.problem(412, "stale").await;
    let (seen, list) = ann.changes(&workflow, "").await;
    assert_eq!(told(&list).last().unwrap(), "bob moved node A");
    assert_eq!(list["total"], 4);
    let (mut pages, mut query) = (Vec::new(), "?limit=3".to_owned());
    loop {
        let (_, page) = ann.changes(&workflow, &query).await;
        pages.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=3&cursor={cursor}");
    }
    assert_eq!(Value::Array(pages), list["items"]);
    ann.get(&place("changes?cursor=x")).await.problem(400, "malformed_query").await;

    let response = ann.publish(&workflow, Some(&seen)).await;
    let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let version = response.body_of(StatusCode::CREATED).await;
    assert_eq!(
        (&version["number"], &version["published"], &version["note"]),
        (&json!(1), &json!(true), &json!("first"))
    );
    assert_eq!(version["created_by"]["name"], "ann");
    assert_eq!(version["authors"].as_array().unwrap().len(), 2);
    assert_eq!(ann.changes(&workflow, "").await.1["items"], json!([]));

    let removed = json!({ "nodes": { "b": null } });
    bob.patch(&diagram, &removed).await.body_of(StatusCode::OK).await;
    let (_, list) = ann.changes(&workflow, "").await;
    assert_eq!(told(&list), ["bob removed edge A → B", "bob removed node B"], "labels of what is gone");
    bob.publish(&workflow, Some("*")).await.body_of(StatusCode::CREATED).await;

    let first = ann.get(&location).await.body_of(StatusCode::OK).await;
    assert_eq!((first["diagram"]["nodes"].as_array().unwrap().len(), &first["published"]), (2, &json!(false)));
    let list = ann.get(&place("versions")).await.body_of(StatusCode::OK).await;
    let numbers: Vec<_> = list["items"].as_array().unwrap().iter().map(|version| version["number"].clone()).collect();
    assert_eq!(numbers, [2, 1]);
    ann.get(&place("versions/9")).await.problem(404, "not_found").await;

    let last = bob.get(&place("authors?node=a")).await.body_of(StatusCode::OK).await;
    assert_eq!((&last["items"][0]["by"]["name"], &last["total"]), (&json!("bob"), &json!(1)));
    assert_eq!(bob.get(&place("authors?node=b")).await.body_of(StatusCode::OK).await["items"], json!([]));
    app.stop().await;
}

/// [TEN-1] Another tenant's versions and authors are not there.
#[tokio::test]
async fn versions_are_the_tenants_own() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.tenant("ann").await, app.tenant("eve").await);
    let workflow = ann.workflow("Flights").await;
    let diagram = format!("/api/v1/workflows/{workflow}/diagram");
    ann.request(Method::PUT, &diagram).json(&nodes(&["a"])).send().await.unwrap().body_of(StatusCode::OK).await;
    ann.publish(&workflow, Some("*")).await.body_of(StatusCode::CREATED).await;
    for what in ["changes", "authors", "versions", "versions/1"] {
        eve.get(&format!("/api/v1/workflows/{workflow}/{what}")).await.problem(404, "not_found").await;
    }
    eve.publish(&workflow, Some("*")).await.problem(404, "not_found").await;
    app.stop().await;
}
