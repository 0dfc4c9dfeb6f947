//! The live page, in a browser.
//!
//! `CHAIN_PAGE_SECONDS` sets how long the page is watched for growth, and `CHAIN_PAGE_PICTURES` where its pictures go.
#![cfg(target_os = "linux")]

mod browser;
mod gateway;
mod long;
mod upstreams;
mod window;

#[path = "../../../../examples/gateway/admin.rs"]
#[allow(dead_code, reason = "the example's file is taken as it is, and not all of it is used here")]
mod admin;

use std::sync::atomic::Ordering;
use std::time::Duration;

use admin::Door;
use base64::Engine as _;
use browser::{Scheme, Tab};
use chain_runtime::telemetry::page::{HTML, POLICY};
use gateway::Gateway;
use http::StatusCode;
use processes::{LIMIT, within};
use serde_json::{Value, json};
use sha2::Digest as _;
use tokio::time::{Instant, sleep};

/// Quotas that no test meets by accident.
const GENEROUS: [&str; 6] = ["--rate", "1000000", "--burst", "1000000", "--failures", "1000000"];

/// The figure of a node's column, as the page shows it.
fn figure(node: &str, column: &str) -> String {
    format!(
        "[...document.querySelectorAll('.node')].find(line => line.querySelector('.name').textContent.startsWith('{node}'))\
         .children[2 + COLUMNS.indexOf('{column}')].lastChild.textContent"
    )
}

