//! nginx: as the upstream of all, and as a contender.

use std::fs;

use crate::contenders::{Behind, Contender, KEY, folder, free, on, start};
use crate::grpc;

const PROXIED: &str = r#"
    log_format main '$remote_addr $request $status $body_bytes_sent $request_time $upstream_addr $request_id';
    access_log FOLDER/access.log main buffer=64k flush=1s;
    map $http_x_api_key $user { default ""; "KEY" "alice"; }
    limit_req_zone $user zone=u:1m rate=1000000r/s;
    upstream up { server UPSTREAM; keepalive 1024; keepalive_requests 100000000; }
    upstream grpc { server GRPC; keepalive 1024; keepalive_requests 100000000; }
    server {
        listen AT http2;
        listen H1;
        location / {
            if ($user = "") { return 401; }
            limit_req zone=u burst=1000000 nodelay;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-User $user;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Request-Id $request_id;
            proxy_pass http://up;
        }
        location PREFIX/ {
            if ($user = "") { return 401; }
            limit_req zone=u burst=1000000 nodelay;
            grpc_set_header X-Forwarded-User $user;
            grpc_set_header X-Forwarded-For $remote_addr;
            grpc_set_header X-Request-Id $request_id;
            grpc_pass grpc://grpc;
        }
    }"#;

const UPSTREAM: &str = "
    access_log off;
    server { listen H1; root FOLDER; location / { sendfile on; } }";

/// The upstream, which has two files.
pub(crate) fn upstream(core: &str) -> Result<Contender, String> {
    run("upstream", core, UPSTREAM)
}

/// The proxy, with everything on.
pub(crate) fn proxy(core: &str, behind: Behind) -> Result<Contender, String> {
    let text = PROXIED.replace("UPSTREAM", &behind.files.to_string()).replace("GRPC", &behind.grpc.to_string());
    run("nginx", core, &text.replace("KEY", KEY).replace("PREFIX", grpc::PREFIX))
}

/// One worker of nginx, without becoming a daemon. nginx 1.22 speaks HTTP/2 at a port of its own.
fn run(name: &'static str, core: &str, http: &str) -> Result<Contender, String> {
    let (folder, at, h2) = (folder(name)?, free(), free());
    fs::write(folder.join("small"), vec![b'x'; 1 << 10]).map_err(|error| error.to_string())?;
    fs::write(folder.join("large"), vec![b'x'; 1 << 20]).map_err(|error| error.to_string())?;
    let http = http.replace("AT http2", &format!("{h2} http2"));
    let text = format!(
        "worker_processes 1; daemon off; error_log FOLDER/error.log crit; pid FOLDER/pid; worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
    keepalive_timeout 600; keepalive_requests 100000000; tcp_nodelay on; http2_max_concurrent_streams 128;
    client_body_temp_path FOLDER/b; proxy_temp_path FOLDER/p; fastcgi_temp_path FOLDER/f; uwsgi_temp_path FOLDER/u;
    scgi_temp_path FOLDER/s;{http}
}}
"
    );
    let text = text.replace("H1", &at.to_string()).replace("FOLDER", &folder.display().to_string());
    let file = folder.join("nginx.conf");
    fs::write(&file, text).map_err(|error| error.to_string())?;
    // Workers that do not run as root could not read the folder otherwise.
    let mut command = on(core, "nginx");
    command.arg("-c").arg(file).args(["-g", "user root;"]);
    let mut contender = start(name, at, command, Some(folder))?;
    contender.h2 = Some(h2);
    Ok(contender)
}
