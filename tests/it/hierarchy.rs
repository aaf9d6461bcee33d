//! Workspaces, folders, jobs, workflows: life and isolation.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp};

fn node(id: &str, node_type: &str, config: Value) -> Value {
    json!({ "id": id, "data": { "label": id, "nodeType": node_type, "config": config } })
}

fn diagram() -> Value {
    json!({
        "nodes": [node("read", "read_file", json!({ "path": "a.csv" })), node("top", "limit", json!({ "rows": 3 }))],
        "edges": [{ "id": "e", "source": "read", "target": "top" }],
    })
}

/// [HIER-1] Each resource: create, read, change, list, delete.
#[tokio::test]
async fn resources_live_and_die() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workspace = ann.create("/api/v1/workspaces", json!({ "name": "Sales" })).await;
    let folder = ann.create("/api/v1/folders", json!({ "workspace_id": workspace, "name": "2026" })).await;
    let job =
        ann.create("/api/v1/jobs", json!({ "workspace_id": workspace, "folder_id": folder, "name": "Nightly" })).await;
    let body = json!({
        "workspace_id": workspace, "folder_id": folder, "job_id": job, "name": "Load", "tags": ["etl"],
        "parameters": { "day": "today" },
    });
    let workflow = ann.create("/api/v1/workflows", body).await;
    for (kind, id) in [("workspaces", &workspace), ("folders", &folder), ("jobs", &job), ("workflows", &workflow)] {
        let path = format!("/api/v1/{kind}/{id}");
        let changed = ann.patch(&path, &json!({ "name": "Renamed" })).await.body_of(StatusCode::OK).await;
        assert_eq!(changed["name"], "Renamed");
        assert_eq!(ann.get(&path).await.body_of(StatusCode::OK).await, changed);
        let list = ann.get(&format!("/api/v1/{kind}?q=RENAM&total=true")).await.body_of(StatusCode::OK).await;
        assert_eq!(list, json!({ "items": [changed], "next_cursor": null, "total": 1 }));
    }
    let moved = ann.patch(&format!("/api/v1/workflows/{workflow}"), &json!({ "folder_id": null })).await;
    assert_eq!(moved.body_of(StatusCode::OK).await["folder_id"], Value::Null);
    for (kind, id) in [("workflows", &workflow), ("jobs", &job), ("folders", &folder), ("workspaces", &workspace)] {
        let path = format!("/api/v1/{kind}/{id}");
        assert_eq!(ann.delete(&path).await.status(), StatusCode::NO_CONTENT);
        ann.get(&path).await.problem(404, "not_found").await;
        ann.delete(&path).await.problem(404, "not_found").await;
    }
    app.stop().await;
}

/// [HIER-3] Lists go on where they ended.
#[tokio::test]
async fn lists_are_paged() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    for name in ["a", "b", "c"] {
        ann.create("/api/v1/workspaces", json!({ "name": name })).await;
    }
    let first = ann.get("/api/v1/workspaces?limit=2&sort=name").await.body_of(StatusCode::OK).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/api/v1/workspaces?limit=2&sort=name&cursor={cursor}");
    let rest = ann.get(&path).await.body_of(StatusCode::OK).await;
    assert_eq!((&rest["items"][0]["name"], &rest["next_cursor"]), (&json!("c"), &Value::Null));
    for (query, code) in [
        ("limit=201", "malformed_query"),
        ("limit=x", "malformed_query"),
        ("sort=color", "unknown_sort"),
        ("cursor=zz", "malformed_cursor"),
    ] {
        ann.get(&format!("/api/v1/workspaces?{query}")).await.problem(400, code).await;
    }
    app.stop().await;
}

