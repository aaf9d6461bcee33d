//! Against a server on this machine, which is a private address: the guard's own test subject.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::Redirect,
    routing::{get, post},
};
use reqwest::{Method, Url};
use tokio::{net::TcpListener, task::JoinSet};
use troupe_model::NodeFailure;

use super::*;

/// The server lives as long as the `JoinSet`.
async fn serve(app: Router) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, tasks)
}

fn get_request(url: &str) -> Request {
    Request {
        method: Method::GET,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: None,
        timeout: Duration::from_secs(10),
    }
}

async fn refusal(egress: &Egress, url: &str) -> NodeFailure {
    egress.send(get_request(url)).await.expect_err(url).into()
}

/// [NODE-35] By number, by disguise, and by name.
#[tokio::test]
async fn private_addresses_are_refused() {
    let egress = Egress::new(false).unwrap();
    let urls = [
        "http://127.0.0.1:1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:1/",
        "https://localhost/",
    ];
    for url in urls {
        assert_eq!(refusal(&egress, url).await.code, "address_blocked", "{url}");
    }
    let told = refusal(&egress, "http://localhost:1/").await.message;
    assert!(!told.contains("127.0.0.1") && !told.contains("::1"), "what a name resolves to is not told: {told}");
    assert_eq!(refusal(&egress, "ftp://example.org/").await.code, "invalid_url");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unreachable() {
    let egress = Egress::new(true).unwrap();
    let failure = refusal(&egress, "http://127.0.0.1:1/").await;
    assert_eq!((failure.code.as_str(), failure.retryable), ("unreachable", true));
    let failure = refusal(&egress, "http://no-such-host.invalid/").await;
    assert_eq!((failure.code.as_str(), failure.retryable), ("unreachable", true));
    assert!(failure.reason.unwrap().contains("no-such-host.invalid"));
}

#[tokio::test]
async fn redirects_are_followed_and_each_is_checked() {
    let app = Router::new()
        .route("/once", get(|| async { Redirect::temporary("/end") }))
        .route("/file", get(|| async { Redirect::temporary("ftp://example.org/x") }))
        .route("/round", get(|| async { Redirect::temporary("/round") }))
        .route("/posted", post(|| async { Redirect::to("/end") }))
        .route("/end", get(|| async { "there" }));
    let (address, _server) = serve(app).await;
    let egress = Egress::new(true).unwrap();
    let response = egress.send(get_request(&format!("http://{address}/once"))).await.unwrap();
    assert_eq!((response.url.path(), response.body.as_slice()), ("/end", b"there".as_slice()));
    let post =
        Request { method: Method::POST, body: Some("x".into()), ..get_request(&format!("http://{address}/posted")) };
    assert_eq!(egress.send(post).await.unwrap().status, StatusCode::OK);
    assert_eq!(refusal(&egress, &format!("http://{address}/round")).await.code, "too_many_redirects");
    assert_eq!(refusal(&egress, &format!("http://{address}/file")).await.code, "invalid_url");
}

/// [NODE-35] A public site cannot send us to a private one: the guard looks at each step, with the same eyes.
#[test]
fn a_redirect_to_a_private_address_is_refused() {
    let egress = Egress::new(false).unwrap();
    let request = get_request("http://93.184.216.34/");
    let headers = HeaderMap::from_iter([(header::LOCATION, "http://127.0.0.1/".parse().unwrap())]);
    let next = redirect::next(&request, StatusCode::FOUND, &headers).unwrap().unwrap();
    assert!(egress.check(&request.url).is_ok());
    assert!(matches!(egress.check(&next.url), Err(EgressError::Blocked(_))));
}

#[test]
fn a_redirect_to_another_site_takes_no_secrets_along() {
    let mut request = get_request("https://one.example/");
    request.headers.insert("x-api-key", "secret".parse().unwrap());
    request.headers.insert(header::ACCEPT, "text/plain".parse().unwrap());
    let to = |location: &str| {
        let headers = HeaderMap::from_iter([(header::LOCATION, location.parse().unwrap())]);
        redirect::next(&request, StatusCode::FOUND, &headers).unwrap().unwrap().headers
    };
    assert_eq!(to("/other").len(), 2);
    assert_eq!(to("https://two.example/").len(), 1);
    assert!(to("http://one.example/").get("x-api-key").is_none());
}

#[tokio::test]
async fn a_response_is_bounded_in_size_and_time() {
    let app = Router::new()
        .route("/large", get(|| async { vec![b'x'; 10_000] }))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_secs(30)).await }));
    let (address, _server) = serve(app).await;
    let egress = Egress::new(true).unwrap().with_response_bytes_max(9_999);
    assert_eq!(refusal(&egress, &format!("http://{address}/large")).await.code, "response_too_large");
    let begin = Instant::now();
    let slow = Request { timeout: Duration::from_millis(200), ..get_request(&format!("http://{address}/slow")) };
    let failure: NodeFailure = egress.send(slow).await.unwrap_err().into();
    assert_eq!((failure.code.as_str(), failure.retryable), ("request_timeout", true));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

/// A small compressed body may not become a large one.
#[tokio::test]
async fn a_compressed_response_is_bounded_by_its_real_size() {
    let app = Router::new().route(
        "/",
        get(|| async {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut packer, &vec![0; 5_000_000]).unwrap();
            ([(header::CONTENT_ENCODING, "gzip")], packer.finish().unwrap())
        }),
    );
    let (address, _server) = serve(app).await;
    let egress = Egress::new(true).unwrap().with_response_bytes_max(1_000_000);
    assert_eq!(refusal(&egress, &format!("http://{address}/")).await.code, "response_too_large");
}
