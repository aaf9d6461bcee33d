//! Who counts as one when attempts to sign in are limited, and who is shut out by them.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::app::{Answer, Client, PASSWORD, TestApp};

/// A limit grows back in a minute: so slowly that a test, which is much faster, sees that it holds.
const NETWORK: u32 = 6;

async fn limited(trust_forwarded_for: bool, account: u32, everywhere: u32) -> TestApp {
    TestApp::with(|config| {
        config.server.trust_forwarded_for = trust_forwarded_for;
        config.auth.login_attempts_per_minute_per_account = account;
        config.auth.login_attempts_per_minute_per_account_everywhere = everywhere;
        config.auth.login_attempts_per_minute_per_address = NETWORK;
    })
    .await
}

/// Signs in as the balancer hands it on: from `hops`, with the cookies of a device.
async fn sign_in(client: &Client, email: &str, password: &str, hops: &str, cookies: &str) -> Response {
    let request =
        client.request(Method::POST, "/api/v1/auth/login").json(&json!({ "email": email, "password": password }));
    request.header("x-forwarded-for", hops).header(header::COOKIE, cookies).send().await.unwrap()
}

/// How many guesses are let through, one from each of `hops`, for an account of each.
async fn guesses(client: &Client, hops: impl Iterator<Item = String>, email: impl Fn(usize) -> String) -> u32 {
    let mut passed = 0;
    for (number, hops) in hops.enumerate() {
        let answer = sign_in(client, &email(number), "guess", &hops, "").await;
        match answer.status() {
            StatusCode::UNAUTHORIZED => passed += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                let wait: u64 = answer.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
                assert!((1..=60).contains(&wait), "{wait}");
            }
            status => panic!("{status} for a guess"),
        }
    }
    passed
}

/// [OPS-8] All of an IPv6 /64, and an IPv4 address in every form, is one network; a hop that a client has made up is
/// none.
#[tokio::test]
async fn a_network_counts_once() {
    let app = limited(true, 100, 100).await;
    let client = app.anonymous();
    let times = 2 * NETWORK as usize;
    let forms = ["5.5.5.5", "::ffff:5.5.5.5", "5.5.5.5:123", "\"5.5.5.5\"", "[::FFFF:505:505]:99"];
    for hops in [
        (0..times).map(|number| format!("2001:db8::{number:x}")).collect::<Vec<_>>(),
        (0..times).map(|number| format!("9.9.9.{number}, 6.6.6.6")).collect(),
        (0..times).map(|number| forms[number % forms.len()].to_owned()).collect(),
        (0..times).map(|number| format!("9.9.9.9, nonsense-{number}")).collect(),
    ] {
        let first = hops[0].clone();
        let passed = guesses(&client, hops.into_iter(), |number| format!("{number}@example.com")).await;
        assert!((NETWORK..2 * NETWORK).contains(&passed), "{passed} from {first} and its like");
    }
    app.stop().await;
}

/// [OPS-8] Without a balancer nobody chooses the address that they count as.
#[tokio::test]
async fn a_made_up_address_is_not_believed() {
    let app = limited(false, 100, 100).await;
    let hops = (0..2 * NETWORK).map(|number| format!("9.9.9.{number}"));
    let passed = guesses(&app.anonymous(), hops, |number| format!("{number}@example.com")).await;
    assert!((NETWORK..2 * NETWORK).contains(&passed), "{passed}");
    app.stop().await;
}

/// [AUTH-3] Who guesses from elsewhere does not shut out who knows the password, and gets no further by writing the
/// address differently.
#[tokio::test]
async fn strangers_do_not_shut_out_the_owner() {
    let app = limited(true, 2, 100).await;
    app.tenant("ann").await;
    let client = app.anonymous();
    let variants = ["ann@example.com", " Ann@example.com", "ANN@EXAMPLE.COM", "ann@example.com\u{a0}"];
    let hops = (0..NETWORK).map(|_| "8.8.8.8".to_owned());
    let passed = guesses(&client, hops, |number| variants[number % variants.len()].to_owned()).await;
    assert!((2..NETWORK).contains(&passed), "{passed}");
    sign_in(&client, "ann@example.com", PASSWORD, "7.7.7.7", "").await.body_of(StatusCode::OK).await;
    app.stop().await;
}

/// [AUTH-3] Those who guess from a great many networks are slowed down, and still do not shut out the owner on a device
/// that signed in before. The device has a limit of its own, and is a stranger to other accounts.
#[tokio::test]
async fn a_device_that_signed_in_before_is_no_stranger() {
    let app = limited(true, 1, 1).await;
    app.tenant("ann").await;
    app.tenant("bob").await;
    let client = app.anonymous();
    let answer = sign_in(&client, "ann@example.com", PASSWORD, "7.7.7.7", "").await;
    let cookie = answer.cookie("troupe_device");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let device = cookie.split(';').next().unwrap();

    for person in ["ann@example.com", "bob@example.com"] {
        guesses(&client, (0..3).map(|number| format!("8.8.8.{number}")), |_| person.to_owned()).await;
    }
    let with = async |cookie: &str| sign_in(&client, "ann@example.com", PASSWORD, "7.7.7.7", cookie).await.status();
    assert_eq!(with("").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(with(&format!("{device}x")).await, StatusCode::TOO_MANY_REQUESTS, "nobody makes a cookie up");
    let other = sign_in(&client, "bob@example.com", PASSWORD, "7.7.7.7", device).await;
    assert_eq!(other.status(), StatusCode::TOO_MANY_REQUESTS, "it is ann's");
    assert_eq!(with(device).await, StatusCode::OK);
    assert_eq!(with(device).await, StatusCode::TOO_MANY_REQUESTS);
    app.stop().await;
}

/// [OPS-8] Strangers in a network end nobody's sign-in there.
#[tokio::test]
async fn strangers_do_not_end_a_sign_in() {
    let app = limited(true, 100, 100).await;
    app.tenant("ann").await;
    let client = app.anonymous();
    let answer = sign_in(&client, "ann@example.com", PASSWORD, "7.7.7.7", "").await;
    let refresh = answer.cookie("troupe_refresh").split(';').next().unwrap();
    guesses(&client, (0..2 * NETWORK).map(|_| "7.7.7.7".to_owned()), |number| format!("{number}@example.com")).await;
    let request = client.request(Method::POST, "/api/v1/auth/refresh").header("x-forwarded-for", "7.7.7.7");
    request.header(header::COOKIE, refresh).send().await.unwrap().body_of(StatusCode::OK).await;
    app.stop().await;
}