/// [SYNC-14] REST edits are canvas edits; `If-Match` refuses a lost update.
#[tokio::test]
async fn diagrams_are_edited_by_revision() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let path = format!("/api/v1/workflows/{}/diagram", ann.workflow("w").await);
    let put = ann.request(Method::PUT, &path).json(&diagram()).send().await.unwrap();
    let revision = put.headers()[header::ETAG].to_str().unwrap().to_owned();
    let stored = put.body_of(StatusCode::OK).await;
    assert_eq!(stored["nodes"].as_array().unwrap().len(), 2);

    let patch = json!({ "nodes": { "top": { "data": { "config": { "rows": 9 } } } }, "edges": { "e": null } });
    let edit = |revision: &str| ann.request(Method::PATCH, &path).header(header::IF_MATCH, revision).json(&patch);
    let edited = edit(&revision).send().await.unwrap();
    let next = edited.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert_ne!(next, revision);
    let edited = edited.body_of(StatusCode::OK).await;
    assert_eq!((&edited["nodes"][1]["data"]["config"]["rows"], &edited["edges"]), (&json!(9), &json!([])));
    edit(&revision).send().await.unwrap().problem(412, "stale").await;

    let read = ann.get(&path).await;
    assert_eq!(read.headers()[header::ETAG].to_str().unwrap(), next);
    assert_eq!(read.body_of(StatusCode::OK).await, edited);
    app.stop().await;
}

/// [SYNC-14] What was read can be written back as it was sent, and nothing changes: not the last bit of a number.
#[tokio::test]
async fn a_diagram_written_back_is_no_edit() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let path = format!("/api/v1/workflows/{}/diagram", ann.workflow("w").await);
    let mut numbers = diagram();
    numbers["nodes"][0]["data"]["config"]["numbers"] =
        json!([7.777177777777777e46, 0.1 + 0.2, f64::MIN_POSITIVE, -0.0]);
    ann.request(Method::PUT, &path).json(&numbers).send().await.unwrap().body_of(StatusCode::OK).await;
    let read = ann.get(&path).await;
    let revision = read.headers()[header::ETAG].clone();
    let sent = read.text().await.unwrap();
    let put = ann.request(Method::PUT, &path).header(header::CONTENT_TYPE, "application/json").body(sent.clone());
    let put = put.send().await.unwrap();
    assert_eq!(put.headers()[header::ETAG], revision);
    assert_eq!(put.text().await.unwrap(), sent);
    app.stop().await;
}

/// [SYNC-14, API-2] What is no diagram, and no patch of one, is refused with its place: it does not empty the canvas.
#[tokio::test]
async fn what_is_no_diagram_changes_nothing() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let path = format!("/api/v1/workflows/{}/diagram", ann.workflow("w").await);
    ann.request(Method::PUT, &path).json(&diagram()).send().await.unwrap();
    let before = ann.get(&path).await.body_of(StatusCode::OK).await;
    let node = json!({ "id": "n", "data": { "nodeType": "limit" } });
    for (method, body, place) in [
        (Method::PUT, json!([]), ""),
        (Method::PUT, json!([[]]), ""),
        (Method::PUT, json!({}), "/nodes"),
        (Method::PUT, json!({ "node": [node] }), "/nodes"),
        (Method::PUT, json!({ "nodes": [["n", "custom-node", {}, { "nodeType": "limit" }]] }), "/nodes/0"),
        (Method::PUT, json!({ "nodes": [node], "edges": [["e", "custom-edge", "n", "n"]] }), "/edges/0"),
        (Method::PATCH, json!([{ "top": null }, null]), ""),
        (Method::PATCH, json!({ "nodes": { "top": 7 } }), "/nodes/top"),
        (Method::PATCH, json!({ "nodes": { "top": [1] } }), "/nodes/top"),
        (Method::PATCH, json!({ "nodes": { "top": { "data": ["Top", "limit"] } } }), "/nodes/top/data"),
        (Method::PATCH, json!({ "nodes": { "a/b": { "data": {} } } }), "/nodes/a~1b/data/nodeType"),
        (Method::PATCH, json!({ "nodes": { "": node } }), "/nodes/"),
        (Method::PATCH, json!({ "edges": { "e": { "source": "nobody" } } }), "/edges/e/source"),
    ] {
        let problem = ann
            .request(method, &path)
            .json(&body)
            .send()
            .await
            .unwrap()
            .body_of(StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert_eq!(problem["errors"][0]["pointer"], place, "{body}: {problem}");
        let told = [&problem["solution"], &problem["errors"][0]["solution"]];
        assert!(told.iter().any(|solution| solution.is_string()), "{body}: {problem}");
    }
    assert_eq!(ann.get(&path).await.body_of(StatusCode::OK).await, before);
    app.stop().await;
}