#[test]
fn the_policy_allows_the_page_and_nothing_else() {
    for tag in ["script", "style"] {
        let (_, rest) = HTML.split_once(&format!("<{tag}>")).expect("it is there");
        let (content, rest) = rest.split_once(&format!("</{tag}>")).expect("it ends");
        assert!(!rest.contains(&format!("<{tag}")), "there is one");
        let hash = base64::prelude::BASE64_STANDARD.encode(sha2::Sha256::digest(content));
        let allows = format!("{tag}-src 'sha256-{hash}'; ");
        assert!(POLICY.contains(&allows), "`POLICY` is of another page, and needs: {allows}");
    }
    assert!(
        !HTML.contains("http://") && !HTML.contains("https://") && !HTML.contains("//cdn"),
        "nothing from elsewhere"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_move_under_load() {
    let gateway = Gateway::start(&GENEROUS).await;
    let mut tab = Tab::open(&gateway.page).await;
    tab.until("document.getElementById('state').textContent === 'live'").await;
    tab.until(&format!("{} === '0'", figure("proxy", "rate"))).await;
    let load = gateway.load(4);
    tab.until(&format!("parseFloat({}) > 0", figure("proxy", "rate"))).await;
    for column in ["in, running", "in, waiting", "bytes"] {
        tab.until(&format!("/^[0-9.]+/.test({})", figure("proxy", column))).await;
    }
    // A way out; who breaks; who is cancelled.
    tab.until(&format!("/^[0-9.]+/.test({})", figure("log", "out, running"))).await;
    tab.until(&format!("parseFloat({}) > 0", figure("auth", "breaks"))).await;
    tab.until(&format!("parseFloat({}) > 0", figure("proxy", "cancels"))).await;
    let before = tab.value("figures.started").await;
    tab.until(&format!("figures.started > {before}")).await;
    // All that there is adds up: the heat of all nodes and of the chain is the whole.
    let shares = "Math.round([...document.querySelectorAll('.node')].reduce((sum, line) => sum + +line.style.getPropertyValue('--heat'), 0) * 20) / 20";
    for heat in ["run", "all", "bytes"] {
        tab.value(&format!("document.querySelector('[value={heat}]').click()")).await;
        tab.until(&format!("{shares} === 1")).await;
    }
    // Runs that failed and were slow are there, and open as waterfalls.
    for list in ["slowest", "failed"] {
        tab.until(&format!("document.querySelector('#{list} details') !== null")).await;
        tab.value(&format!("document.querySelector('#{list} summary').click()")).await;
        tab.until(&format!("document.querySelector('#{list} .track > i') !== null")).await;
    }
    drop(load);
    tab.until(&format!("{} === '0'", figure("proxy", "rate"))).await;
    assert_eq!(tab.complaints, Vec::<Value>::new());
    let foreign = tab.asked.iter().filter(|url| !url.starts_with(&gateway.page) && !url.starts_with("data:"));
    assert_eq!(foreign.collect::<Vec<_>>(), Vec::<&String>::new(), "nothing from elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toggle_switched_by_the_keyboard_changes_replies() {
    let gateway = Gateway::start(&["--rate", "1", "--burst", "1"]).await;
    while gateway.asks("/").await != StatusCode::TOO_MANY_REQUESTS {}
    let mut tab = Tab::open(&gateway.page).await;
    let state = "document.getElementById('toggle-ratelimit')?.getAttribute('aria-checked')";
    tab.until(&format!("{state} === 'true'")).await;
    let mut pressed = 0;
    while tab.value("document.activeElement.id").await != json!("toggle-ratelimit") {
        tab.press("Tab", 9, "").await;
        pressed += 1;
        assert!(pressed < 20, "the keyboard does not get there");
    }
    assert_eq!(tab.value("getComputedStyle(document.activeElement).outlineStyle").await, json!("solid"), "it is seen");
    tab.press(" ", 32, " ").await;
    tab.until(&format!("{state} === 'false'")).await;
    for _ in 0..10 {
        assert_eq!(gateway.asks("/").await, StatusCode::OK);
    }
    tab.until("[...document.querySelectorAll('.node')].some(line => line.textContent.includes('skipped'))").await;
    tab.press(" ", 32, " ").await;
    tab.until(&format!("{state} === 'true'")).await;
    while gateway.asks("/").await != StatusCode::TOO_MANY_REQUESTS {}
    // What others switch is seen, too.
    assert_eq!(
        tab.value("fetch('toggles/failures/off', { method: 'POST' }).then(reply => reply.status)").await,
        json!(200)
    );
    tab.until("document.getElementById('toggle-failures').getAttribute('aria-checked') === 'false'").await;
    assert_eq!(tab.complaints, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_forced_by_the_keyboard_is_seen_with_what_it_gives_up() {
    let gateway = Gateway::start(&[&GENEROUS[..], &["--max-concurrent", "37"]].concat()).await;
    let mut tab = Tab::open(&gateway.page).await;
    let level = "document.getElementById('level').textContent";
    tab.until(&format!("{level} === 'calm'")).await;
    let tile = |title: &str| {
        format!(
            "[...document.querySelectorAll('#admission div')].find(tile => tile.firstChild.textContent === '{title}')?.lastChild.textContent"
        )
    };
    tab.until(&format!("{} === '37'", tile("limit"))).await;
    let cells = "[...document.querySelectorAll('#matrix tbody tr')].map(row => [...row.children].map(cell => cell.textContent).slice(0, 6).join())";
    assert_eq!(tab.value(cells).await, json!(["log,runs,1/100,1/100,1/100,as declared"]));
    let mut pressed = 0;
    while tab.value("document.activeElement.id").await != json!("force-critical") {
        tab.press("Tab", 9, "").await;
        pressed += 1;
        assert!(pressed < 30, "the keyboard does not get there");
    }
    tab.press(" ", 32, " ").await;
    tab.until(&format!("{level} === 'critical, forced'")).await;
    tab.until("document.getElementById('force-critical').getAttribute('aria-pressed') === 'true'").await;
    tab.until(
        "[...document.querySelectorAll('#matrix .now')].map(cell => cell.textContent).join() === 'critical,1/100'",
    )
    .await;
    tab.until("document.querySelector('#moves li').textContent.endsWith('calm → critical: forced')").await;
    // What is given up is counted.
    let load = gateway.load(2);
    tab.until("+document.querySelector('#matrix tbody tr').lastChild.textContent.replace('k', '') > 0").await;
    drop(load);
    for (width, is_phone) in [(1280, false), (375, true), (320, true)] {
        tab.size(width, 900, is_phone).await;
        tab.until(&format!("innerWidth === {width}")).await;
        let wide = tab.value("[document.documentElement.scrollWidth, document.documentElement.clientWidth]").await;
        assert!(wide[0].as_u64() <= wide[1].as_u64(), "{width}: {wide} it scrolls to the side");
    }
    // What others force is seen, too.
    let others = "fetch('pressure/calm', { method: 'POST' }).then(reply => reply.status)";
    assert_eq!(tab.value(others).await, json!(200));
    tab.until(&format!("{level} === 'calm, forced'")).await;
    tab.value("document.getElementById('force-follow').click()").await;
    tab.until(&format!("{level} === 'calm'")).await;
    assert_eq!(tab.complaints, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_token_sees_and_switches() {
    let token = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(token.path(), "a-token-of-24-characters\n").expect("a file");
    let gateway = Gateway::start(&["--admin-token-file", token.path().to_str().expect("text")]).await;
    let mut tab = Tab::open(&gateway.page.replace("http://", "http://me:a-token-of-24-characters@")).await;
    tab.until("document.getElementById('toggle-ratelimit')?.getAttribute('aria-checked') === 'true'").await;
    tab.until("document.getElementById('notice').textContent.includes('token')").await;
    tab.value("document.getElementById('toggle-ratelimit').click()").await;
    tab.until("document.getElementById('toggle-ratelimit').getAttribute('aria-checked') === 'false'").await;
    assert_eq!(tab.complaints, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_grow_under_load() {
    let seconds = std::env::var("CHAIN_PAGE_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(40);
    let gateway = Gateway::start(&GENEROUS).await;
    let load = gateway.load(4);
    let mut tab = Tab::open(&gateway.page).await;
    tab.until("document.querySelectorAll('#failed details').length === 8").await;
    tab.until("document.querySelectorAll('#slowest details').length === 8").await;
    // The curve is full after two minutes, and its points are all that may come until then.
    sleep(Duration::from_secs(seconds / 4)).await;
    let began = (tab.holds().await, gateway.kilobytes());
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        sleep(Duration::from_secs(5)).await;
        let (heap, nodes) = tab.holds().await;
        println!("heap {heap} bytes, {nodes} nodes, gateway {} kB", gateway.kilobytes());
    }
    let ended = (tab.holds().await, gateway.kilobytes());
    println!("{seconds} s, {} replies: {began:?} {ended:?}", load.replies.load(Ordering::Relaxed));
    let ((heap, nodes), kilobytes) = began;
    assert!(ended.0.0 < heap + (128 << 10), "the page's heap: {heap}, and then {}", ended.0.0);
    // Waterfalls are drawn where they are opened; of those that are closed, as many are there as at first.
    assert!(ended.0.1 < nodes + 500, "nodes of the document: {nodes}, and then {}", ended.0.1);
    assert!(ended.1 < kilobytes + (16 << 10), "kilobytes of the gateway: {kilobytes}, and then {}", ended.1);
    assert_eq!(tab.complaints, Vec::<Value>::new());

    tab.size(1280, 1900, false).await;
    tab.value("document.querySelector('#slowest summary').click()").await;
    tab.until("document.querySelector('#slowest .track > i') !== null").await;
    for (scheme, name) in [(Scheme::Light, "page.png"), (Scheme::Dark, "page-dark.png")] {
        tab.prefers(scheme).await;
        tab.picture(name).await;
    }
}

/// Opens the page of the 37 nodes when all of it is there.
async fn long_tab(page: &str) -> Tab {
    let mut tab = Tab::open(page).await;
    tab.until("document.querySelectorAll('.node').length === 38").await;
    tab.until(
        "document.querySelector('#slowest details') !== null && document.querySelector('#failed details') !== null",
    )
    .await;
    tab.value("document.querySelectorAll('summary').forEach(summary => summary.click())").await;
    tab.until("document.querySelector('.track > i') !== null").await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_seven_nodes_are_readable_on_a_desk_and_on_a_phone() {
    let (page, _running) = long::serve(Door::open(), vec![upstreams::busy()]).await;
    let mut tab = long_tab(&page).await;
    tab.until("figures.seconds > 4").await;
    for (width, is_phone) in [(1440, false), (1280, false), (1060, false), (768, false), (375, true), (320, true)] {
        tab.size(width, 900, is_phone).await;
        tab.until(&format!("innerWidth === {width}")).await;
        let wide = tab.value("[document.documentElement.scrollWidth, document.documentElement.clientWidth]").await;
        assert!(wide[0].as_u64() <= wide[1].as_u64(), "{width}: {wide} it scrolls to the side");
        // No figure covers another, and none is cut off, also where all are as wide as they can be.
        let covered = tab
            .value(
                "parts.forEach(({ cells }) => cells.forEach(({ cell, value }, at) => {
                    value.textContent = at === 0 ? '88.8k' : at < 5 ? '88.8µs 8.88ms' : at === 5 ? '1023 KiB' : '8.88k';
                    cell.classList.remove('never');
                }));
                [...document.querySelectorAll('.line')].flatMap(line => {
                    const cells = [...line.children].filter(cell => cell.getClientRects().length && cell.textContent);
                    const boxes = cells.map(cell => cell.getBoundingClientRect());
                    return cells.filter((cell, at) => cell.scrollWidth > cell.clientWidth + 1 && getComputedStyle(cell).display !== 'inline'
                        || boxes.some((box, other) => other > at && box.left < boxes[at].right - 1 && box.right > boxes[at].left + 1
                            && box.top < boxes[at].bottom - 1 && box.bottom > boxes[at].top + 1)).map(cell => cell.textContent);
                })",
            )
            .await;
        assert_eq!(covered, json!([]), "{width}: these cover others, or are cut off");
    }
    // Each figure says what it is, and is as it was a second later.
    tab.until("![...document.querySelectorAll('.node')].some(line => line.textContent.includes('1023 KiB'))").await;
    tab.size(375, 812, true).await;
    assert_eq!(tab.value("getComputedStyle(document.querySelector('.titles')).display").await, json!("none"));
    assert_eq!(
        tab.value("document.querySelector('.node .figure .label').getBoundingClientRect().width > 10").await,
        json!(true)
    );
    tab.value("document.getElementById('toggles').scrollIntoView()").await;
    tab.picture("page-phone.png").await;
    // The arms of a branch are told apart.
    tab.until("[...document.querySelectorAll('.arm code')].map(arm => arm.textContent).filter(arm => arm.startsWith('Kind::Write')).length === 2").await;
    assert_eq!(tab.complaints, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn text_stands_out_in_light_and_in_dark() {
    let (page, _running) = long::serve(Door::open(), vec![upstreams::busy()]).await;
    let mut tab = long_tab(&page).await;
    tab.until("document.querySelector('.badge') !== null").await;
    let mut backs = Vec::new();
    for scheme in [Scheme::Light, Scheme::Dark] {
        tab.prefers(scheme).await;
        let faint = tab
            .value(
                "(() => {
                    const light = colour => {
                        const parts = colour.match(/[0-9.]+/g).map(Number);
                        return parts.slice(0, 3).map(part => part / 255).map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
                            .reduce((sum, part, at) => sum + part * [.2126, .7152, .0722][at], 0);
                    };
                    const back = place => {
                        for (; place; place = place.parentElement) {
                            const colour = getComputedStyle(place).backgroundColor;
                            if (!/, 0\\)$/.test(colour)) return colour;
                        }
                        return 'rgb(255, 255, 255)';
                    };
                    const faint = new Set();
                    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                    while (texts.nextNode()) {
                        const place = texts.currentNode.parentElement;
                        if (!texts.currentNode.data.trim() || ['SCRIPT', 'NOSCRIPT'].includes(place.tagName)) continue;
                        const [a, b] = [light(getComputedStyle(place).color), light(back(place))].sort((a, b) => b - a);
                        const contrast = (a + .05) / (b + .05);
                        if (contrast < 4.5) faint.add(texts.currentNode.data.trim() + ' ' + contrast.toFixed(2));
                    }
                    return [...faint];
                })()",
            )
            .await;
        // 4.5 is what WCAG 2.2 asks for (1.4.3, AA).
        assert_eq!(faint, json!([]), "{scheme:?}: these are hard to read");
        backs.push(tab.value("getComputedStyle(document.body).backgroundColor").await);
    }
    assert_ne!(backs[0], backs[1], "there are two schemes");
}
