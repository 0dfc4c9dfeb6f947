//! A headless Chromium, driven over its DevTools protocol: one process and one tab for each test.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::{LIMIT, within};

/// A tab that shows a page. Dropped, its browser is killed.
pub(crate) struct Tab {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: String,
    next: u64,
    /// What the page was refused, threw or complained of.
    pub(crate) complaints: Vec<Value>,
    /// All that it asked for.
    pub(crate) asked: Vec<String>,
    _browser: Child,
    _profile: TempDir,
}

/// Which colours the browser's user prefers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Tab {
    /// Opens this page. `CHROMIUM` names another browser than the one on the `PATH`.
    pub(crate) async fn open(url: &str) -> Self {
        let profile = TempDir::new().expect("a directory for the browser");
        let mut command = Command::new(std::env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into()));
        // Its sandbox does not work for root, and what it shows is ours.
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut browser = command.spawn().expect("chromium is installed");
        let mut stderr = BufReader::new(browser.stderr.take().expect("stderr is piped")).lines();
        let at = within("the browser", async {
            loop {
                let line = stderr.next_line().await.expect("text").expect("the browser lives");
                if let Some(at) = line.strip_prefix("DevTools listening on ") {
                    return at.to_owned();
                }
            }
        })
        .await;
        // What it has to say besides is of no interest, and must not block it.
        tokio::spawn(async move { while let Ok(Some(_)) = stderr.next_line().await {} });
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = connect_async_with_config(&at, Some(config), true).await.expect("the DevTools protocol");
        let mut tab = Self {
            socket,
            session: String::new(),
            next: 0,
            complaints: Vec::new(),
            asked: Vec::new(),
            _browser: browser,
            _profile: profile,
        };
        let target = tab.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attached =
            tab.call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true })).await;
        tab.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network", "Performance"] {
            tab.call(&format!("{domain}.enable"), json!({})).await;
        }
        tab.size(1280, 900, false).await;
        tab.call("Page.navigate", json!({ "url": url })).await;
        tab.until("document.readyState === 'complete'").await;
        tab
    }

    /// Calls a method of the protocol.
    pub(crate) async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut call = json!({ "id": id, "method": method, "params": parameters });
        if !self.session.is_empty() {
            call["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(call.to_string())).await.expect("the browser lives");
        let mut answer = within(method, async {
            loop {
                let message = self.socket.next().await.expect("the browser lives").expect("a message");
                let Ok(text) = message.to_text() else { continue };
                let Ok(message) = serde_json::from_str::<Value>(text) else { continue };
                if message["id"] == json!(id) {
                    return message;
                }
                self.hears(message);
            }
        })
        .await;
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }

    fn hears(&mut self, mut event: Value) {
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded") => self.complaints.push(event["params"].take()),
            Some("Network.requestWillBeSent") => {
                let url = event["params"]["request"]["url"].as_str();
                self.asked.extend(url.map(str::to_owned));
            }
            _ => {}
        }
    }

    /// The value of an expression in the page.
    pub(crate) async fn value(&mut self, expression: &str) -> Value {
        let evaluate = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", evaluate).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Waits until the expression is true.
    pub(crate) async fn until(&mut self, expression: &str) {
        let until = Instant::now() + LIMIT;
        while self.value(expression).await != json!(true) {
            let shown = if Instant::now() < until { Value::Null } else { self.value("document.body.innerText").await };
            assert!(shown.is_null(), "{expression} did not come true: {shown:#} {:#?}", self.complaints);
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses a key and lets it go, as on a keyboard.
    pub(crate) async fn press(&mut self, key: &str, code: u32, text: &str) {
        let mut stroke = json!({ "type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code });
        if !text.is_empty() {
            stroke["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", stroke.clone()).await;
        stroke["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", stroke).await;
    }

    /// How large the window is, and whether it is a phone's.
    pub(crate) async fn size(&mut self, width: u32, height: u32, is_phone: bool) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    pub(crate) async fn prefers(&mut self, scheme: Scheme) {
        let value = format!("{scheme:?}").to_lowercase();
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", features).await;
    }

    /// What the page holds once all garbage is gone: bytes of its heap, and nodes of the document.
    pub(crate) async fn holds(&mut self) -> (u64, u64) {
        self.call("HeapProfiler.collectGarbage", json!({})).await;
        let metrics = self.call("Performance.getMetrics", json!({})).await;
        let metric = |name: &str| {
            let all = metrics["metrics"].as_array().into_iter().flatten();
            let value = all.filter(|metric| metric["name"] == json!(name)).find_map(|metric| metric["value"].as_f64());
            value.expect("the metric") as u64
        };
        (metric("JSHeapUsedSize"), metric("Nodes"))
    }

    /// Takes a picture, where `CHAIN_PAGE_PICTURES` names a directory for them.
    pub(crate) async fn picture(&mut self, name: &str) {
        let Some(directory) = std::env::var_os("CHAIN_PAGE_PICTURES").map(PathBuf::from) else { return };
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let picture = picture["data"].as_str().expect("a picture");
        let picture = base64::prelude::BASE64_STANDARD.decode(picture).expect("a picture");
        std::fs::write(directory.join(name), picture).expect("the picture is written");
    }
}