/// [CANVAS-8, SYNC-17] An import that the canvas has no room for leaves no empty workflow behind.
#[tokio::test]
async fn an_import_without_room_leaves_nothing() {
    let app = TestApp::with(|config| config.limits.canvas_bytes_max = 100_000).await;
    let ann = app.tenant("ann").await;
    let workspace = ann.create("/api/v1/workspaces", json!({ "name": "x" })).await;
    let mut large = diagram();
    large["nodes"][0]["data"]["label"] = "x".repeat(200_000).into();
    let file = json!({ "format_version": 1, "name": "large", "diagram": large });
    let import = json!({ "workspace_id": workspace, "file": file });
    ann.post("/api/v1/workflows/import", &import).await.problem(413, "canvas_too_large").await;
    let left = ann.get(&format!("/api/v1/workflows?workspace_id={workspace}")).await.body_of(StatusCode::OK).await;
    assert_eq!(left["items"], json!([]));
    app.stop().await;
}

/// [CANVAS-8] What is exported can be imported; a bad file is told every problem at once.
/// [CANVAS-3] The dependencies of a file are not believed.
#[tokio::test]
async fn exports_and_imports() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("Top three").await;
    let path = format!("/api/v1/workflows/{workflow}");
    ann.request(Method::PUT, &format!("{path}/diagram")).json(&diagram()).send().await.unwrap();
    let export = ann.get(&format!("{path}/export")).await;
    assert_eq!(export.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"top-three.wflow.json\"");
    let file = export.body_of(StatusCode::OK).await;
    assert_eq!(file["dependencies"], json!({ "read": [], "top": ["read"] }));

    let workspace = ann.create("/api/v1/workspaces", json!({ "name": "Other" })).await;
    let import = |file: &Value| json!({ "workspace_id": workspace, "file": file });
    let mut lying = file.clone();
    lying["dependencies"] = json!({ "read": ["top"] });
    let imported = ann.post("/api/v1/workflows/import", &import(&lying)).await.body_of(StatusCode::CREATED).await;
    assert_eq!(imported["diagnostics"][0]["code"], "file_not_found", "{imported}");
    let copy = format!("/api/v1/workflows/{}/export", imported["id"].as_str().unwrap());
    assert_eq!(ann.get(&copy).await.body_of(StatusCode::OK).await, file);

    let mut bad = file.clone();
    bad["format_version"] = json!(99);
    bad["name"] = json!("");
    bad["diagram"]["edges"][0]["target"] = json!("nowhere");
    let problem = ann.post("/api/v1/workflows/import", &import(&bad)).await.problem(422, "invalid_diagram").await;
    let mut pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/file/diagram/edges/0/target", "/file/format_version", "/file/name"]);
    app.stop().await;
}

/// [CANVAS-8] What has not the shape of a file is told in the same answer as all the rest: where, what, what to do.
#[tokio::test]
async fn an_import_tells_every_problem_at_once() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workspace = ann.create("/api/v1/workspaces", json!({ "name": "W" })).await;
    let file = json!({
        "format_version": 99, "name": "", "tags": "none", "parameters": { "a b": 1 }, "colour": "red",
        "diagram": {
            "nodes": [{ "id": 1, "data": {} }, { "id": "a", "data": { "nodeType": "limit" } }, { "id": "a" }],
            "edges": [{ "id": "e", "source": "a", "target": "nowhere" }, { "id": "f", "source": "a" }],
        },
    });
    let import = json!({ "workspace_id": workspace, "file": file });
    let problem = ann.post("/api/v1/workflows/import", &import).await.problem(422, "invalid_diagram").await;
    let errors = problem["errors"].as_array().unwrap();
    let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/file/colour",
            "/file/diagram/edges/0/target",
            "/file/diagram/edges/1/target",
            "/file/diagram/nodes/0/data/nodeType",
            "/file/diagram/nodes/0/id",
            "/file/diagram/nodes/2/data",
            "/file/diagram/nodes/2/id",
            "/file/format_version",
            "/file/name",
            "/file/parameters",
            "/file/tags",
        ]
    );
    for error in errors {
        assert!(
            error["detail"].as_str().unwrap().len() > 3 && error["solution"].as_str().unwrap().len() > 3,
            "{error}"
        );
    }
    assert_eq!(ann.get("/api/v1/workflows?total=true").await.body_of(StatusCode::OK).await["total"], 0);
    app.stop().await;
}

/// [CANVAS-8] [SEC-2] No secret is in an export; it says what it left out; who imports it is told what to fill in, and
/// nothing runs before.
#[tokio::test]
async fn an_export_holds_no_secret() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workspace = ann.create("/api/v1/workspaces", json!({ "name": "W" })).await;
    let new = json!({ "workspace_id": workspace, "name": "Call", "parameters": { "api_token": "hunter2", "rows": 3 } });
    let workflow = ann.create("/api/v1/workflows", new).await;
    let path = format!("/api/v1/workflows/{workflow}");
    let config = json!({
        "url": "https://ann:hunter2@example.org/?token=hunter2",
        "headers": { "Authorization": "Bearer hunter2", "Accept": "text/csv" },
    });
    let diagram = json!({ "nodes": [node("call", "http_request", config.clone())] });
    let put = ann.request(Method::PUT, &format!("{path}/diagram")).json(&diagram).send().await.unwrap();
    assert_eq!(put.body_of(StatusCode::OK).await["nodes"][0]["data"]["config"], config, "who edits it sees it");

    let file = ann.get(&format!("{path}/export")).await.body_of(StatusCode::OK).await;
    assert!(!file.to_string().contains("hunter2"), "{file}");
    let exported = &file["diagram"]["nodes"][0]["data"]["config"];
    assert_eq!(exported["headers"], json!({ "Authorization": "{{secret}}", "Accept": "text/csv" }));
    let at = |place: &str| json!(format!("/diagram/nodes/0/data/config/{place}"));
    assert_eq!(file["left_out"], json!(["/parameters/api_token", at("headers/Authorization"), at("url")]));

    let import = json!({ "workspace_id": workspace, "file": file });
    let imported = ann.post("/api/v1/workflows/import", &import).await.body_of(StatusCode::CREATED).await;
    let told: Vec<_> = imported["diagnostics"].as_array().unwrap().iter().collect();
    let places: Vec<_> = told.iter().map(|told| (&told["code"], &told["field"])).collect();
    let missing = json!("missing_credential");
    assert_eq!(places, [(&missing, &json!("/headers/Authorization")), (&missing, &json!("/url"))]);
    let runs = format!("/api/v1/workflows/{}/runs", imported["id"].as_str().unwrap());
    let refused = ann.request(Method::POST, &runs).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    app.stop().await;
}

/// [CANVAS-4] What is told of a condition follows the workflow's parameters, as it follows the diagram.
#[tokio::test]
async fn a_missing_parameter_is_told_until_it_is_there() {
    let app = TestApp::start().await;
    let ann = app.tenant("ann").await;
    let workflow = ann.workflow("w").await;
    let path = format!("/api/v1/workflows/{workflow}");
    let nodes = json!([
        node("read", "manual_trigger", json!({})),
        node("if", "if", json!({ "condition": "input.rows > parameters.limit" })),
    ]);
    let diagram = json!({ "nodes": nodes, "edges": [{ "id": "e", "source": "read", "target": "if" }] });
    ann.request(Method::PUT, &format!("{path}/diagram")).json(&diagram).send().await.unwrap();
    let codes = async || {
        let analysis = ann.request(Method::POST, &format!("{path}/validate")).send().await.unwrap();
        let analysis = analysis.body_of(StatusCode::OK).await;
        let codes = analysis["diagnostics"].as_array().unwrap().iter().map(|found| found["code"].to_string());
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes().await, ["\"unknown_parameter\""]);
    for (parameters, told) in [(json!({ "limit": 3 }), 0), (json!({ "limits": 3 }), 1)] {
        ann.patch(&path, &json!({ "parameters": parameters })).await.body_of(StatusCode::OK).await;
        assert_eq!(codes().await.len(), told, "{parameters}");
    }
    app.stop().await;
}

/// Every path below `/api/v1` that names an object, with the methods it has.
async fn objects(ann: &Client) -> Vec<(Method, String)> {
    let workspace = ann.create("/api/v1/workspaces", json!({ "name": "W" })).await;
    let folder = ann.create("/api/v1/folders", json!({ "workspace_id": workspace, "name": "F" })).await;
    let job = ann.create("/api/v1/jobs", json!({ "workspace_id": workspace, "name": "J" })).await;
    let workflow = ann.create("/api/v1/workflows", json!({ "workspace_id": workspace, "name": "N" })).await;
    let trigger = json!({ "nodes": [node("start", "manual_trigger", json!({}))] });
    ann.request(Method::PUT, &format!("/api/v1/workflows/{workflow}/diagram")).json(&trigger).send().await.unwrap();
    let started = ann.request(Method::POST, &format!("/api/v1/workflows/{workflow}/runs")).send().await.unwrap();
    let run = started.body_of(StatusCode::ACCEPTED).await["id"].as_str().unwrap().to_owned();
    let versions = format!("/api/v1/workflows/{workflow}/versions");
    let published = ann.request(Method::POST, &versions).header("If-Match", "*").json(&json!({})).send().await.unwrap();
    assert_eq!(published.body_of(StatusCode::CREATED).await["number"], 1);
    let description = ann.get("/api/openapi.json").await.body_of(StatusCode::OK).await;
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let concrete = path
            .replace("{workspace}", &workspace)
            .replace("{folder}", &folder)
            .replace("{job}", &job)
            .replace("{workflow}", &workflow)
            .replace("{run}", &run)
            .replace("{number}", "1")
            .replace("{node}", "start")
            .replace("{user}", ann.session["user"]["id"].as_str().unwrap());
        assert!(!concrete.contains('{'), "{path}");
        if concrete != *path {
            let methods = item.as_object().unwrap().keys();
            found.extend(methods.map(|method| (method.to_uppercase().parse().unwrap(), concrete.clone())));
        }
    }
    found
}

fn body_for(path: &str, method: &Method) -> Value {
    match (method, path.ends_with("/diagram")) {
        (&Method::PUT, true) => json!({ "nodes": [], "edges": [] }),
        (&Method::PATCH, true) => json!({ "nodes": {} }),
        (&Method::PATCH, false) => json!({ "name": "stolen" }),
        _ => json!({}),
    }
}

/// [TEN-1] Another tenant finds nothing at any endpoint, and its lists are empty.
#[tokio::test]
async fn tenants_do_not_see_one_another() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.tenant("ann").await, app.tenant("eve").await);
    let objects = objects(&ann).await;
    assert!(objects.len() >= 24, "{objects:?}");
    for (method, path) in &objects {
        let request = eve.request(method.clone(), path).json(&body_for(path, method));
        request.send().await.unwrap().problem(404, "not_found").await;
    }
    for list in ["workspaces", "folders", "jobs", "workflows", "runs"] {
        let found = eve.get(&format!("/api/v1/{list}?total=true")).await.body_of(StatusCode::OK).await;
        assert_eq!(found, json!({ "items": [], "next_cursor": null, "total": 0 }), "{list}");
        let kept = ann.get(&format!("/api/v1/{list}?total=true")).await.body_of(StatusCode::OK).await;
        assert_eq!(kept["total"], 1, "{list}");
        assert_ne!(kept["items"][0]["name"], "stolen");
    }
    // To put something of one's own into another tenant's workspace is no way in either.
    let workspace = ann.get("/api/v1/workspaces").await.body_of(StatusCode::OK).await["items"][0]["id"].clone();
    for kind in ["folders", "jobs", "workflows"] {
        let body = json!({ "workspace_id": workspace, "name": "mine" });
        eve.post(&format!("/api/v1/{kind}"), &body).await.problem(422, "no_such_parent").await;
    }
    let import = json!({ "workspace_id": workspace, "file": { "format_version": 1, "name": "x", "diagram": {} } });
    eve.post("/api/v1/workflows/import", &import).await.problem(422, "no_such_parent").await;
    let (_, path) = objects.iter().find(|(_, path)| path.ends_with("/export")).unwrap();
    let workflow = path.split('/').nth(4).unwrap();
    let ticket = json!({ "purpose": "collab", "workflow_id": workflow });
    eve.post("/api/v1/auth/tickets", &ticket).await.problem(404, "not_found").await;
    app.stop().await;
}
